"""Read the operator's settings: `sealstead.toml`, then `SEALSTEAD_*`, which wins.

A name we do not know is refused with the nearest one we do: a setting that is silently ignored is a trap, above all
one about who may do what. A message never repeats the value of a secret setting.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import Field
from datetime import date, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sealstead.durations import parse_duration
from sealstead.errors import InputError, SealsteadError
from sealstead.secret import Secret
from sealstead.server.config import MAX_WORKERS, PREFIX, Config, declared
from sealstead.server.forwarded import Network
from sealstead.server.keyring import MASTER_KEYS_ENV, load_ring

SETTINGS_FILE = "sealstead.toml"

BARE_ENV = frozenset({PREFIX + "DATA_DIR", PREFIX + "DEBUG", PREFIX + "TOKEN", MASTER_KEYS_ENV})
"""Names in the environment that are no settings of the file: where the file is, details of a crash, a client's token
in the environment of a pipeline, the keys."""

_MAX_PORT = 65_535
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

T = TypeVar("T")


class InvalidSettingError(InputError):
    """A value does not fit its setting, or the settings file is no TOML."""

    code = "invalid-setting"


class UnknownSettingError(InputError):
    """No setting has this name."""

    code = "unknown-setting"


def load_config() -> Config:
    """Return the settings of the data directory named by SEALSTEAD_DATA_DIR."""
    return read_config(Path(os.environ[PREFIX + "DATA_DIR"]), os.environ)


def read_config(data_dir: Path, environ: Mapping[str, str]) -> Config:
    """Return the settings that hold for `data_dir`.

    Raises:
        InvalidSettingError: the file is no TOML, or a value does not fit its setting.
        UnknownSettingError: a name that is no setting.
        KeyUnavailableError: the key ring is missing or cannot be read.
    """
    values = read_settings(data_dir, environ)
    return Config(
        data_dir=data_dir, ring=load_ring(data_dir, values.get("master_key_file"), environ), **values
    )


def read_settings(data_dir: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that file and environment give, checked, without defaults and without the key ring."""
    table = {f.name: f for f in declared()}
    values: dict[str, Any] = {}
    path = data_dir / SETTINGS_FILE
    text, document = _document(path)
    for name, value in document.items():
        where = f"{path}, line {_line_of(name, text)}"
        setting = _lookup(name, table, where=where)
        values[name] = _checked(setting, value, where=where, from_text=False)
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in BARE_ENV:
            continue
        setting = _lookup(variable.removeprefix(PREFIX).lower(), table, where=variable, shown=variable)
        values[setting.name] = _checked(setting, value, where=variable, from_text=True)
    _check_together(values)
    return values


def _document(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return "", {}
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidSettingError(f"{path}: cannot be read: {exc}") from exc
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        place = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(exc))
        reason = str(exc).partition(" (at")[0]
        raise InvalidSettingError(
            f"{path}{', ' + place[1] if place else ''}: not TOML: {reason[:1].lower()}{reason[1:]}",
            hint='write one setting a line, for example public_url = "https://packages.example.org"',
        ) from exc


def _line_of(name: str, text: str) -> str:
    pattern = re.compile(rf"""^\s*(?:\[\s*)?["']?{re.escape(name)}["']?\s*[=.\]]""")
    return next((str(n) for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), "?")


def _lookup(
    name: str, table: Mapping[str, Field[Any]], *, where: str, shown: str | None = None
) -> Field[Any]:
    if name in table:
        return table[name]
    near = nearest(name, table)
    if near and shown:
        near = PREFIX + near.upper()
    raise UnknownSettingError(
        f"{where}: no setting is called {shown or name}",
        hint=f"did you mean {near}?" if near else "docs/reference/settings.md lists every setting",
    )


def nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def _checked(setting: Field[Any], value: object, *, where: str, from_text: bool) -> object:
    try:
        return convert(setting, value, from_text=from_text)
    except SealsteadError as exc:
        raise InvalidSettingError(f"{where}: {setting.name}: {exc.message}", hint=exc.hint) from exc
    except (ValueError, TypeError) as exc:
        raise InvalidSettingError(f"{where}: {setting.name}: {exc}") from exc


