"""Where the client finds its API key and its server.

A key, first match wins: command line, key file, environment, settings file (`apiKeyFile`; or `apiKey`, which a person
wrote there by hand). A server: command line, `SIGNOTAUR_SERVER`, settings file.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from pathlib import Path

from sealstead.codesign.config import ClientConfig, setting_from_environment
from sealstead.codesign.paths import chosen_path
from sealstead.custody import files
from sealstead.errors import InputError, KeyUnavailableError, ParseError
from sealstead.formats.credential_file import MAX_BYTES, FileKind, check_name, parse_credential
from sealstead.record import Record
from sealstead.secret import Secret

SERVER_VARIABLE = "SIGNOTAUR_SERVER"


class NoApiKeyError(KeyUnavailableError):
    """No API key was given, and none is stored where it would be looked for."""

    code = "no-api-key"


class TwoApiKeysError(InputError):
    """An API key was given in two ways."""

    code = "two-api-keys"


class NoServerError(InputError):
    """No signing server was named."""

    code = "no-server"


class KeyFileError(KeyUnavailableError):
    """A key file holds no API key that could be used."""

    code = "key-file"


class UnusableKeyError(KeyUnavailableError):
    """A text that cannot be an API key: it could not even be sent."""

    code = "unusable-api-key"


class KeySource(enum.StrEnum):
    ARGUMENT = "argument"
    KEY_FILE = "key-file"
    ENVIRONMENT = "environment"
    CONFIG = "config"


class FoundKey(Record):
    text: Secret[str]
    source: KeySource
    path: Path | None = None
    """The file that it stands in."""
    kind: FileKind | None = None
    warnings: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """For people."""
        match self.source:
            case KeySource.ARGUMENT:
                return "the command line"
            case KeySource.ENVIRONMENT:
                return "the environment"
            case KeySource.CONFIG if self.path is None:
                return "the settings file"
            case _:
                return str(self.path)


def find_key(
    *,
    argument: Secret[str] | None,
    key_file: Path | None,
    name: str,
    config: ClientConfig,
    environ: Mapping[str, str] = os.environ,
    exclusive: bool = False,
) -> FoundKey:
    """Return the key to use. `exclusive`: an argument beside a key file is a mistake, not a choice.

    Raises:
        NoApiKeyError: there is none.
        TwoApiKeysError: both an argument and a key file.
        KeyFileError, MissingFileError, UnsafeFileError, UnreadableFileError: the file that was named.
        UnusableKeyError: what was given can be no key.
    """
    check_name(name)
    if exclusive and argument is not None and key_file is not None:
        raise TwoApiKeysError("--api-key and --api-key-file both name a key", hint="use one of them")
    if argument is not None:
        return FoundKey(text=check_sendable(argument, "--api-key"), source=KeySource.ARGUMENT)
    if key_file is not None:
        return read_key_file(key_file, name=name)
    text = setting_from_environment(name, environ)
    if text is not None:
        return FoundKey(text=check_sendable(Secret(text), name), source=KeySource.ENVIRONMENT)
    named = config.text("apiKeyFile")
    if named is not None:
        path = chosen_path(named, base=config.path.parent)
        return read_key_file(path, name=name, source=KeySource.CONFIG)
    by_hand = config.text("apiKey")
    if by_hand is not None:
        return FoundKey(
            text=check_sendable(Secret(by_hand.strip()), f"apiKey in {config.path}"),
            source=KeySource.CONFIG,
            warnings=(f"{config.path} holds an API key; keep it in a key file and name that as apiKeyFile",),
        )
    raise NoApiKeyError(
        "no API key was given",
        hint=f"store one with `auth set-key --from-stdin --write-key-file FILE`, then give --api-key-file FILE; or set {name}",
    )


def read_key_file(path: Path, *, name: str, source: KeySource = KeySource.KEY_FILE) -> FoundKey:
    """Return the key in a file, plain or dotenv; raises as `find_key`."""
    data, open_to_others = read_bounded(path)
    try:
        credential = parse_credential(data, name=name)
    except ParseError as exc:
        raise KeyFileError(f"{path} holds no usable API key: {exc.message}", hint=exc.hint) from exc
    warnings = (f"{path} is open to other users; run: chmod 600 {path}",) if open_to_others else ()
    return FoundKey(
        text=check_sendable(Secret(credential.text), str(path)),
        source=source,
        path=path,
        kind=credential.kind,
        warnings=warnings,
    )


def read_bounded(path: Path) -> tuple[bytes, bool]:
    """Return what a key file holds, just beyond what one may hold at most, and whether others may open it.

    A symbolic link is followed: orchestrators mount secrets as links, and who can change the link can change the path.
    """
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    try:
        return files.read_secret(path, limit=MAX_BYTES + 1)
    except files.MissingFileError as exc:
        exc.hint = "look at the path, or store a key there: `auth set-key --from-stdin --write-key-file FILE`"
        raise


def check_sendable(text: Secret[str], where: str) -> Secret[str]:
    """Return `text` if it can stand in a request.

    Raises:
        UnusableKeyError: empty, or it holds control characters or letters beyond ASCII.
    """
    value = text.reveal()
    if not value or not value.isascii() or not value.isprintable():
        raise UnusableKeyError(
            f"what {where} gives is no API key: it is empty, or holds letters that no key has",
            hint="copy the key again, from `seal_` to its end",
        )
    return text


def find_server(argument: str | None, config: ClientConfig, environ: Mapping[str, str] = os.environ) -> str:
    """Return the address of the signing server; `check_address` looks at it.

    Raises:
        NoServerError: none was named.
    """
    found = argument or setting_from_environment(SERVER_VARIABLE, environ) or config.text("signServer")
    if not found:
        raise NoServerError(
            "no signing server was named",
            hint=f"give --sign-server URL, set {SERVER_VARIABLE}, or run `config set signServer URL` once",
        )
    return found
