from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealstead.errors import ParseError
from sealstead.formats.dns_message import (
    BadNameError,
    MalformedAnswerError,
    make_question,
    parse_answer,
)

NAME = b"\x03ada\x07example\x00"
QUESTION = NAME + b"\x00\x10\x00\x01"


def record(owner: bytes, kind: int, data: bytes) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, 300, len(data)) + data


def message(*records: bytes, number: int = 7, flags: int = 0x8180, question: bytes = QUESTION) -> bytes:
    return struct.pack(">HHHHHH", number, flags, 1, len(records), 0, 0) + question + b"".join(records)


def test_a_question() -> None:
    data = make_question("ada.example", message_id=7)
    assert data.startswith(b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01" + QUESTION)
    assert make_question("ada.example.", message_id=7) == data


def test_an_answer_with_strings_a_pointer_and_an_alias() -> None:
    data = message(
        record(b"\xc0\x0c", 5, b"\x05other\xc0\x10"),
        record(b"\x05other\xc0\x10", 16, b"\x05hello\x06 world"),
        record(b"\x04evil\xc0\x10", 16, b"\x04evil"),
    )
    assert parse_answer(data, name="ADA.example", message_id=7) == (0, False, ("hello world",))


def test_codes_and_truncation() -> None:
    assert parse_answer(message(flags=0x8183), name="ada.example", message_id=7).rcode == 3
    assert parse_answer(message(flags=0x8380), name="ada.example", message_id=7).truncated


@pytest.mark.parametrize(
    "data",
    [
        b"",
        message()[:-1],
        message(number=8),
        message(flags=0x0180),
        message(question=b"\x04evil\x07example\x00\x00\x10\x00\x01"),
        message(question=NAME + b"\x00\x01\x00\x01"),
        message(b"\xc0\x1d"),  # a pointer to itself
        message(record(b"\xc0\x0c", 16, b"\x09short")),
        message(record(b"\xc0\x0c", 16, b"\x05hello"))[:-2],
        struct.pack(">HHHHHH", 7, 0x8180, 1, 65535, 0, 0) + QUESTION,
    ],
)
def test_what_is_no_answer_to_our_question(data: bytes) -> None:
    with pytest.raises(MalformedAnswerError):
        parse_answer(data, name="ada.example", message_id=7)


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64 + ".example", ".".join(["abc"] * 80)])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(BadNameError):
        make_question(name, message_id=1)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(tail: bytes) -> None:
    for data in (tail, message() + tail, struct.pack(">HHHHHH", 7, 0x8180, 1, 3, 0, 0) + QUESTION + tail):
        with contextlib.suppress(ParseError):
            parse_answer(data, name="ada.example", message_id=7)
