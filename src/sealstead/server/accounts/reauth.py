"""Pages that ask who is there again: password or second factor within the last 30 minutes.

An unlocked screen or a stolen cookie must not be enough to make a token or to change who may sign in.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase

RECENT = timedelta(minutes=30)

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def recently_authenticated(request: HttpRequest) -> bool:
    return bool(did_recently_reauthenticate(request))


def recent_auth_required(view: View[P]) -> View[P]:
    """Let the view run only for a signed-in user who proved it within `RECENT`; others are asked and then return.

    A POST is asked for again after the question, not replayed: its form is shown anew.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not recently_authenticated(request):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return login_required(guarded)
