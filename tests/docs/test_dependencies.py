"""Each dependency has its row, and the base install stays small."""

from __future__ import annotations

import re
import tomllib

from tests.docs.pages import ROOT

DECISION = ROOT / "docs" / "adr" / "0012-dependencies.md"


def _names(requirements: list[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements if not line.startswith("#"))
    return {match[0].lower() for match in found if match} - {"sealstead"}


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        lines += extra
    for name in ("test", "demo"):
        lines += (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return _names(lines)


def test_every_dependency_has_a_row_and_every_row_a_dependency() -> None:
    first_cells = re.findall(r"^\| (`.+?`) \|", DECISION.read_text(encoding="utf-8"), re.MULTILINE)
    rows = {name.lower() for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    assert rows == _declared()


def test_the_base_install_is_at_most_ten_packages() -> None:
    text = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    assert 3 <= len(re.findall(r"^[A-Za-z0-9._-]+==", text, re.MULTILINE)) <= 10


def test_every_pin_has_a_hash_and_no_set_names_an_index() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        pins = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
        assert pins, path.name
        assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == [], path.name
        assert "://" not in text, path.name
