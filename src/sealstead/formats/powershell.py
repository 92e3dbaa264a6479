"""Signed PowerShell texts: what is hashed, and the block of comments that carries the signature.

Oracles: Windows hashes a script as UTF-16LE, byte order mark included, up to the line end before the block; files
without a mark are UTF-8 where they can be, and else of the "ANSI" code page 1252.

Rules:
  * nothing but blanks may follow the block, and nothing but signature may stand in it: it would run unsigned;
  * a text is decoded without replacing anything: two different files must never hash the same.
"""

from __future__ import annotations

import base64
import binascii
from typing import Literal

from sealstead.errors import InputError, ParseError
from sealstead.formats.digests import ALGORITHMS
from sealstead.record import Record

Encoding = Literal["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"]

MAX_BYTES = 64 << 20
"""A script is held in memory; no real one comes near."""

_STYLES = {
    ".ps1": ("# ", ""),
    ".psm1": ("# ", ""),
    ".psd1": ("# ", ""),
    ".ps1xml": ("<!-- ", " -->"),
    ".cdxml": ("<!-- ", " -->"),
}
SUFFIXES = frozenset(_STYLES)

_BEGIN, _END = "SIG # Begin signature block", "SIG # End signature block"
_LINE = 64
_BOMS: tuple[tuple[bytes, Encoding], ...] = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Bytes that code page 1252 leaves undefined; Windows reads them as the control characters of the same number.
_CP1252 = (
    bytes(range(256))
    .decode("cp1252", "surrogateescape")
    .translate({0xDC00 + byte: byte for byte in range(0x80, 0xA0)})
)
_FROM_BYTE = dict(enumerate(_CP1252))


class NotPowerShellError(InputError):
    """A suffix by which PowerShell knows no signed file."""

    code = "not-powershell"


class ScriptEncodingError(ParseError):
    """A text in an encoding that says one thing and is another."""

    code = "bad-script-encoding"


class MalformedScriptSignatureError(ParseError):
    """A block of signature that is none, or not all of it."""

    code = "malformed-script-signature"


class UnsignedScriptTailError(ParseError):
    """Lines after the signature: PowerShell would not know them signed."""

    code = "data-after-script-signature"


class Script(Record, hidden=("text", "signature")):
    """A text and its signature; `text` is what is hashed, byte order mark included."""

    suffix: str
    encoding: Encoding
    text: bytes
    """As it stands in the file."""
    signature: bytes | None
    """A ContentInfo."""


def parse_script(data: bytes, suffix: str) -> Script:
    """Return the parts of a script; `suffix` (".ps1" in any case) says which comments it has.

    Raises:
        NotPowerShellError: a suffix of something else.
        ScriptEncodingError: empty, too large, or not what its byte order mark says.
        MalformedScriptSignatureError, UnsignedScriptTailError: what should be a signature is none, or is not the end.
    """
    style = _style(suffix)
    encoding = _encoding(data)
    begin, *_ = _marks(style, encoding)
    at = _find_line(data, begin, encoding)
    if at is None:
        return Script(suffix=suffix.lower(), encoding=encoding, text=data, signature=None)
    newline, carriage = (_bytes(char, encoding) for char in "\n\r")
    end = at - len(newline)
    if end < 0:
        raise MalformedScriptSignatureError(
            "the file begins with a signature: there is nothing that it is of"
        )
    # The line end before the block belongs to it: CR LF, or LF alone where line ends were changed since.
    if data.endswith(carriage, 0, end) and _ends_with_crlf(data, at, begin, encoding):
        end -= len(carriage)
    if end <= (len(_bom(encoding))):
        raise MalformedScriptSignatureError(
            "the file begins with a signature: there is nothing that it is of"
        )
    signature = _read_block(_decode(data[at:], encoding), style)
    return Script(suffix=suffix.lower(), encoding=encoding, text=data[:end], signature=signature)


def hash_script(script: Script, alg: str) -> bytes:
    """Return the digest that is signed."""
    return ALGORITHMS[alg].digest(digest_input(script))


def digest_input(script: Script) -> bytes:
    """Return the bytes that are hashed: the text as UTF-16LE, with its byte order mark if it has one."""
    if script.encoding == "utf-16-le":
        return script.text
    return _decode(script.text, script.encoding).encode("utf-16-le", "surrogatepass")


