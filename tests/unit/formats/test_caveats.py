from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sealstead.errors import SealsteadError
from sealstead.formats.caveats import (
    AccessContext,
    Caveat,
    CaveatNotMetError,
    CopyId,
    Expiration,
    OutsideLifetimeError,
    ProjectIds,
    ProjectNames,
    Publisher,
    RequestUser,
    check_caveats,
)

NOW = datetime(2026, 8, 21, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
OWNER = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
PROJECT_ID = "9b2e6d4e-37f4-4f5b-8a57-1f0f6a4d9a11"
UNBORN = {"project_id": None}
NO_PROJECT = {"project_name": None, "project_id": None}
PENDING = {**NO_PROJECT, "project_pending": True}
PUBLISHER = {"publisher_id": "p1", "publisher_projects": frozenset({PROJECT_ID})}
COPY = "0123456789abcdef0123456789abcdef"
WRONG = "project-scoped token is not valid for project: 'demo-lib'"
OUTSIDE = "project-scoped token used outside of a project context"


def context(**facts: Any) -> AccessContext:
    default = {
        "now": NOW,
        "user_id": OWNER,
        "project_name": "demo-lib",
        "project_id": PROJECT_ID,
        "project_pending": False,
    }
    return AccessContext(**{**default, **facts})


@pytest.mark.parametrize(
    ("caveat", "facts"),
    [
        (Expiration(SECONDS + 1, SECONDS), {}),
        (Expiration(SECONDS + 1, SECONDS - 1), {"now": NOW + timedelta(microseconds=999_999)}),
        (Expiration(10**30, -(10**30)), {}),
        (ProjectNames(("other", "demo-lib")), {}),
        (ProjectNames(("demo-lib",)), UNBORN),
        (ProjectIds((PROJECT_ID,)), {}),
        (RequestUser(OWNER), NO_PROJECT),
        (Publisher("p1"), {**PUBLISHER, "user_id": None}),
        (CopyId(COPY), {**NO_PROJECT, "revoked_copies": frozenset({COPY[::-1]})}),
    ],
)
def test_met(caveat: Caveat, facts: dict[str, Any]) -> None:
    caveat.check(context(**facts))


@pytest.mark.parametrize(
    ("caveat", "facts", "kind", "message"),
    [
        (Expiration(SECONDS, 0), {}, OutsideLifetimeError, "token is expired"),
        (Expiration(SECONDS + 9, SECONDS + 1), {}, OutsideLifetimeError, "token is expired"),
        (
            Expiration(SECONDS + 9, SECONDS + 1),
            {"now": NOW + timedelta(microseconds=999_999)},
            OutsideLifetimeError,
            "token is expired",
        ),
        (Expiration(SECONDS, SECONDS), {}, OutsideLifetimeError, "token is expired"),
        (ProjectNames(("other",)), {}, CaveatNotMetError, WRONG),
        (ProjectNames(("Demo.Lib",)), {}, CaveatNotMetError, WRONG),
        (ProjectNames(()), {}, CaveatNotMetError, WRONG),
        (ProjectNames(("demo-lib",)), NO_PROJECT, CaveatNotMetError, OUTSIDE),
        (ProjectIds(("other",)), {}, CaveatNotMetError, WRONG),
        (ProjectIds(("",)), UNBORN, CaveatNotMetError, WRONG),
        (ProjectIds(("None",)), UNBORN, CaveatNotMetError, WRONG),
        (ProjectIds((PROJECT_ID,)), NO_PROJECT, CaveatNotMetError, OUTSIDE),
        (
            RequestUser(OWNER),
            {"user_id": None},
            CaveatNotMetError,
            "token with user restriction without a user",
        ),
        (
            RequestUser(OWNER.upper()),
            {},
            CaveatNotMetError,
            "current user does not match user restriction in token",
        ),
        (
            Publisher("p1"),
            {},
            CaveatNotMetError,
            "OIDC scoped token used outside of an OIDC identified request",
        ),
        (
            Publisher("p2"),
            {**PUBLISHER},
            CaveatNotMetError,
            "current OIDC publisher does not match publisher restriction in token",
        ),
        (
            Publisher("p1"),
            {**PUBLISHER, **NO_PROJECT},
            CaveatNotMetError,
            "OIDC scoped token used outside of a project context",
        ),
        (
            Publisher("p1"),
            {"publisher_id": "p1"},
            CaveatNotMetError,
            "OIDC scoped token is not valid for project 'demo-lib'",
        ),
        (
            Publisher("p1"),
            {**PUBLISHER, **UNBORN},
            CaveatNotMetError,
            "OIDC scoped token is not valid for project 'demo-lib'",
        ),
        (
            CopyId(COPY),
            {"revoked_copies": frozenset({COPY})},
            CaveatNotMetError,
            "this copy of the token was revoked",
        ),
    ],
)
def test_unmet(caveat: Caveat, facts: dict[str, Any], kind: type[SealsteadError], message: str) -> None:
    with pytest.raises(kind) as refusal:
        caveat.check(context(**facts))
    assert refusal.value.message == message


def test_all_are_required() -> None:
    check_caveats([RequestUser(OWNER), ProjectNames(("demo-lib",))], context())
    for caveats in ([RequestUser(OWNER), ProjectNames(("x",))], [ProjectNames(("x",)), RequestUser(OWNER)]):
        with pytest.raises(CaveatNotMetError):
            check_caveats(caveats, context())


@pytest.mark.parametrize("caveat", [ProjectNames(("x",)), ProjectIds(("x",)), Publisher("p1")])
def test_while_the_project_is_pending_only_the_rest_is_judged(caveat: Caveat) -> None:
    caveat.check(context(**PENDING, **PUBLISHER))
    with pytest.raises(CaveatNotMetError):
        caveat.check(context(**NO_PROJECT, **PUBLISHER))


@pytest.mark.parametrize("caveat", [RequestUser("x"), Expiration(0, 0), Publisher("p2"), CopyId(COPY)])
def test_pending_project_lets_nothing_else_pass(caveat: Caveat) -> None:
    with pytest.raises(CaveatNotMetError):
        caveat.check(context(**PENDING, **PUBLISHER, revoked_copies=frozenset({COPY})))
