"""`auth set-key`: bring an API key from where a person or a pipeline has it to where commands look for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sealstead.codesign.key_sources import NoApiKeyError
from sealstead.codesign.key_targets import KeyTarget, locked_targets, sweep
from sealstead.errors import InputError, ParseError
from sealstead.formats.api_key_text import ApiKeyChecksumError, ApiKeyShapeError, parse_api_key
from sealstead.formats.credential_file import MAX_BYTES, parse_credential, serialize_plain
from sealstead.secret import Secret


class KeyInputError(InputError):
    """What was given to be stored is not one line."""

    code = "key-input"


class DamagedKeyError(InputError):
    """What was given to be stored begins like one of our keys, and its checksum does not match."""

    code = "damaged-api-key"


class GivenKey(NamedTuple):
    text: Secret[str]
    foreign: bool
    """It is not shaped like a key of ours."""


class Stored(NamedTuple):
    written: bool
    """False: a key was there already, and was to be kept."""
    warning: str | None


def key_from_bytes(data: bytes, *, where: str) -> GivenKey:
    """Return the key in what was piped in, without byte-order mark, line ends, surrounding blanks.

    Raises:
        KeyInputError: nothing, several lines, or no text.
        DamagedKeyError: a key of ours, cut off or mistyped.
    """
    if len(data) > MAX_BYTES:
        raise KeyInputError(f"{where} holds more than a key: {MAX_BYTES // 1024} KiB and above")
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        raise KeyInputError(f"{where} holds no text") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise KeyInputError(f"{where} holds no key: it is empty")
    if len(lines) > 1:
        raise KeyInputError(f"{where} holds {len(lines)} lines, and a key is one")
    return key_from_text(lines[0], where=where)


def key_from_environment(name: str, environ: Mapping[str, str] = os.environ) -> GivenKey:
    """Return the key in a variable.

    Raises:
        NoApiKeyError: it is not set, or empty.
        KeyInputError, DamagedKeyError: as `key_from_bytes`.
    """
    text = environ.get(name, "")
    if not text.strip():
        raise NoApiKeyError(f"the variable {name} is not set, or empty")
    return key_from_bytes(text.encode("utf-8", "surrogatepass"), where=name)


def key_from_text(text: str, *, where: str) -> GivenKey:
    """As `key_from_bytes`, of a text."""
    text = text.strip()
    if not text or not text.isprintable():
        raise KeyInputError(f"{where} holds no key: it is empty, or has control characters in it")
    # What a shell on Windows leaves of `echo "key"`.
    if text[0] in "\"'" and text[-1] == text[0] and text[1:].startswith("seal_"):
        text = text[1:-1]
    try:
        parse_api_key(text)
    except ApiKeyShapeError:
        _check_reads_back(text, where)
        return GivenKey(Secret(text), foreign=True)
    except ApiKeyChecksumError as exc:
        raise DamagedKeyError(f"{where}: {exc.message}; nothing is stored", hint=exc.hint) from exc
    return GivenKey(Secret(text), foreign=False)


def _check_reads_back(text: str, where: str) -> None:
    try:
        found = parse_credential(serialize_plain(text)).text
    except ParseError:
        found = ""
    if found != text:
        raise KeyInputError(
            f"{where} holds something that a key file could not tell from a comment or an assignment",
            hint="give the key alone",
        )


def store_key(
    target: KeyTarget,
    read: Callable[[], GivenKey],
    *,
    verify: Callable[[Secret[str]], None] | None,
    if_missing: bool = False,
    force: bool = False,
) -> Stored:
    """Write the key that `read` returns to `target`. Nothing is read or asked if it is not to be replaced.

    Raises:
        KeyFileError: `if_missing`, and what is there is no key.
        What `read`, `verify` and `KeyTarget.check` raise; nothing is written then.
    """
    if if_missing and target.held() is not None:
        return Stored(written=False, warning=None)
    given = read()
    target.check(force=force)
    if verify is not None:
        verify(given.text)
    with locked_targets([target.path]):
        sweep(target.path)
        if if_missing and target.held() is not None:
            return Stored(written=False, warning=None)  # another process was quicker
        target.write(given.text)
    warning = (
        "what was stored is not shaped like an API key of this product (seal_…); the server will tell"
        if given.foreign
        else None
    )
    return Stored(written=True, warning=warning)
