"""Write the pages of docs/reference that follow from the code: `make docs`.

A test compares each page with what this module makes, so a page cannot fall behind. With `--transcript`
it runs the demonstration and writes what it printed into the README instead.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import click
from docs.profile_page import profile_page
from docs.providers_page import providers_page

REFERENCE = Path(__file__).parent / "reference"
WIDTH = 96
NOTE = "<!-- Made by `make docs`; edit the code instead. -->\n"


def commands() -> Iterator[tuple[str, str]]:
    """Each command line with its help text, parents first."""
    from sealstead.cli.main import cli

    yield from _walk(cli, "sealstead", None)


def _walk(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    options = command.context_settings | {
        "terminal_width": WIDTH,
        "max_content_width": WIDTH,
        "color": False,
    }
    context = click.Context(command, info_name=name, parent=parent, **options)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            if found is not None and not found.hidden:
                yield from _walk(found, sub, context)


def cli_page() -> str:
    lines = [NOTE, "# Command line\n"]
    lines.append(
        "Data goes to stdout, everything else to stderr. An error is `error: what failed: the fact`, then\n"
        "`hint: next step`. Exit codes are in [errors.md](errors.md#exit-codes).\n"
    )
    for path, text in commands():
        lines.append(f"{'#' * min(2 + path.count(' '), 4)} `{path}`\n")
        lines.append(f"```text\n{text}\n```\n")
    return "\n".join(lines)


def error_classes() -> list[type]:
    """Every error class of the product, by code."""
    import sealstead
    from sealstead.errors import SealsteadError

    for module in pkgutil.walk_packages(sealstead.__path__, "sealstead."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)

    def below(parent: type) -> Iterator[type]:
        for child in parent.__subclasses__():
            if child.__module__.startswith("sealstead."):
                yield child
                yield from below(child)

    return sorted(set(below(SealsteadError)), key=lambda cls: (cls.code, cls.__module__))  # type: ignore[attr-defined]


def errors_page() -> str:
    from sealstead import errors
    from sealstead.cli.main import EXIT_CODES
    from sealstead.server.problem import CODES, FAMILIES

    def exit_code(cls: type) -> int:
        return next(code for family, code in EXIT_CODES if issubclass(cls, family))

    def status(cls: type) -> int:
        own = CODES.get(cls.code, (None, ""))[0]  # type: ignore[attr-defined]
        return own or next(status for family, status in FAMILIES if issubclass(cls, family))

    families = [cls for cls in error_classes() if cls.__module__ == "sealstead.errors"]
    lines = [NOTE, "# Errors\n"]
    lines.append(
        "Every expected failure has a stable `code`. It is the `code` member of a problem document (RFC 9457), of\n"
        "`--json` output, and of the audit event. Programs should look at the code, never at the text.\n"
    )
    lines.append("## Families\n")
    lines.append(
        "A family says what the receiver can do.\n\n| family | meaning | status | exit code |\n|---|---|---|---|"
    )
    meaning = dict(
        line.strip(" ├└─│").split(None, 1)
        for line in (inspect.getdoc(errors) or "").splitlines()
        if line.strip().startswith(("├", "└"))
    )
    lines += [
        f"| `{c.__name__}` | {meaning[c.__name__].strip()} | {status(c)} | {exit_code(c)} |" for c in families
    ]
    lines.append("\n## Exit codes\n")
    lines.append(
        "| code | meaning |\n|---|---|\n| 0 | done |\n| 1 | refused, or a check failed |\n| 2 | usage |\n"
        "| 3 | key or credential unavailable |\n| 4 | expires within the asked window |\n"
        "| 5 | somebody else's service failed |\n| 70 | internal error |"
    )
    lines.append("\n## Codes\n")
    lines.append("| code | what it means | family | status | exit code |\n|---|---|---|---|---|")
    for cls in error_classes():
        if cls in families:
            continue
        family = next(parent for parent in cls.__mro__ if parent in families)
        doc = cls.__dict__.get("__doc__") or ""
        first = " ".join(doc.strip().split("\n\n")[0].split()) or cls.__name__
        lines.append(
            f"| `{cls.code}` | {first.replace('|', chr(92) + '|')} | `{family.__name__}` | {status(cls)} | {exit_code(cls)} |"  # type: ignore[attr-defined]
        )
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    from sealstead.server.config import PREFIX, declared

    lines = [NOTE, "# Settings\n"]
    lines.append(
        "Settings stand in `sealstead.toml` in the data directory. Each can be given in the environment too, in upper\n"
        f"case after `{PREFIX}`, which wins: `public_url` is `{PREFIX}PUBLIC_URL`. Lists are separated by commas there.\n"
        "Durations are `30m`, `12h`, `7d`, `2w`; a bare number counts days. A name that is no setting is refused, with\n"
        "the nearest one that is. `SIGHUP` makes a running server read its settings again.\n"
    )
    section = ""
    for setting in declared():
        if setting.metadata["section"] != section:
            section = setting.metadata["section"]
            lines.append(f"\n## {section}\n\n| setting | type | default | meaning |\n|---|---|---|---|")
        kind = str(setting.type).removesuffix(" | None")
        kind = {
            "str": "text",
            "int": "number",
            "bool": "true or false",
            "timedelta": "duration",
            "Path": "path",
            "Secret[str]": "text, secret",
            "tuple[str, ...]": "list of texts",
            "tuple[Network, ...]": "list of networks",
        }.get(kind, kind)
        lines.append(
            f"| `{setting.name}` | {kind} | {_default(setting.default)} | {setting.metadata['doc']} |"
        )
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _default(value: object) -> str:
    match value:
        case None | "" | ():
            return "-"
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return f"`{value.days}d`"
        case tuple():
            return ", ".join(f"`{item}`" for item in value)
        case _:
            return f"`{value}`"


def permissions_page() -> str:
    from sealstead.server.index.permissions import ROLE_PERMISSIONS, Permission

    roles = list(ROLE_PERMISSIONS)
    lines = [NOTE, "# Roles and permissions\n"]
    lines.append(
        "A role is held on one project. An upload token never grants more than `upload`, whatever the role of its\n"
        "owner: every other permission needs a signed-in person.\n"
    )
    lines.append("| permission | " + " | ".join(roles) + " | upload token |")
    lines.append("|---" * (len(roles) + 2) + "|")
    for permission in Permission:
        marks = ["yes" if permission in ROLE_PERMISSIONS[role] else "no" for role in roles]
        token = "yes, within its scope" if permission is Permission.UPLOAD else "no"
        lines.append(f"| `{permission}` | " + " | ".join(marks) + f" | {token} |")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "errors.md": errors_page,
    "permissions.md": permissions_page,
    "profile.md": lambda: NOTE + "\n" + profile_page(),
    "providers.md": lambda: NOTE + "\n" + providers_page(),
    "settings.md": settings_page,
}


README = REFERENCE.parents[1] / "README.md"
TRANSCRIPT = re.compile(r"(?<=<!-- transcript -->\n```text\n).*?(?=```\n<!-- /transcript -->)", re.DOTALL)

_CHANCE = (
    (re.compile(r"(127\.0\.0\.1:|--port )\d+"), r"\g<1>8000"),
    (re.compile(r"after \d+\.\d s"), "after 1.5 s"),
    (re.compile(r"pypi-[\w-]+…"), "pypi-AgENMTI3…"),
    (re.compile(r"seal_\w+…"), "seal_c3Ry…"),
    (re.compile(r"\b[0-9A-F]{40}\b"), "5D0A6C1F0B7E3A2948D6C5B4A39281706F5E4D3C"),
    (re.compile(r"\b(id|key) [0-9A-Za-z]{12}\b"), r"\g<1> c3RyZWV0bGlt"),
    (re.compile(r"^   [0-9A-Za-z]{12}$", re.MULTILINE), "   c3RyZWV0bGlt"),
    (re.compile(r"test authority [0-9a-f]{8}\b"), "test authority 53a6799c"),
    (re.compile(r"\(\d{4}-\d\d-\d\d\)"), "(2027-01-01)"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, now"), "today"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "0f0e1d2c-3b4a-4958-8776-a5b4c3d2e1f0"),
    (re.compile(r"/files/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]+/"), "/files/3a/7f/…/"),
    (re.compile(r"\(\d+(\.\d+)? (bytes|kB)\)"), "(1.3 kB)"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC"), "2026-01-08 12:00 UTC"),
    (
        re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z)?(?! UTC)"),
        "2026-01-01T12:00:00+00:00",
    ),
)
"""What differs from run to run: ports, seconds, tokens, ids, addresses of files, sizes, moments."""


def settled(transcript: str) -> str:
    """Return the output of `sealstead demo` without what chance or the machine decides."""
    for pattern, replacement in _CHANCE:
        transcript = pattern.sub(replacement, transcript)
    return "".join(line.rstrip() + "\n" for line in transcript.strip("\n").splitlines())


def write_transcript() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sealstead", "demo"], stdout=subprocess.PIPE, text=True, check=True
    )
    text = README.read_text(encoding="utf-8")
    shown = settled(done.stdout)
    README.write_text(TRANSCRIPT.sub(lambda _: shown, text), encoding="utf-8")


def main() -> None:
    if "--transcript" in sys.argv:
        write_transcript()
        return
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django_settings"
    import django

    django.setup()
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
