"""DER values (X.690): written in the one way there is, read within bounds."""

from __future__ import annotations

import pytest

from sealstead.formats import der
from sealstead.formats.der import MalformedDerError, Tlv, read_tlv


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (der.integer(0), "020100"),
        (der.integer(127), "02017f"),
        (der.integer(128), "02020080"),
        (der.integer(-1), "0201ff"),
        (der.integer(-129), "0202ff7f"),
        (der.oid("1.2.840.113549.1.7.2"), "06092a864886f70d010702"),
        (der.oid("2.999.3"), "0603883703"),
        (der.seq(der.null(), der.boolean(True)), "300505000101ff"),
        (der.set_of(der.integer(2), der.integer(1)), "3106020101020102"),
        (der.utf8("ä"), "0c02c3a4"),
        (der.bmp("ä"), "1e0200e4"),
        (der.ia5("a"), "160161"),
        (der.tag(3, der.null()), "a3020500"),
        (der.tag(0, b"a", constructed=False), "800161"),
    ],
)
def test_values_are_written_as_the_standard_says(made: bytes, expected: str) -> None:
    assert made.hex() == expected


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 24])
def test_lengths_come_back(length: int) -> None:
    made = der.octets(bytes(length))
    read = read_tlv(made)
    assert (read.tag, read.end - read.header, read.end) == (der.OCTET_STRING, length, len(made))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cut off"),
        (b"\x30", "cut off"),
        (b"\x30\x80\0\0", "indefinite"),
        (b"\x30\x01", "beyond"),
        (b"\x30\x85\0\0\0\0\0", "cannot be"),
        (b"\x30\x84\xff\xff\xff\xff", "beyond"),
        (b"\x30\x82\x01", "cannot be"),
        (b"\x1f\x81\x01\0", "tag"),
    ],
)
def test_what_cannot_be_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(MalformedDerError, match=words):
        read_tlv(data)


def test_a_value_may_not_reach_beyond_its_parent() -> None:
    data = der.seq(b"\x04\x05ab") + b"more"
    with pytest.raises(MalformedDerError, match="beyond"):
        list(der.children(data, read_tlv(data)))


def test_the_number_of_children_is_bounded() -> None:
    data = der.seq(der.null() * (der.MAX_CHILDREN + 1))
    with pytest.raises(MalformedDerError, match="too many"):
        list(der.children(data, read_tlv(data)))


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.2", "2.999.3", "0.9.2342", "1.3.6.1.4.1.311.2.1.4"])
def test_object_identifiers_come_back(dotted: str) -> None:
    data = der.oid(dotted)
    assert der.read_oid(data, read_tlv(data)) == dotted


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x2a\x86", b"\x2a\x80\x01", b"\x01" * 200])
def test_no_object_identifier(content: bytes) -> None:
    data = der.tlv(der.OID, content)
    with pytest.raises(MalformedDerError):
        der.read_oid(data, read_tlv(data))


@pytest.mark.parametrize("value", [0, 1, -1, 255, 256, -256, 1 << 200])
def test_integers_come_back(value: int) -> None:
    data = der.integer(value)
    assert der.read_integer(data, read_tlv(data)) == value


def test_a_whole_value_has_nothing_after_it() -> None:
    with pytest.raises(MalformedDerError):
        der.whole(der.seq() + b"\0", "a thing")
    with pytest.raises(MalformedDerError):
        der.whole(der.set_of(), "a thing")


def test_a_walk_takes_what_the_specification_says_and_nothing_is_left() -> None:
    data = der.seq(der.integer(1), der.null())
    walked = der.walk(data, read_tlv(data), "a thing")
    assert walked.find(der.OID) is None
    assert der.read_integer(data, walked.take(der.INTEGER)) == 1
    with pytest.raises(MalformedDerError, match="a thing"):
        walked.done()
    with pytest.raises(MalformedDerError, match="a thing"):
        walked.take(der.OID)
    walked.take()
    with pytest.raises(MalformedDerError):
        walked.take()


def test_only_one() -> None:
    for content in (b"", der.null() * 2):
        data = der.seq(content)
        with pytest.raises(MalformedDerError):
            der.only(data, read_tlv(data), "a thing")


@pytest.mark.parametrize("grown", [1, 100, 200, 70000])
def test_a_splice_sets_the_lengths_of_all_around_it(grown: int) -> None:
    inner = der.seq(der.integer(7))
    data = b"\x02\x01\x09" + der.seq(der.null(), der.seq(inner, der.null()))
    outer = read_tlv(data, 3)
    middle = list(der.children(data, outer))[1]
    held = next(der.children(data, middle))
    new = der.octets(bytes(grown))
    spliced = der.splice(data, [outer, middle], held.start, held.end, new)
    assert spliced == b"\x02\x01\x09" + der.seq(der.null(), der.seq(new, der.null()))


def test_where_a_value_lies() -> None:
    assert read_tlv(b"xx" + der.octets(b"abc"), 2) == Tlv(der.OCTET_STRING, 2, 4, 7)
    assert Tlv(4, 2, 4, 7).content(b"xx\x04\x03abc") == b"abc"
    assert Tlv(4, 2, 4, 7).raw(b"xx\x04\x03abc") == b"\x04\x03abc"
