"""Laws of upload tokens: round trip, one encoding, nothing forged, narrowing only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sealstead.errors import ParseError, SealsteadError, VerificationError
from sealstead.formats.caveat_json import parse_caveat, serialize_caveat
from sealstead.formats.caveats import AccessContext, check_caveats
from sealstead.formats.macaroon import (
    Macaroon,
    SignatureMismatchError,
    add_caveat,
    mint,
    parse_macaroon,
    serialize_macaroon,
    verify_macaroon,
)
from sealstead.formats.token_text import parse_token, serialize_token

OWNER = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
PROJECT_ID = "9b2e6d4e-37f4-4f5b-8a57-1f0f6a4d9a11"
NOW = datetime(2026, 8, 21, tzinfo=UTC)
SECONDS = int(NOW.timestamp())

short = st.binary(max_size=40)
root_keys = st.binary(min_size=32, max_size=32)
raw_caveats = st.binary(max_size=300)
macaroons = st.builds(
    mint,
    root_keys,
    location=st.none() | short,
    identifier=short,
    caveats=st.lists(raw_caveats, max_size=6),
)

names = st.sampled_from(["demo-lib", "other", "third"])
ids = st.sampled_from([PROJECT_ID, OWNER, "x"])
seconds = st.sampled_from([0, SECONDS - 1, SECONDS, SECONDS + 1, 2**40])
caveats = st.one_of(
    st.builds(serialize_caveat, st.just(0), seconds, seconds),
    st.builds(serialize_caveat, st.just(1), st.lists(names, max_size=3)),
    st.builds(serialize_caveat, st.just(2), st.lists(ids, max_size=3)),
    st.builds(serialize_caveat, st.just(3), ids),
    st.builds(serialize_caveat, st.just(4), ids, st.none()),
    st.builds(serialize_caveat, st.just(100), st.sampled_from(["0" * 32, "1" * 32])),
    st.builds(serialize_caveat, st.integers(5, 99)),
    st.sampled_from([b'{"version":1,"permissions":"user"}', b'{"exp":1,"nbf":0}', b"junk", b"[]"]),
)
contexts = st.builds(
    AccessContext,
    now=st.sampled_from([NOW, NOW + timedelta(microseconds=1), NOW - timedelta(microseconds=1)]),
    user_id=st.none() | ids,
    project_name=st.none() | names,
    project_id=st.none() | ids,
    project_pending=st.booleans(),
    publisher_id=st.none() | ids,
    publisher_projects=st.frozensets(ids, max_size=2),
    revoked_copies=st.frozensets(st.sampled_from(["0" * 32, "1" * 32]), max_size=2),
)


def same(one: Macaroon, other: Macaroon) -> bool:
    return serialize_macaroon(one) == serialize_macaroon(other)


@given(macaroons)
def test_bytes_and_text_round_trip(macaroon: Macaroon) -> None:
    parsed = parse_macaroon(serialize_macaroon(macaroon))
    for back in (parsed, parse_token(serialize_token(macaroon))):
        assert (back.location, back.identifier, back.caveats, back.signature) == (
            macaroon.location,
            macaroon.identifier,
            macaroon.caveats,
            macaroon.signature,
        )


@given(st.binary(max_size=400))
@example(b"\x02\x02\x00\x00\x00\x06\x20" + bytes(32))
def test_whatever_is_read_is_written_back_alike(data: bytes) -> None:
    try:
        macaroon = parse_macaroon(data)
    except ParseError:
        return
    assert serialize_macaroon(macaroon) == data


@given(macaroon=macaroons, data=st.data())
def test_one_changed_byte_of_a_good_one_is_written_back_alike_or_refused(
    macaroon: Macaroon, data: st.DataObject
) -> None:
    """Random bytes seldom reach far into the reader; damaged good ones do."""
    raw = bytearray(serialize_macaroon(macaroon))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        changed = parse_macaroon(bytes(raw))
    except ParseError:
        return
    assert serialize_macaroon(changed) == bytes(raw)


@given(root=root_keys, identifier=short, found=st.lists(raw_caveats, max_size=3), data=st.data())
def test_any_flipped_bit_is_refused(
    root: bytes, identifier: bytes, found: list[bytes], data: st.DataObject
) -> None:
    """In the whole macaroon but for the location, which no signature covers: here it is left out."""
    raw = serialize_macaroon(mint(root, location=None, identifier=identifier, caveats=found))
    verify_macaroon(parse_macaroon(raw), root)
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    flipped = bytearray(raw)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises((ParseError, VerificationError)):
        verify_macaroon(parse_macaroon(bytes(flipped)), root)


def test_every_flipped_bit_of_a_tokens_text_is_refused_or_changes_the_location_only() -> None:
    root = bytes(range(32))
    good = mint(
        root,
        location=b"pkg.test",
        identifier=OWNER.encode(),
        caveats=[serialize_caveat(1, ["demo-lib"]), serialize_caveat(2, [PROJECT_ID])],
    )
    text = serialize_token(good).encode()
    for bit in range(len(text) * 8):
        flipped = bytearray(text)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            macaroon = parse_token(flipped.decode("latin-1"))
            verify_macaroon(macaroon, root)
        except (ParseError, VerificationError):
            continue
        assert macaroon.location != good.location
        assert macaroon.caveats == good.caveats
        assert len(macaroon.location or b"") == len(good.location or b"")


@given(root=root_keys, other=root_keys, found=st.lists(raw_caveats, max_size=3))
def test_no_other_root_key_verifies(root: bytes, other: bytes, found: list[bytes]) -> None:
    assume(root != other)
    with pytest.raises(SignatureMismatchError):
        verify_macaroon(mint(root, location=None, identifier=b"id", caveats=found), other)


@given(root=root_keys, found=st.lists(raw_caveats, min_size=1, max_size=5), data=st.data())
def test_caveats_cannot_be_dropped_moved_or_replaced(
    root: bytes, found: list[bytes], data: st.DataObject
) -> None:
    good = mint(root, location=None, identifier=b"id", caveats=found)
    other = tuple(data.draw(st.lists(st.sampled_from(found) | raw_caveats, max_size=6)))
    assume(other != good.caveats)
    forged = Macaroon(location=None, identifier=good.identifier, caveats=other, signature=good.signature)
    with pytest.raises(SignatureMismatchError):
        verify_macaroon(forged, root)


def passes(macaroon: Macaroon, root: bytes, context: AccessContext) -> bool:
    try:
        verify_macaroon(macaroon, root)
        check_caveats([parse_caveat(one, token_owner=OWNER) for one in macaroon.caveats], context)
    except SealsteadError:
        return False
    return True


@given(root=root_keys, found=st.lists(caveats, max_size=4), added=caveats, context=contexts)
def test_adding_a_caveat_only_narrows(
    root: bytes, found: list[bytes], added: bytes, context: AccessContext
) -> None:
    before = mint(root, location=b"pkg.test", identifier=b"id", caveats=found)
    after = parse_token(serialize_token(add_caveat(before, added)))
    verify_macaroon(after, root)
    if passes(after, root, context):
        assert passes(before, root, context)


@given(found=st.lists(caveats, max_size=4), context=contexts)
def test_order_of_caveats_decides_nothing(found: list[bytes], context: AccessContext) -> None:
    root = bytes(32)
    forward = mint(root, location=None, identifier=b"id", caveats=found)
    backward = mint(root, location=None, identifier=b"id", caveats=found[::-1])
    assert passes(forward, root, context) == passes(backward, root, context)


@given(found=caveats, context=contexts)
def test_what_passes_while_the_project_is_pending_may_only_be_refused_later(
    found: bytes, context: AccessContext
) -> None:
    pending = AccessContext(
        now=context.now,
        user_id=context.user_id,
        project_pending=True,
        publisher_id=context.publisher_id,
        publisher_projects=context.publisher_projects,
        revoked_copies=context.revoked_copies,
    )
    token = mint(bytes(32), location=None, identifier=b"id", caveats=[found])
    if passes(token, bytes(32), context):
        assert passes(token, bytes(32), pending)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.binary(max_size=200)
    | st.builds(serialize_caveat, json_values)
    | st.lists(json_values, max_size=4).map(lambda value: serialize_caveat(*value))
)
def test_any_caveat_is_read_or_refused_as_a_parse_error(data: bytes) -> None:
    try:
        caveat = parse_caveat(data, token_owner=OWNER)
    except ParseError:
        return
    try:
        caveat.check(AccessContext(now=NOW, user_id=OWNER))
    except VerificationError:
        return


@given(st.text(max_size=300) | st.text("pypi-AQgw_+/=", max_size=300).map(lambda text: f"pypi-{text}"))
def test_any_text_is_read_or_refused_as_a_parse_error(text: str) -> None:
    try:
        parse_token(text)
    except ParseError:
        return
