"""Every error class has a code of its own, a row in each table, and a docstring or a family that explains it."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.architecture.source import modules

from sealstead import errors
from sealstead.cli.main import EXIT_CODES
from sealstead.server import problem

ROOT = errors.SealsteadError
EXPECTED_EXITS = {
    errors.InputError: 2,
    errors.KeyUnavailableError: 3,
    errors.UpstreamError: 5,
}
"""DESIGN §9; every other family is 1, refused."""


def every_error() -> list[type[errors.SealsteadError]]:
    for module in modules():
        if module.path not in ("__main__.py", "server/wsgi.py"):
            importlib.import_module(module.name)
    return sorted(set(_below(ROOT)), key=lambda cls: cls.__qualname__)


def _below(cls: type[errors.SealsteadError]) -> Iterator[type[errors.SealsteadError]]:
    for child in cls.__subclasses__():
        if child.__module__.startswith("sealstead."):
            yield child
            yield from _below(child)


ERRORS = every_error()
FAMILIES = [cls for cls in ERRORS if cls.__module__ == "sealstead.errors"]
CONCRETE = [cls for cls in ERRORS if cls not in FAMILIES]


def name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def test_there_are_errors_to_look_at() -> None:
    assert len(FAMILIES) == 9
    assert len(CONCRETE) > 40


@pytest.mark.parametrize("cls", ERRORS, ids=name)
def test_code_is_its_own_and_kebab_case(cls: type[errors.SealsteadError]) -> None:
    assert "code" in vars(cls), "inherits its family's code: nobody could tell it apart"
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cls.code)


def test_no_code_names_two_classes() -> None:
    twice = [code for code, times in Counter(cls.code for cls in [ROOT, *ERRORS]).items() if times > 1]
    assert {code: [name(cls) for cls in ERRORS if cls.code == code] for code in twice} == {}


def test_names_end_in_error() -> None:
    assert [name(cls) for cls in ERRORS if not cls.__name__.endswith("Error")] == []


@pytest.mark.parametrize("cls", ERRORS, ids=name)
def test_exit_code_is_that_of_its_family(cls: type[errors.SealsteadError]) -> None:
    found = next(code for family, code in EXIT_CODES if issubclass(cls, family))
    assert found == next((code for family, code in EXPECTED_EXITS.items() if issubclass(cls, family)), 1)


def test_each_family_has_a_row_with_a_status() -> None:
    listed = dict(problem.FAMILIES)
    assert [name(cls) for cls in FAMILIES if cls not in listed] == []
    assert all(400 <= status < 600 for status in listed.values())


def test_first_match_is_the_nearest() -> None:
    """A row below its own ancestor would never be reached."""
    for table in (EXIT_CODES, problem.FAMILIES):
        classes = [family for family, _ in table]
        for at, cls in enumerate(classes):
            assert not any(issubclass(cls, earlier) for earlier in classes[:at]), name(cls)


def test_each_row_of_codes_belongs_to_a_class() -> None:
    codes = {cls.code for cls in ERRORS}
    assert sorted(set(problem.CODES) - codes) == []


def test_domain_code_knows_no_status_and_no_exit_code() -> None:
    for cls in ERRORS:
        assert not {"status", "status_code", "http_status", "exit_code"} & set(dir(cls)), name(cls)
