from __future__ import annotations

import pytest

from sealstead.formats.macaroon import (
    MAX_BYTES,
    MAX_CAVEATS,
    Macaroon,
    MacaroonFormatError,
    MacaroonTooLargeError,
    SignatureMismatchError,
    add_caveat,
    mint,
    parse_macaroon,
    serialize_macaroon,
    verify_macaroon,
)

ROOT_KEY = bytes(range(32))
SIGNATURE = bytes(range(32))
TAIL = b"\x00\x06\x20" + SIGNATURE
HEAD = b"\x02\x01\x01l\x02\x02id\x00"


def minted(*caveats: bytes) -> Macaroon:
    return mint(ROOT_KEY, location=b"example.org", identifier=b"some id", caveats=caveats)


def test_layout_is_that_of_the_specification() -> None:
    macaroon = Macaroon(location=b"l", identifier=b"id", caveats=(b"c1", b""), signature=SIGNATURE)
    assert serialize_macaroon(macaroon) == HEAD + b"\x02\x02c1\x00" + b"\x02\x00\x00" + TAIL


def test_location_may_be_missing() -> None:
    data = b"\x02\x02\x02id\x00" + TAIL
    assert parse_macaroon(data).location is None
    assert serialize_macaroon(parse_macaroon(data)) == data


@pytest.mark.parametrize("length", [0, 1, 127, 128, 129, 16_383, 16_384, 30_000])
def test_lengths_round_trip(length: int) -> None:
    data = serialize_macaroon(minted(b"x" * length))
    assert parse_macaroon(data).caveats == (b"x" * length,)
    assert serialize_macaroon(parse_macaroon(data)) == data


def test_minted_with_caveats_equals_narrowed_step_by_step() -> None:
    step_by_step = add_caveat(add_caveat(minted(), b"one"), b"two")
    assert serialize_macaroon(step_by_step) == serialize_macaroon(minted(b"one", b"two"))
    verify_macaroon(step_by_step, ROOT_KEY)


def test_other_root_key_is_refused() -> None:
    with pytest.raises(SignatureMismatchError) as refusal:
        verify_macaroon(minted(b"one"), bytes(32))
    assert refusal.value.code == "signature-mismatch"
    assert refusal.value.message == "signatures do not match"


@pytest.mark.parametrize(
    "caveats", [(), (b"two",), (b"two", b"one"), (b"one", b"two", b"three"), (b"onetwo",)]
)
def test_dropped_swapped_or_unsigned_caveats_are_refused(caveats: tuple[bytes, ...]) -> None:
    good = minted(b"one", b"two")
    changed = Macaroon(
        location=good.location, identifier=good.identifier, caveats=caveats, signature=good.signature
    )
    with pytest.raises(SignatureMismatchError):
        verify_macaroon(changed, ROOT_KEY)


def test_location_informs_only() -> None:
    good = minted(b"one")
    moved = Macaroon(
        location=b"elsewhere", identifier=good.identifier, caveats=good.caveats, signature=good.signature
    )
    verify_macaroon(moved, ROOT_KEY)


@pytest.mark.parametrize(
    "data",
    {
        "empty": b"",
        "version only": b"\x02",
        "version 1": b"0011location l\n",
        "version 3": b"\x03" + HEAD[1:] + TAIL,
        "json": b'{"v":2}',
        "no identifier": b"\x02\x01\x01l\x00" + TAIL,
        "identifier before location": b"\x02\x02\x02id\x01\x01l\x00" + TAIL,
        "two identifiers": b"\x02\x02\x02id\x02\x02id\x00" + TAIL,
        "head not ended": b"\x02\x01\x01l\x02\x02id" + TAIL[1:],
        "third party by location": HEAD + b"\x01\x01l\x02\x01c\x00" + TAIL,
        "third party by verification id": HEAD + b"\x02\x01c\x04\x01v\x00" + TAIL,
        "unknown field in a caveat": HEAD + b"\x02\x01c\x07\x01v\x00" + TAIL,
        "unknown field type": HEAD + b"\x03\x01c\x00" + TAIL,
        "short signature": HEAD + b"\x00\x06\x1f" + SIGNATURE[:31],
        "long signature": HEAD + b"\x00\x06\x21" + SIGNATURE + b"!",
        "other field instead of signature": HEAD + b"\x00\x02\x20" + SIGNATURE,
        "no signature": HEAD + b"\x00",
        "cut off": (HEAD + TAIL)[:-1],
        "trailing byte": HEAD + TAIL + b"\x00",
        "length beyond the end": HEAD + b"\x02\x7fc\x00" + TAIL,
        "length not shortest": b"\x02\x01\x81\x00l\x02\x02id\x00" + TAIL,
        "length not shortest, three bytes": b"\x02\x01\x81\x80\x00l\x02\x02id\x00" + TAIL,
        "field type not shortest": b"\x02\x81\x00\x01l\x02\x02id\x00" + TAIL,
        "length of four bytes": HEAD + b"\x02\x80\x80\x80\x01" + bytes(50) + TAIL,
        "length cut off": HEAD + b"\x02\x80",
        "too long": HEAD + b"\x02\x80\x80\x02" + bytes(MAX_BYTES) + b"\x00" + TAIL,
        "too many caveats": HEAD + b"\x02\x00\x00" * (MAX_CAVEATS + 1) + TAIL,
    }.items(),
    ids=lambda case: case[0],
)
def test_other_bytes_are_refused(data: tuple[str, bytes]) -> None:
    with pytest.raises(MacaroonFormatError) as refusal:
        parse_macaroon(data[1])
    assert refusal.value.code == "macaroon-format"


def test_every_prefix_is_refused() -> None:
    data = serialize_macaroon(minted(b"one", b"x" * 200))
    for length in range(len(data)):
        with pytest.raises(MacaroonFormatError):
            parse_macaroon(data[:length])


@pytest.mark.parametrize("caveats", [(b"x" * MAX_BYTES,), (b"",) * (MAX_CAVEATS + 1)])
def test_what_could_not_be_read_back_is_not_written(caveats: tuple[bytes, ...]) -> None:
    with pytest.raises(MacaroonTooLargeError) as refusal:
        serialize_macaroon(minted(*caveats))
    assert refusal.value.code == "macaroon-too-large"


def test_most_caveats_are_read_back() -> None:
    assert len(parse_macaroon(serialize_macaroon(minted(*[b"c"] * MAX_CAVEATS))).caveats) == MAX_CAVEATS


def test_signature_stays_out_of_repr() -> None:
    macaroon = minted()
    assert repr(macaroon.signature) not in repr(macaroon)
    assert "signature" not in repr(macaroon)
