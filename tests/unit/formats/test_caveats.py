from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sealstead.errors import SealsteadError
from sealstead.formats.caveats import (
    CAVEATS,
    AccessContext,
    Caveat,
    CaveatNotMetError,
    CopyId,
    Expiration,
    MalformedCaveatError,
    OutsideLifetimeError,
    ProjectIds,
    ProjectNames,
    Publisher,
    RequestUser,
    check_caveats,
    parse_caveat,
    serialize_caveat,
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
    ("value", "text", "caveat"),
    [
        ((0, 20, 10), b"[0,20,10]", Expiration(20, 10)),
        ((1, ["a", "b"]), b'[1,["a","b"]]', ProjectNames(("a", "b"))),
        ((2, ["x"]), b'[2,["x"]]', ProjectIds(("x",))),
        ((3, "u"), b'[3,"u"]', RequestUser("u")),
        ((4, "p1", None), b'[4,"p1",null]', Publisher("p1", None)),
        (
            (4, "p1", {"sha": "s", "ref": "r"}),
            b'[4,"p1",{"ref":"r","sha":"s"}]',
            Publisher("p1", {"sha": "s", "ref": "r"}),
        ),
        ((4, "p1"), b'[4,"p1"]', Publisher("p1", None)),
        ((100, COPY), b'[100,"' + COPY.encode() + b'"]', CopyId(COPY)),
    ],
)
def test_layouts(value: tuple[object, ...], text: bytes, caveat: Caveat) -> None:
    assert serialize_caveat(*value) == text
    assert parse_caveat(text, token_owner=OWNER) == caveat


