"""Shape of the tree: tests mirror sources, and modules stay readable."""

from __future__ import annotations

import ast

from tests.architecture.source import REPOSITORY, modules

MIRRORED = ("formats/", "lifecycle/", "custody/")
"""And the foundations, the modules directly below `sealstead`."""

NAMED_BY_CONVENTION = ("__main__.py", "apps.py")
"""Python and Django say what these are for."""

LONGEST = 300
LONGER: dict[str, tuple[int, str]] = {
    "server/index/archives/zip_framing.py": (330, "one specification, APPNOTE, read by one reader"),
}


def test_each_pure_module_has_its_unit_tests() -> None:
    missing = []
    for module in modules():
        folder, _, name = module.path.rpartition("/")
        if name.startswith("__") or not (module.path.startswith(MIRRORED) or not folder):
            continue
        if not (REPOSITORY / "tests" / "unit" / folder / f"test_{name}").is_file():
            missing.append(module.path)
    assert missing == []


def test_each_unit_test_of_a_pure_module_has_its_module() -> None:
    paths = {module.path for module in modules()}
    unit = REPOSITORY / "tests" / "unit"
    strays = [
        test.relative_to(unit).as_posix()
        for folder in ("", *MIRRORED)
        for test in (unit / folder).glob("test_*.py")
        if f"{folder}{test.name.removeprefix('test_')}" not in paths
    ]
    assert strays == []


def test_modules_are_readable_at_a_sitting() -> None:
    lines = {module.path: len(module.text.splitlines()) for module in modules()}
    longest = {path: limit for path, (limit, _) in LONGER.items()}
    assert {path: count for path, count in lines.items() if count > longest.get(path, LONGEST)} == {}
    assert [path for path in LONGER if lines.get(path, 0) <= LONGEST] == [], "an exception nothing needs"


def test_each_module_says_what_it_is_responsible_for() -> None:
    silent = [
        module.path
        for module in modules()
        if module.text.strip()
        and not ast.get_docstring(module.tree)
        and module.path.rpartition("/")[2] not in NAMED_BY_CONVENTION
    ]
    assert silent == []
