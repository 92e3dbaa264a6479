"""The settings file of the signing commands, `~/.signotaur/config.json`: read, changed, never tidied.

Keys are spelled as the commands that this replaces spell them, so that a file of theirs goes on to work; keys that we
do not know survive every change. Higher wins: command line, environment (only `SIGNOTAUR_SERVER`), this file.

No secret belongs here. `apiKey` is honoured where a person has written it by hand, with a warning; no command of ours
writes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sealstead.custody import files
from sealstead.errors import ConflictError, InputError, NotFoundError, ParseError

DIRECTORY = ".signotaur"
FILE = "config.json"
_MAX_BYTES = 1 << 20


class ConfigDamagedError(ParseError):
    """The settings file of the signing commands is no JSON object, or holds a value of another kind."""

    code = "config-damaged"


class UnknownConfigKeyError(InputError):
    """The settings file knows no key of that name."""

    code = "unknown-config-key"


class ConfigValueError(InputError):
    """A value that this key of the settings file cannot have."""

    code = "config-value"


class SecretInConfigError(InputError):
    """An API key was to be written into the settings file."""

    code = "secret-in-config"


class ConfigKeyNotSetError(NotFoundError):
    """The settings file holds no value for this key."""

    code = "config-key-not-set"


class ConfigWriteError(ConflictError):
    """The settings file cannot be written."""

    code = "config-write"


def _text(text: str) -> str:
    if not text.strip() or any(ord(c) < 32 for c in text):  # noqa: PLR2004 - control characters
        raise ValueError("one line of text")
    return text


def _url(text: str) -> str:
    if not text.lower().startswith(("https://", "http://")):
        raise ValueError("an address such as https://sign.example.org")
    return _text(text)


def _server(text: str) -> str:
    from sealstead.net.server_address import check_address  # only who sets it needs it

    check_address(_url(text))
    return text


def _flag(text: str) -> bool:
    try:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
    except KeyError:
        raise ValueError("true or false") from None


def _one_of(*choices: str) -> Callable[[str], str]:
    def chosen(text: str) -> str:
        for choice in choices:
            if choice.lower() == text.lower():
                return choice
        raise ValueError(" or ".join(choices))

    return chosen


class Key(NamedTuple):
    parse: Callable[[str], str | bool]
    meaning: str


THEMES = ("General", "Dark", "Light", "None")
KEYS: Mapping[str, Key] = {
    "signServer": Key(_server, "address of the signing server"),
    "apiKeyFile": Key(_text, "file that holds the API key"),
    "apiKeyName": Key(_text, "name of the variable that holds the API key"),
    "label": Key(_text, "sign with the certificate of this label"),
    "thumbprint": Key(_text, "sign with the certificate of this thumbprint"),
    "subject": Key(_text, "sign with the certificate of this subject"),
    "fileDigest": Key(_one_of("SHA256", "SHA384", "SHA512"), "hash algorithm of signatures"),
    "timestampServer": Key(_url, "address of the time-stamp authority"),
    "timestampDigest": Key(_one_of("SHA256", "SHA384", "SHA512"), "hash algorithm of time-stamps"),
    "allowUntrusted": Key(_flag, "accept a server whose certificate nobody vouches for"),
    "encoding": Key(_text, "UTF8, UTF16, OEMCodePage or CodePage<number>"),
    "theme": Key(_one_of(*THEMES), "colours of messages"),
    "noColor": Key(_flag, "no colours"),
}
"""Every key that the commands look at, but `apiKey`."""

SECRET_KEYS = ("apikey", "api_key", "api-key")


def canonical_key(name: str) -> str:
    """Return the spelling of a key; case does not matter.

    Raises:
        SecretInConfigError: it is the one that would hold a secret.
        UnknownConfigKeyError: there is none of that name.
    """
    if name.lower() in SECRET_KEYS:
        raise SecretInConfigError(
            "an API key does not belong into the settings file",
            hint="store it with `auth set-key --from-stdin --write-key-file FILE`, then `config set apiKeyFile FILE`",
        )
    for key in KEYS:
        if key.lower() == name.lower():
            return key
    import difflib

    near = difflib.get_close_matches(name, KEYS, n=1)
    raise UnknownConfigKeyError(
        f"no setting is called {name}",
        hint=f"did you mean {near[0]}?" if near else "`config list --all` names them",
    )


def parse_value(key: str, text: str) -> str | bool:
    """Return the value of a key that `text` writes.

    Raises:
        ConfigValueError: not a value of this key.
        ServerAddressError: the API key would travel unprotected.
    """
    try:
        return KEYS[key].parse(text)
    except ValueError as exc:
        raise ConfigValueError(f"{text!r} is no value of {key}", hint=f"give {exc}") from None


class ClientConfig:
    """What the file says; nothing where there is none."""

    def __init__(self, path: Path, values: dict[str, Any] | None = None) -> None:
        self.path = path
        self.values: dict[str, Any] = values or {}

    def text(self, key: str) -> str | None:
        """Return the text of a key.

        Raises:
            ConfigDamagedError: there is a value, and it is no text.
        """
        value = self.values.get(key)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if not isinstance(value, str) or "\0" in value:
            raise ConfigDamagedError(f"{key} in {self.path} is no text", hint=f"see `config get {key}`")
        return value

    def flag(self, key: str) -> bool:
        """Return whether a key is set to true.

        Raises:
            ConfigDamagedError: there is a value, and it is neither true nor false.
        """
        value = self.values.get(key)
        if isinstance(value, str):
            try:
                return _flag(value)
            except ValueError:
                value = None if not value.strip() else 0
        if value is None:
            return False
        if not isinstance(value, bool):
            raise ConfigDamagedError(f"{key} in {self.path} is neither true nor false")
        return value

    def save(self) -> None:
        """Write the file, whole, readable by its owner; its directory is made if need be.

        Raises:
            ConfigWriteError, UnsafeFileError: it cannot be written.
        """
        import json

        try:
            content = json.dumps(self.values, indent=2, ensure_ascii=False).encode() + b"\n"
        except UnicodeEncodeError:  # half a character, which only an escape can write
            content = json.dumps(self.values, indent=2).encode() + b"\n"
        try:
            files.make_private_directory(self.path.parent)
            files.write_private(self.path, content, replace=True)
        except OSError as exc:
            raise ConfigWriteError(f"{self.path} cannot be written: {exc.strerror or exc}") from exc


def default_config_path(home: Path | None = None) -> Path:
    return (home or Path.home()) / DIRECTORY / FILE


def load_config(path: Path) -> ClientConfig:
    """Return what is in the file.

    Raises:
        ConfigDamagedError: it is no JSON object; says in which line.
        UnreadableFileError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return ClientConfig(path)
    except OSError as exc:
        raise files.UnreadableFileError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    if len(data) > _MAX_BYTES:
        raise ConfigDamagedError(f"{path} is no settings file: it is larger than 1 MiB")
    if not data.strip():
        return ClientConfig(path)
    import json  # where there is no file, nobody waits for it

    try:
        values = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as exc:
        raise ConfigDamagedError(
            f"{path}, line {exc.lineno}, column {exc.colno}: {exc.msg[:1].lower()}{exc.msg[1:]}",
            hint="correct it, or move it away",
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise ConfigDamagedError(f"{path} is no JSON text", hint="correct it, or move it away") from exc
    if not isinstance(values, dict):
        raise ConfigDamagedError(f"{path} holds no JSON object", hint="correct it, or move it away")
    return ClientConfig(path, values)


def setting_from_environment(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return a variable of the environment; an empty one counts as none."""
    return environ.get(name, "").strip() or None