@pytest.mark.parametrize(
    ("text", "caveat"),
    [
        ({"version": 1, "permissions": "user"}, RequestUser(OWNER)),
        ({"version": 1, "permissions": {"projects": ["a", "b"]}}, ProjectNames(("a", "b"))),
        ({"exp": 20, "nbf": 10}, Expiration(20, 10)),
        ({"project_ids": ["x"]}, ProjectIds(("x",))),
    ],
)
def test_legacy_objects(text: object, caveat: Caveat) -> None:
    assert parse_caveat(json.dumps(text).encode(), token_owner=OWNER) == caveat


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "unknown error"),
        (b"no JSON", "unknown error"),
        (b"[0,1,2", "unknown error"),
        (b"[0,2,1] x", "unknown error"),
        ("[0,2,1]\u00a0".encode(), "unknown error"),
        (b"\xff", "unknown error"),
        (b"\xef\xbb\xbf[0,20,10]", "unknown error"),
        ("[0,20,10]".encode("utf-16"), "unknown error"),
        (b"[" * 100_000, "unknown error"),
        (b"[0," + b"9" * 5000 + b",0]", "unknown error"),
        (b'{"exp":20,"nbf":10,"exp":30}', "unknown error"),
        (b"null", "caveat must be an array"),
        (b"0", "caveat must be an array"),
        (b'"[0,20,10]"', "caveat must be an array"),
        (b"{}", "caveat must be an array"),
        (b'{"version":1}', "caveat must be an array"),
        (b'{"version":1,"permissions":"all"}', "caveat must be an array"),
        (b'{"version":1,"permissions":null}', "caveat must be an array"),
        (b'{"version":1,"permissions":{}}', "caveat must be an array"),
        (b'{"version":1,"permissions":{"projects":["a"],"user":true}}', "caveat must be an array"),
        (b'{"version":1,"permissions":"user","exp":20}', "caveat must be an array"),
        (b'{"version":2,"permissions":"user"}', "caveat must be an array"),
        (b'{"version":true,"permissions":"user"}', "caveat must be an array"),
        (b'{"version":1.0,"permissions":"user"}', "caveat must be an array"),
        (b'{"exp":20}', "caveat must be an array"),
        (b'{"exp":20,"nbf":10,"project_ids":["x"]}', "caveat must be an array"),
        (b"[]", "caveat array cannot be empty"),
        (b"[5]", "caveat has unknown tag: 5"),
        (b"[99]", "caveat has unknown tag: 99"),
        (b"[101,1]", "caveat has unknown tag: 101"),
        (b"[-1,1]", "caveat has unknown tag: -1"),
        (b'[true,["a"]]', "caveat has unknown tag: a bool"),
        (b'[1.0,["a"]]', "caveat has unknown tag: a float"),
        (b'["1",["a"]]', "caveat has unknown tag: a str"),
        (b'[[1],["a"]]', "caveat has unknown tag: a list"),
        (b"[0]", "Not enough values"),
        (b"[0,20]", "Not enough values"),
        (b"[1]", "Not enough values"),
        (b"[2]", "Not enough values"),
        (b"[3]", "Not enough values"),
        (b"[4]", "Not enough values"),
        (b"[100]", "Not enough values"),
        (b'[0,"20",10]', "invalid values for fields"),
        (b"[0,20.0,10]", "invalid values for fields"),
        (b"[0,20,false]", "invalid values for fields"),
        (b"[0,Infinity,0]", "invalid values for fields"),
        (b"[0,20,10,1]", "invalid values for fields"),
        (b'[1,"a"]', "invalid values for fields"),
        (b'[1,{"a":1}]', "invalid values for fields"),
        (b"[1,[1]]", "invalid values for fields"),
        (b'[1,["a"],"b"]', "invalid values for fields"),
        (b'[2,["x",null]]', "invalid values for fields"),
        (b"[3,3]", "invalid values for fields"),
        (b"[3,null]", "invalid values for fields"),
        (b'[3,"u",true]', "invalid values for fields"),
        (b"[4,null,null]", "invalid values for fields"),
        (b'[4,"p","c"]', "invalid values for fields"),
        (b'[4,"p",null,null]', "invalid values for fields"),
        (b"[100,1]", "invalid values for fields"),
        (b'[100,"0123"]', "invalid values for fields"),
        (b'[100,"0123456789ABCDEF0123456789ABCDEF"]', "invalid values for fields"),
        (b'{"exp":"20","nbf":10}', "invalid values for fields"),
        (b'{"project_ids":"x"}', "invalid values for fields"),
        (b'{"version":1,"permissions":{"projects":"a"}}', "invalid values for fields"),
    ],
)
def test_whatever_is_not_understood_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(MalformedCaveatError) as refusal:
        parse_caveat(text, token_owner=OWNER)
    assert refusal.value.code == "malformed-caveat"
    assert refusal.value.message == message


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


def test_table_lists_every_class_under_its_tag() -> None:
    # By name: a dataclass with slots leaves its first draft behind.
    assert {cls.__name__ for cls in CAVEATS.values()} == {cls.__name__ for cls in Caveat.__subclasses__()}
    assert {tag: cls.tag for tag, cls in CAVEATS.items()} == {tag: tag for tag in CAVEATS}


def test_tags_never_change() -> None:
    assert {tag: cls.__name__ for tag, cls in CAVEATS.items()} == {
        0: "Expiration",
        1: "ProjectNames",
        2: "ProjectIds",
        3: "RequestUser",
        4: "Publisher",
        100: "CopyId",
    }


@pytest.mark.parametrize("caveat", [ProjectNames(("x",)), ProjectIds(("x",)), Publisher("p1")])
def test_while_the_project_is_pending_only_the_rest_is_judged(caveat: Caveat) -> None:
    caveat.check(context(**PENDING, **PUBLISHER))
    with pytest.raises(CaveatNotMetError):
        caveat.check(context(**NO_PROJECT, **PUBLISHER))


@pytest.mark.parametrize("caveat", [RequestUser("x"), Expiration(0, 0), Publisher("p2"), CopyId(COPY)])
def test_pending_project_lets_nothing_else_pass(caveat: Caveat) -> None:
    with pytest.raises(CaveatNotMetError):
        caveat.check(context(**PENDING, **PUBLISHER, revoked_copies=frozenset({COPY})))