def with_signature(script: Script, signature: bytes) -> bytes:
    """Return the file with this signature (a ContentInfo) instead of any it had."""
    start, stop = _style(script.suffix)
    text = base64.b64encode(signature).decode()
    lines = [_BEGIN, *(text[at : at + _LINE] for at in range(0, len(text), _LINE)), _END]
    # Windows writes CR LF here whatever the rest of the file has, and reads nothing else at the end.
    block = "\r\n" + "".join(f"{start}{line}{stop}\r\n" for line in lines)
    return script.text + _bytes(block, script.encoding)


def _style(suffix: str) -> tuple[str, str]:
    if (style := _STYLES.get(suffix.lower())) is None:
        raise NotPowerShellError(
            f"{suffix[:20]!r} is no suffix of a PowerShell file that carries a signature"
        )
    return style


def _encoding(data: bytes) -> Encoding:
    if not data:
        raise ScriptEncodingError("the file is empty: there is nothing to sign")
    if len(data) > MAX_BYTES:
        raise ScriptEncodingError(f"a script of more than {MAX_BYTES >> 20} MB")
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            if encoding == "utf-8-sig":
                _decode(data, encoding)
            elif len(data) % 2:
                raise ScriptEncodingError(
                    "the file says that it is UTF-16, and ends in the middle of a character"
                )
            return encoding
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _bom(encoding: Encoding) -> bytes:
    return next((mark for mark, name in _BOMS if name == encoding), b"")


def _decode(data: bytes, encoding: Encoding) -> str:
    """Return the text, a byte order mark as the character that it is."""
    if encoding == "cp1252":
        return data.decode("latin-1").translate(_FROM_BYTE)
    try:
        if encoding.startswith("utf-16"):
            return data.decode(encoding, "surrogatepass")
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ScriptEncodingError(f"the file says that it is {encoding}, and is not") from exc


def _bytes(text: str, encoding: Encoding) -> bytes:
    """Return ASCII text as it stands in a file of this encoding."""
    return text.encode(encoding) if encoding.startswith("utf-16") else text.encode("ascii")


def _marks(style: tuple[str, str], encoding: Encoding) -> tuple[bytes, bytes]:
    start, stop = style
    return _bytes(f"{start}{_BEGIN}{stop}", encoding), _bytes(f"{start}{_END}{stop}", encoding)


def _find_line(data: bytes, mark: bytes, encoding: Encoding) -> int | None:
    """Return where the first line starts that begins with `mark`."""
    newline = _bytes("\n", encoding)
    width = len(newline)
    first = len(_bom(encoding))
    at = data.find(mark)
    while at >= 0:
        if at == first or (at % width == 0 and data.endswith(newline, 0, at)):
            return at
        at = data.find(mark, at + 1)
    return None


def _ends_with_crlf(data: bytes, at: int, mark: bytes, encoding: Encoding) -> bool:
    return data.startswith(_bytes("\r\n", encoding), at + len(mark))


def _read_block(block: str, style: tuple[str, str]) -> bytes:
    start, stop = style
    lines = block.replace("\r\n", "\n").split("\n")
    if lines[0] != f"{start}{_BEGIN}{stop}":
        raise MalformedScriptSignatureError("the line that begins the signature has more in it")
    text = []
    for number, line in enumerate(lines[1:], 1):
        if line == f"{start}{_END}{stop}":
            if any(rest.strip(" \t\r\n") for rest in lines[number + 1 :]):
                raise UnsignedScriptTailError("lines follow the signature, which it does not cover")
            break
        if not (line.startswith(start) and line.endswith(stop)) or len(line) < len(start) + len(stop):
            raise MalformedScriptSignatureError(
                "in the block of the signature stands a line that is none of it"
            )
        text.append(line[len(start) : len(line) - len(stop) if stop else None])
    else:
        raise MalformedScriptSignatureError("the block of the signature has no end")
    joined = "".join(text)
    try:
        signature = base64.b64decode(joined, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise MalformedScriptSignatureError("the block of the signature is not base64") from exc
    if base64.b64encode(signature).decode() != joined:
        # Python lets surplus padding and stray bits pass; nobody's writer makes them.
        raise MalformedScriptSignatureError("the block of the signature is not base64 as it is written")
    return signature
