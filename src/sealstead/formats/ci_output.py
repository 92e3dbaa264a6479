"""How a build server is told a secret: the platforms' own commands on standard output, with its escapes.

| platform | command | documented at |
|---|---|---|
| github | `::add-mask::`, then `NAME=value` appended to the file in `GITHUB_OUTPUT` or `GITHUB_ENV` | workflow commands |
| azure | `##vso[task.setvariable variable=NAME;issecret=true]value` | logging commands |
| teamcity | `##teamcity[setParameter name='NAME' value='value']` | service messages |
| continua | `@@continua[setServerVariable name='NAME' value='value']`, or `setBuildVariable` | custom log messages |
| gitlab, jenkins | `NAME=value`, to be redirected into a file: neither reads secrets from a log | - |
| custom | a template with `{key}`, `{name}` and `{id}` | - |

What masks a value goes first, and only what the platform reads goes to standard output.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sealstead.errors import InputError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,199}", re.ASCII)
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}", re.ASCII)
_SHELL_NAMES: Final = (("github", "env"), ("gitlab", "variable"))
"""What takes names as a shell does, and drops the others without a word."""
_GITHUB_FILES: Final = {"output": "GITHUB_OUTPUT", "env": "GITHUB_ENV"}
_CONTINUA: Final = {"servervar": "setServerVariable", "buildvar": "setBuildVariable"}
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "github": ("output", "env"),
    "azure": ("variable", "output"),
    "gitlab": ("variable",),
    "teamcity": ("parameter",),
    "jenkins": ("variable",),
    "continua": ("serverVar", "buildVar"),
}
"""What may stand before `=`; the first one is meant where nothing does."""
PLATFORMS: Final = (*_OPTIONS, "custom")
_PLACEHOLDER = re.compile(r"\{(key|name|id)\}")
_ESCAPES: Final = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}


class EmitSecretError(InputError):
    """Not a way in which a build server takes a secret."""

    code = "emit-secret"


class Emitted(NamedTuple):
    """All of it is secret."""

    stdout: str
    """Whole lines."""
    append: str = ""
    """Whole lines for the file that `Emitter.file_variable` names."""


@dataclass(frozen=True, kw_only=True)
class Emitter:
    platform: str
    how: str
    name: str
    template: str = ""

    @property
    def file_variable(self) -> str | None:
        """The variable that names a file which the platform reads; without it nothing could be told."""
        return _GITHUB_FILES[self.how] if self.platform == "github" else None

    @property
    def needs_redirect(self) -> bool:
        """Whether standard output would show the key in a log, for the platform reads nothing from there."""
        return self.platform in ("gitlab", "jenkins")

    def emit(self, key: str, *, key_id: str = "") -> Emitted:
        """Return what is to be written. `key` is one line.

        Raises:
            EmitSecretError: the key has characters that the platform could misread.
        """
        if not key or not key.isprintable():
            raise EmitSecretError("the key is empty or holds control characters, which no build server takes")
        match self.platform:
            case "github":
                mask = key.replace("%", "%25")
                return Emitted(f"::add-mask::{mask}\n", f"{self.name}={key}\n")
            case "azure":
                value = key.replace("%", "%AZP25")
                also = ";isoutput=true" if self.how == "output" else ""
                mask = f"##vso[task.setsecret]{value}\n"
                return Emitted(
                    f"{mask}##vso[task.setvariable variable={self.name};issecret=true{also}]{value}\n"
                )
            case "teamcity":
                value = re.sub(r"[|'\[\]]|[^\x00-\x7f]", _for_teamcity, key)
                return Emitted(f"##teamcity[setParameter name='{self.name}' value='{value}']\n")
            case "continua":
                value = re.sub(r"[\\'\[\]]", lambda found: f"\\{found[0]}", key)
                message = _CONTINUA[self.how.lower()]
                return Emitted(f"@@continua[{message} name='{self.name}' value='{value}']\n")
            case "custom":
                values = {"key": key, "name": self.name, "id": key_id}
                return Emitted(_PLACEHOLDER.sub(lambda found: values[found[1]], self.template) + "\n")
            case _:
                return Emitted(f"{self.name}={key}\n")


def _for_teamcity(found: re.Match[str]) -> str:
    character = found[0]
    if character.isascii():
        return f"|{character}"
    units = character.encode("utf-16-be")
    return "".join(f"|0x{units[at : at + 2].hex().upper()}" for at in range(0, len(units), 2))


def parse_emitter(text: str, *, default_name: str) -> Emitter:
    """Return what `PLATFORM`, `PLATFORM:NAME`, `PLATFORM:HOW=NAME` or a template with `{key}` means.

    Raises:
        EmitSecretError: none of them.
    """
    platform, colon, rest = text.partition(":")
    platform = platform.strip().lower()
    if platform == "custom" or (platform not in _OPTIONS and "{key}" in text):
        return _custom(rest if platform == "custom" and colon else text, default_name)
    if platform not in _OPTIONS:
        raise EmitSecretError(
            f"{text[:60]!r} names no build server",
            hint=f"use {', '.join(PLATFORMS[:-1])}, or a template with {{key}} in it",
        )
    options = _OPTIONS[platform]
    how, equals, name = rest.partition("=")
    if not equals:
        how, name = options[0], rest
    found = next((option for option in options if option.lower() == how.strip().lower()), None)
    if found is None:
        raise EmitSecretError(
            f"{platform} knows no {how.strip()[:40]!r}", hint=f"write {platform}:{options[0]}=NAME"
        )
    name = name.strip(" ") if colon else default_name
    if not name:
        raise EmitSecretError(
            f"{text[:60]!r} names no variable", hint=f"write {platform}:{found}={default_name}, or {platform}"
        )
    shell = (platform, found) in _SHELL_NAMES
    if not (_SHELL_NAME if shell else _NAME).fullmatch(name):
        # A bracket or a quote in a name would end the command that it stands in.
        raise EmitSecretError(
            f"{name[:60]!r} is no name of a variable",
            hint="use letters, digits and _" if shell else "use letters, digits, _ . and -",
        )
    return Emitter(platform=platform, how=found, name=name)


def _custom(template: str, name: str) -> Emitter:
    if "{key}" not in template:
        raise EmitSecretError("the template has no {key}, so the key would go nowhere")
    text = re.sub(r"\\[nt\\]", lambda found: _ESCAPES[found[0]], template)
    return Emitter(platform="custom", how="", name=name, template=text)
