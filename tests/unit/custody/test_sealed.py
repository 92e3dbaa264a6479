from __future__ import annotations

import json

import pytest

from sealstead.custody.sealed import KeyRing, MalformedKeyRingError, SealBrokenError, UnknownMasterKeyError

CONTEXT = ("table", "column", "row")


def test_what_is_sealed_opens_for_its_own_row_alone() -> None:
    ring = KeyRing.generate()
    sealed = ring.seal(b"root key", context=CONTEXT)
    assert b"root key" not in sealed
    assert ring.open(sealed, context=CONTEXT) == b"root key"
    for other in (("table", "column", "other"), ("table", "columnrow", ""), ("table", "column")):
        with pytest.raises(SealBrokenError):
            ring.open(sealed, context=other)


def test_the_same_value_is_sealed_differently_each_time() -> None:
    ring = KeyRing.generate()
    assert ring.seal(b"x", context=CONTEXT) != ring.seal(b"x", context=CONTEXT)


@pytest.mark.parametrize("position", [0, 9, 20, -1])
def test_a_changed_byte_does_not_open(position: int) -> None:
    ring = KeyRing.generate()
    sealed = bytearray(ring.seal(b"root key", context=CONTEXT))
    sealed[position] ^= 1
    with pytest.raises(SealBrokenError):
        ring.open(bytes(sealed), context=CONTEXT)


@pytest.mark.parametrize("length", [0, 1, 8, 20, 36])
def test_a_cut_value_does_not_open(length: int) -> None:
    ring = KeyRing.generate()
    with pytest.raises(SealBrokenError):
        ring.open(ring.seal(b"root key", context=CONTEXT)[:length], context=CONTEXT)


def test_a_key_the_ring_lacks_is_named() -> None:
    theirs, ours = KeyRing.generate(), KeyRing.generate()
    sealed = theirs.seal(b"x", context=CONTEXT)
    assert not ours.holds_key_of(sealed)
    with pytest.raises(UnknownMasterKeyError, match=theirs.active):
        ours.open(sealed, context=CONTEXT)


def test_an_unknown_key_is_looked_for_once_more_at_the_source() -> None:
    ring, newer = KeyRing.generate(), KeyRing.generate()
    old = ring.seal(b"old", context=CONTEXT)
    ring.reload_from(lambda: newer)
    assert ring.open(newer.seal(b"new", context=CONTEXT), context=CONTEXT) == b"new"
    assert ring.active == newer.active
    assert ring.open(old, context=CONTEXT) == b"old"


def test_a_ring_survives_being_written_and_read() -> None:
    ring = KeyRing.generate()
    again = KeyRing.parse(ring.dump(), source="keyring.json")
    assert again.open(ring.seal(b"x", context=CONTEXT), context=CONTEXT) == b"x"
    assert again.derive("a") == ring.derive("a") != ring.derive("b")


def damaged() -> list[str]:
    good = json.loads(KeyRing.generate().dump())
    (key_id,) = good["keys"]
    return [
        "",
        "[]",
        "null",
        '{"version": 1}',
        json.dumps(good | {"version": 2}),
        json.dumps(good | {"active": "0" * 16}),
        json.dumps(good | {"active": []}),
        json.dumps(good | {"keys": {key_id: "AAAA"}}),
        json.dumps(good | {"keys": {key_id: "!" * 44}}),
        json.dumps(good | {"keys": {"../" + key_id: good["keys"][key_id]}, "active": "../" + key_id}),
        json.dumps(good)[:-20],
    ]


@pytest.mark.parametrize("text", damaged(), ids=range(len(damaged())))
def test_a_damaged_ring_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(MalformedKeyRingError) as caught:
        KeyRing.parse(text, source="keyring.json")
    assert caught.value.code == "malformed-key-ring"
    assert str(caught.value) == "keyring.json is not a key ring, or is damaged"
    assert caught.value.__cause__ is None
