"""Files that hold one API key: the key alone, or a dotenv file with a line `NAME=key` among others.

Read with what editors and shells leave: a byte-order mark, UTF-16 (what a Windows shell writes with `>`), CRLF, blank
lines, comments, `export`, quotes, blanks around. Two different keys are refused: to guess which one counts could
sign with the wrong one. A dotenv file is changed in the one line that is meant; every other byte stays.

The text of a key never stands in a message.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import NamedTuple

from sealstead.errors import InputError, ParseError

MAX_BYTES = 64 * 1024
"""Of a whole file; a dotenv file holds a few dozen lines, and a key not even a hundred characters."""

DEFAULT_NAME = "SIGNOTAUR_API_KEY"

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_IN_QUOTES = re.compile(r"""^(["'])(seal_\w*)\1$""", re.ASCII)  # as `echo "key" > FILE` on Windows
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ASSIGNMENT = re.compile(
    r"[ \t]*(?P<export>export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=(?P<rest>.*)",
    re.ASCII | re.DOTALL,
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_BARE = re.compile(r"[A-Za-z0-9_./+=:@%,~-]+", re.ASCII)


class CredentialFileError(ParseError):
    """The file holds no API key that could be told: not text, empty, damaged, or of another variable."""

    code = "credential-file"


class TwoKeysError(ParseError):
    """The file holds more than one API key."""

    code = "two-keys"


class NotDotenvError(InputError):
    """The file that is to take a variable is no dotenv file."""

    code = "not-a-dotenv-file"


class OtherVariablesError(InputError):
    """The file that is to hold the key alone is a dotenv file with other variables."""

    code = "other-variables"


class VariableNameError(InputError):
    """Not the name of a variable."""

    code = "variable-name"


class FileKind(enum.StrEnum):
    PLAIN = "plain"
    DOTENV = "dotenv"


class Credential(NamedTuple):
    text: str
    """Secret."""
    kind: FileKind


class _Statement(NamedTuple):
    lines: str
    """As in the file, with line ends; several lines when a quoted value goes on."""
    name: str | None
    """None: blank, a comment, or no assignment."""
    value: str
    export: bool
    number: int

    @property
    def blank(self) -> bool:
        text = self.lines.strip()
        return self.name is None and (not text or text.startswith("#"))


def check_name(name: str) -> str:
    """Return the name of a variable.

    Raises:
        VariableNameError: a shell could not set it.
    """
    if not _NAME.fullmatch(name):
        raise VariableNameError(
            f"{name[:60]!r} is no name of a variable", hint="use letters, digits and _, not a digit first"
        )
    return name


def parse_credential(data: bytes, *, name: str = DEFAULT_NAME) -> Credential:
    """Return the key in `data`; in a dotenv file, that of the variable `name`.

    Raises:
        CredentialFileError: there is none.
        TwoKeysError: there are several different ones.
    """
    text, _, _ = _decode(data)
    statements = [one for one in _statements(text) if not one.blank]
    if not statements:
        raise CredentialFileError("it is empty", hint="store a key in it with `auth set-key`")
    ours = [one for one in statements if one.name == name]
    if ours:
        values = {_value(one) for one in ours}
        if len(values) > 1:
            raise TwoKeysError(f"it sets {name} to different values", hint="leave one of them in it")
        return Credential(_checked(values.pop()), FileKind.DOTENV)
    if len(statements) == 1 and _is_plain(statements[0]):
        return Credential(_checked(_IN_QUOTES.sub(r"\2", statements[0].lines.strip())), FileKind.PLAIN)
    if all(one.name is not None and not _is_plain(one) for one in statements):
        others = ", ".join(sorted({one.name for one in statements if one.name})[:5])
        raise CredentialFileError(
            f"it does not set {name}, but {others}",
            hint="say which variable holds the key: --api-key-name NAME",
        )
    texts = {one.lines.strip() for one in statements}
    if len(texts) == 1:
        return Credential(_checked(texts.pop()), FileKind.PLAIN)
    raise TwoKeysError(
        f"it holds {len(statements)} lines, and a key is one", hint="leave the key alone in it, or NAME=key"
    )


def serialize_plain(key: str) -> bytes:
    return f"{key}\n".encode()


def check_replaceable(data: bytes, *, name: str = DEFAULT_NAME) -> None:
    """Say whether the key alone may take the place of `data`.

    Raises:
        OtherVariablesError: other variables would be lost.
    """
    try:
        text, _, _ = _decode(data)
    except CredentialFileError:
        return  # nothing that we know how to keep
    statements = [one for one in _statements(text) if not one.blank]
    others = {one.name for one in statements if one.name not in (None, name) and not _is_plain(one)}
    if others:
        raise OtherVariablesError(
            f"it is a dotenv file and sets {', '.join(sorted(filter(None, others))[:5])} too",
            hint="keep them with --write-env-file, or write the key to another file",
        )


def merge_dotenv(data: bytes | None, name: str, key: str) -> bytes:
    """Return `data` with the variable `name` set to `key`; every other line stays as it is.

    Raises:
        NotDotenvError: it has content, and none of it sets a variable.
        CredentialFileError: it is no text, or its quotes do not match.
    """
    text, encoding, bom = _decode(data or b"", empty=True)
    statements = list(_statements(text))
    content = [one for one in statements if not one.blank]
    if content and all(one.name is None or (one.name != name and _is_plain(one)) for one in content):
        raise NotDotenvError(
            "it is no dotenv file, its content would be lost or misread",
            hint="choose another file, or replace a key file with --write-key-file",
        )
    end = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    lines: list[str] = []
    placed = False
    for one in statements:
        if one.name != name:
            lines.append(one.lines)
        elif not placed:
            lines.append(f"{'export ' if one.export else ''}{name}={_quoted(key)}{end}")
            placed = True
    if not placed:
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += end
        lines.append(f"{name}={_quoted(key)}{end}")
    merged = bom + "".join(lines).encode(encoding)
    if not _reads_back(merged, name, key):
        raise CredentialFileError("quotes in it are not closed, and would swallow the new line")
    return merged


def _reads_back(data: bytes, name: str, key: str) -> bool:
    import hmac  # a third of the time that reading this module takes, for what few commands do

    try:
        return hmac.compare_digest(parse_credential(data, name=name).text.encode(), key.encode())
    except (CredentialFileError, TwoKeysError):
        return False


def _decode(data: bytes, *, empty: bool = False) -> tuple[str, str, bytes]:
    """Return the text, its encoding and its byte-order mark."""
    if len(data) > MAX_BYTES:
        raise CredentialFileError(f"it is larger than {MAX_BYTES // 1024} KiB, which is no file of a key")
    if not data and not empty:
        raise CredentialFileError("it is empty", hint="store a key in it with `auth set-key`")
    bom, encoding = next((pair for pair in _BOMS if data.startswith(pair[0])), (b"", "utf-8"))
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError:
        raise CredentialFileError("it is no text") from None
    if "\x00" in text:
        raise CredentialFileError("it is no text")
    return text, encoding, bom


def _statements(text: str) -> Iterator[_Statement]:
    lines = [line for line in _LINE.findall(text) if line]
    at = 0
    while at < len(lines):
        line = lines[at]
        match = _ASSIGNMENT.fullmatch(line)
        if match is None or line.lstrip().startswith("#"):
            yield _Statement(lines=line, name=None, value="", export=False, number=at + 1)
            at += 1
            continue
        used = _lines_of_value(match["rest"], lines[at + 1 :])
        rest = match["rest"] + "".join(lines[at + 1 : at + used])
        yield _Statement(
            lines="".join(lines[at : at + used]),
            name=match["name"],
            value=rest.strip(),
            export=bool(match["export"]),
            number=at + 1,
        )
        at += used


def _lines_of_value(rest: str, following: list[str]) -> int:
    """Return over how many lines a value goes: more than one only in quotes that are closed further down."""
    text = rest.strip()
    if text[:1] not in ("'", '"') or _closing(text) is not None:
        return 1
    for count, line in enumerate(following, 1):
        text += "\n" + line
        if _closing(text) is not None:
            return count + 1
    return 1


def _closing(text: str) -> int | None:
    """Return where the quote that `text` begins with is closed."""
    at = 1
    while at < len(text):
        if text[at] == "\\" and text[0] == '"':
            at += 2
            continue
        if text[at] == text[0]:
            return at
        at += 1
    return None


def _value(one: _Statement) -> str:
    text = one.value
    if text[:1] in ("'", '"'):
        end = _closing(text)
        after = "" if end is None else text[end + 1 :].strip()
        if end is None or (after and not after.startswith("#")):
            raise CredentialFileError(f"line {one.number}: the quotes of {one.name} do not match")
        inner = text[1:end]
        return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if text[0] == '"' else inner
    if text.startswith("#"):
        return ""
    return re.split(r"[ \t]#", text, maxsplit=1)[0].strip()


def _is_plain(one: _Statement) -> bool:
    """Whether a line is a key rather than an assignment: base64 may end in `=`, and a key never has nothing after it."""
    return one.name is None or (not one.export and one.value in ("", "="))


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise CredentialFileError("it holds an empty key", hint="store a key in it with `auth set-key`")
    if not text.isprintable():
        raise CredentialFileError("it holds a text with control characters, which is no key")
    return text


def _quoted(key: str) -> str:
    if _BARE.fullmatch(key):
        return key
    if "'" not in key:
        return f"'{key}'"
    escaped = re.sub(r'(["\\$`])', r"\\\1", key)
    return f'"{escaped}"'