def convert(setting: Field[Any], value: object, *, from_text: bool) -> object:
    """Return `value` as the type of `setting`. Values of the environment are text.

    Raises:
        ValueError, SealsteadError: it does not fit; the message names what is expected.
    """
    kind = str(setting.type)
    if kind.endswith(" | None") and value == "":
        return None
    match kind.removesuffix(" | None"):
        case "bool":
            return _bool(value, from_text=from_text)
        case "int":
            return _int(setting.name, value, from_text=from_text)
        case "timedelta":
            longest = setting.metadata.get("longest")
            limits = {"longest": timedelta(days=int(longest))} if longest else {}
            return parse_duration(
                str(value if isinstance(value, int) else _plain(value, str, "a duration such as 7d")),
                **limits,
            )
        case "Path":
            path = Path(_plain(value, str, "a path")).expanduser()
            if not path.is_absolute():
                raise ValueError("the path is not absolute")
            return path
        case "Secret[str]":
            return Secret(_plain(value, str, "text in quotes"))
        case "tuple[str, ...]":
            return tuple(_chosen(setting, item) for item in _items(value, from_text=from_text))
        case "tuple[Network, ...]":
            return tuple(_network(item) for item in _items(value, from_text=from_text))
        case _:
            return _text(setting, value)


def _plain(value: object, kind: type[T], expected: str) -> T:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(f"expected {expected}")
    return value


def _bool(value: object, *, from_text: bool) -> bool:
    if from_text:
        value = _WORDS.get(str(value).lower())
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    return value


def _int(name: str, value: object, *, from_text: bool) -> int:
    if from_text and re.fullmatch(r"[0-9]{1,18}", str(value), re.ASCII):
        value = int(str(value))
    number = _plain(value, int, "a whole number")
    most = MAX_WORKERS if name == "workers" else _MAX_PORT if name.endswith("port") else 2**60
    least = 0 if name == "port" else 1
    if not least <= number <= most:
        raise ValueError(f"expected a number from {least} to {most}")
    return number


def _items(value: object, *, from_text: bool) -> list[str]:
    if from_text:
        return [item.strip() for item in str(value).split(",") if item.strip()]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('expected a list of texts such as ["one", "two"]')
    return list(value)


def _network(item: str) -> Network:
    try:
        return ip_network(item, strict=False)
    except ValueError:
        raise ValueError(f"{item[:60]!r} is no address and no network such as 10.0.0.0/8") from None


def _text(setting: Field[Any], value: object) -> str:
    if isinstance(value, date) and setting.name == "security_expires":
        return value.isoformat()
    text = _chosen(setting, _plain(value, str, "text in quotes"))
    if setting.name == "public_url" and text:
        _check_public_url(text)
    if setting.name == "security_expires" and text:
        date.fromisoformat(text[:10])
    return text


def _chosen(setting: Field[Any], text: str) -> str:
    choices = setting.metadata.get("choices", "").split()
    if choices and text not in choices:
        near = nearest(text, choices)
        raise InvalidSettingError(
            f"{text[:60]!r} is not one of {', '.join(choices)}",
            hint=f"did you mean {near}?" if near else None,
        )
    return text


def _check_public_url(text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise InvalidSettingError(
            f"{text[:80]!r} is not an address of a server", hint="write https://packages.example.org"
        )
    if parts.username or parts.path.strip("/"):
        raise InvalidSettingError(
            "expected scheme, host and port alone", hint="Sealstead answers at the root of its host"
        )


def _check_together(values: Mapping[str, Any]) -> None:
    if bool(values.get("tls_cert")) != bool(values.get("tls_key")):
        raise InvalidSettingError("tls_cert and tls_key belong together: one of them is missing")
    if values.get("tls_cert") and values.get("tls_self_signed"):
        raise InvalidSettingError(
            "tls_self_signed and tls_cert exclude each other", hint="remove one of the two"
        )
