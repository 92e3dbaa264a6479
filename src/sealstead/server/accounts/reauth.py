"""Pages that ask who is there again: password or second factor within the last 30 minutes.

An unlocked screen or a stolen cookie must not be enough to make a token, to change who may sign in, or to let somebody
else into a project. The moment is
kept in the session, by the server's clock; signing in counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.account.adapter import get_adapter
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from sealstead.server.accounts.origin import now

RECENT = timedelta(minutes=30)
_SESSION_KEY = "recent_auth_at"

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def mark_recent(request: HttpRequest) -> None:
    """Note that the visitor has just proved who they are."""
    request.session[_SESSION_KEY] = now().timestamp()


def recently_authenticated(request: HttpRequest) -> bool:
    moment = request.session.get(_SESSION_KEY)
    if moment is None or not request.user.is_authenticated:
        return False
    return now() - datetime.fromtimestamp(moment, UTC) < RECENT


def recent_auth_required(view: View[P]) -> View[P]:
    """Let the view run only for a signed-in user who proved it within `RECENT`; others are asked and then return.

    A POST is not replayed after the question: its page is shown again.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if recently_authenticated(request):
            return view(request, *args, **kwargs)
        return ask_again(request, back_to=request.get_full_path())

    return login_required(guarded)


def ask_again(request: HttpRequest, *, back_to: str) -> HttpResponseRedirect:
    """Ask who is there, then show the page `back_to`: for views that take a POST alone."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    ask = methods[0]["url"] if methods else reverse("account_reauthenticate")
    return HttpResponseRedirect(f"{ask}?{urlencode({REDIRECT_FIELD_NAME: back_to})}")
