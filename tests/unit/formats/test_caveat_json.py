from __future__ import annotations

import json

import pytest

from sealstead.formats.caveat_json import CAVEATS, parse_caveat, serialize_caveat
from sealstead.formats.caveats import (
    Caveat,
    CopyId,
    Expiration,
    MalformedCaveatError,
    ProjectIds,
    ProjectNames,
    Publisher,
    RequestUser,
)

OWNER = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
COPY = "0123456789abcdef0123456789abcdef"


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
