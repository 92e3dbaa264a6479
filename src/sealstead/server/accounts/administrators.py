"""Pages for administrators alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase

from sealstead.server.accounts.administer import Act
from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now, origin_of
from sealstead.server.accounts.reauth import recent_auth_required

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def administrator_of(request: HttpRequest) -> User:
    """Return the administrator who asks.

    Raises:
        Http404: somebody else; to them the page does not exist.
    """
    user = request.user
    if not isinstance(user, User) or not user.is_superuser:
        raise Http404
    return user


def administrators_only(view: View[P]) -> View[P]:
    """Let the view run only for an administrator who proved who they are a short while ago (`reauth.py`)."""
    asked = recent_auth_required(view)

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        # First: others are not even asked for their password.
        administrator_of(request)
        return asked(request, *args, **kwargs)

    return login_required(guarded)


def act_of(request: HttpRequest) -> Act:
    return Act(actor=administrator_of(request), at=now(), origin=origin_of(request))
