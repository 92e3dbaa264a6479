"""Laws of the seal: opens for its own row under its own ring, and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sealstead.custody.sealed import KeyRing, SealBrokenError, UnknownMasterKeyError

RING = KeyRing.generate()
OTHER = KeyRing.generate()
contexts = st.lists(st.text(max_size=12), max_size=5).map(tuple)
values = st.binary(max_size=100)


@given(value=values, context=contexts)
def test_round_trip(value: bytes, context: tuple[str, ...]) -> None:
    assert RING.open(RING.seal(value, context=context), context=context) == value


@given(value=values, context=contexts)
def test_never_sealed_alike_twice(value: bytes, context: tuple[str, ...]) -> None:
    """Else the database would show which rows hold the same secret."""
    assert RING.seal(value, context=context) != RING.seal(value, context=context)


@given(value=st.binary(min_size=8, max_size=100), context=contexts)
def test_shows_the_key_id_and_not_the_value(value: bytes, context: tuple[str, ...]) -> None:
    sealed = RING.seal(value, context=context)
    assert sealed[1:9].hex() == RING.active
    assert value not in sealed


@given(value=values, context=contexts, other=contexts)
def test_moved_to_another_row_it_does_not_open(
    value: bytes, context: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assume(context != other)
    with pytest.raises(SealBrokenError):
        RING.open(RING.seal(value, context=context), context=other)


@given(parts=st.lists(st.text(max_size=6), min_size=2, max_size=4), value=values, data=st.data())
def test_shifting_text_between_neighbouring_columns_does_not_open(
    parts: list[str], value: bytes, data: st.DataObject
) -> None:
    """`("ab", "c")` and `("a", "bc")` are different rows."""
    joined = parts[0] + parts[1]
    cut = data.draw(st.integers(0, len(joined)))
    shifted = (joined[:cut], joined[cut:], *parts[2:])
    assume(shifted != tuple(parts))
    for other in (shifted, (joined, *parts[2:]), (*parts, "")):
        with pytest.raises(SealBrokenError):
            RING.open(RING.seal(value, context=tuple(parts)), context=other)


@given(value=values, context=contexts, data=st.data())
def test_any_flipped_bit_is_refused(value: bytes, context: tuple[str, ...], data: st.DataObject) -> None:
    sealed = bytearray(RING.seal(value, context=context))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    in_key_id = 1 <= bit // 8 < 9
    with pytest.raises(UnknownMasterKeyError if in_key_id else SealBrokenError):
        RING.open(bytes(sealed), context=context)


@given(value=values, context=contexts, data=st.data())
def test_cut_or_lengthened_it_is_refused(value: bytes, context: tuple[str, ...], data: st.DataObject) -> None:
    sealed = RING.seal(value, context=context)
    cut = sealed[: data.draw(st.integers(0, len(sealed) - 1))]
    longer = sealed + data.draw(st.binary(min_size=1, max_size=20))
    for changed in (cut, longer):
        with pytest.raises(SealBrokenError):
            RING.open(changed, context=context)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_an_error_of_ours(data: bytes) -> None:
    with pytest.raises((SealBrokenError, UnknownMasterKeyError)):
        RING.open(data, context=("table", "column", "row"))


@given(value=values, context=contexts)
def test_another_ring_does_not_open_it(value: bytes, context: tuple[str, ...]) -> None:
    sealed = RING.seal(value, context=context)
    with pytest.raises(UnknownMasterKeyError):
        OTHER.open(sealed, context=context)
    # Nor does another key under the same id.
    impostor = KeyRing({RING.active: bytes(32)}, RING.active)
    with pytest.raises(SealBrokenError):
        impostor.open(sealed, context=context)


@given(value=values, context=contexts)
def test_a_value_relabelled_with_another_known_key_does_not_open(
    value: bytes, context: tuple[str, ...]
) -> None:
    both = KeyRing({"00" * 8: bytes(32), "11" * 8: bytes([1]) * 32}, "00" * 8)
    sealed = both.seal(value, context=context)
    with pytest.raises(SealBrokenError):
        both.open(sealed[:1] + bytes.fromhex("11" * 8) + sealed[9:], context=context)


@given(value=values, context=contexts)
def test_written_and_read_back_the_ring_opens_the_same(value: bytes, context: tuple[str, ...]) -> None:
    again = KeyRing.parse(RING.dump(), source="test")
    assert again.open(RING.seal(value, context=context), context=context) == value
    assert RING.open(again.seal(value, context=context), context=context) == value


@given(one=st.text(max_size=20), other=st.text(max_size=20))
def test_each_purpose_has_its_own_key(one: str, other: str) -> None:
    assert (RING.derive(one) == RING.derive(other)) == (one == other)
