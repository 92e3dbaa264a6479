"""Messages of the domain name system (RFC 1035), as far as asking for TXT records needs them.

No other type, no authority, no cache: a question goes to a resolver that does the work.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from sealstead.errors import InputError, ParseError

TXT = 16
_CNAME = 5
_OPT = 41
_IN = 1
_HEADER = struct.Struct(">HHHHHH")
_RECORD = struct.Struct(">HHIH")
_RESPONSE, _TRUNCATED, _RECURSE, _RCODE = 0x8000, 0x0200, 0x0100, 0x000F
_POINTER, _POINTER_BITS = 0xC0, 0x3FFF
_LONGEST_LABEL, _LONGEST_NAME = 63, 253
_MOST_CNAMES = 8

MAX_UDP_BYTES = 1232
"""What passes everywhere in one piece (the value of the DNS flag day 2020)."""

NO_ERROR, NO_SUCH_NAME, REFUSED = 0, 3, 5


class BadNameError(InputError):
    """Not a name of the domain name system."""

    code = "bad-domain"


class MalformedAnswerError(ParseError):
    """Not an answer of the domain name system, or not to our question."""

    code = "malformed-dns-answer"


class Answer(NamedTuple):
    rcode: int
    truncated: bool
    texts: tuple[str, ...]
    """Each record's strings, joined (RFC 7208, section 3.3, says so for SPF; everybody does)."""


def make_question(name: str, *, message_id: int) -> bytes:
    """Return the message that asks for the TXT records of `name`. `message_id` should be unforeseeable.

    Raises:
        BadNameError: no such name can exist.
    """
    header = _HEADER.pack(message_id, _RECURSE, 1, 0, 0, 1)
    # An OPT record says how long an answer may be (RFC 6891, section 6.1.2).
    opt = b"\0" + struct.pack(">HHIH", _OPT, MAX_UDP_BYTES, 0, 0)
    return header + _encoded(name) + struct.pack(">HH", TXT, _IN) + opt


def parse_answer(data: bytes, *, name: str, message_id: int) -> Answer:
    """Return what `data` answers to the question for `name`.

    Raises:
        MalformedAnswerError: not an answer, or to another question: whoever guesses must guess all of it.
    """
    try:
        return _parse(data, _encoded(name).lower(), message_id)
    except (struct.error, IndexError) as exc:
        raise MalformedAnswerError("the answer of the name server is cut off") from exc


def _parse(data: bytes, wanted: bytes, message_id: int) -> Answer:
    number, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if number != message_id or not flags & _RESPONSE or questions != 1:
        raise MalformedAnswerError("the answer of the name server is to another question")
    asked, at = _name(data, _HEADER.size)
    kind, dns_class = struct.unpack_from(">HH", data, at)
    if (asked, kind, dns_class) != (wanted, TXT, _IN):
        raise MalformedAnswerError("the answer of the name server is to another question")
    at += 4
    texts: list[tuple[bytes, str]] = []
    aliases: dict[bytes, bytes] = {}
    for _ in range(answers):
        owner, at = _name(data, at)
        kind, dns_class, _, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        content = data[at : at + length]
        if len(content) != length:
            raise MalformedAnswerError("the answer of the name server is cut off")
        if dns_class == _IN and kind == _CNAME:
            aliases[owner] = _name(data, at)[0]
        elif dns_class == _IN and kind == TXT:
            texts.append((owner, _strings(content)))
        at += length
    for _ in range(_MOST_CNAMES):
        wanted = aliases.get(wanted, wanted)
    return Answer(
        flags & _RCODE, bool(flags & _TRUNCATED), tuple(text for owner, text in texts if owner == wanted)
    )


def _encoded(name: str) -> bytes:
    try:
        ascii_name = (name if name.isascii() else name.encode("idna").decode()).removesuffix(".")
    except UnicodeError as exc:
        raise BadNameError(f"{name[:80]!r} is not a domain name") from exc
    labels = ascii_name.encode().split(b".")
    if len(ascii_name) > _LONGEST_NAME or not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        raise BadNameError(f"{name[:80]!r} is not a domain name")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _name(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the name at `at` in lower case, in its form without pointers, and what comes after it."""
    parts: list[bytes] = []
    after = -1
    lowest = at
    while True:
        length = data[at]
        if length & _POINTER == _POINTER:
            if after < 0:
                after = at + 2
            at = struct.unpack_from(">H", data, at)[0] & _POINTER_BITS
            # Pointers lead backwards only: so this ends.
            if at >= lowest:
                raise MalformedAnswerError("a name in the answer of the name server refers to itself")
            lowest = at
            continue
        if length > _LONGEST_LABEL or sum(map(len, parts)) > _LONGEST_NAME + 1:
            raise MalformedAnswerError("a name in the answer of the name server is none")
        label = data[at : at + 1 + length]
        at += 1 + length
        parts.append(label.lower())
        if not length:
            return b"".join(parts), after if after >= 0 else at


def _strings(content: bytes) -> str:
    parts: list[bytes] = []
    at = 0
    while at < len(content):
        length = content[at]
        part = content[at + 1 : at + 1 + length]
        if len(part) != length:
            raise MalformedAnswerError("the answer of the name server is cut off")
        parts.append(part)
        at += 1 + length
    return b"".join(parts).decode("utf-8", "replace")
