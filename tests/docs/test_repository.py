"""What no file of the repository may hold: addresses of registries, paths of somebody's machine."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, tracked

# Built from parts, so that this file does not find itself.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("crates", "io"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("proxy", "golang", "org"),
    )
]
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:root|work|opt|home/\w+|Users/\w+)/\w")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".in",
    ".html",
    ".css",
    ".js",
    ".po",
    ".yml",
    ".cfg",
    ".ini",
    ".sh",
    "",
}


SITES_OF_PEOPLE = (
    "src/sealstead/identity/provider_",
    "tests/unit/identity/test_provider",
    "docs/reference/providers.md",
)
"""Where pages are listed that a person's profile may name; nothing is installed from there."""


def _lines() -> list[tuple[str, int, str]]:
    found = []
    for path in tracked():
        if path.suffix in TEXT:
            text = path.read_text(encoding="utf-8")
            name = str(path.relative_to(ROOT))
            found += [(name, number, line) for number, line in enumerate(text.splitlines(), 1)]
    return found


def test_no_address_of_a_registry() -> None:
    assert [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, number, line in _lines()
        if any(host in line for host in REGISTRIES) and not name.startswith(SITES_OF_PEOPLE)
    ] == []


def test_no_path_of_a_machine() -> None:
    assert [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, number, line in _lines()
        if MACHINE_PATHS.search(line)
    ] == []
