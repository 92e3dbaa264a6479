"""A test that misses a program says which, and fails where nothing may be skipped."""

from __future__ import annotations

import pytest
from tests.programs import require_program

MISSING = "no-such-program-anywhere"


def test_a_missing_program_is_named_by_the_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=MISSING):
        require_program(MISSING)


def test_a_missing_program_fails_the_full_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=MISSING):
        require_program(MISSING)


def test_the_first_one_that_is_there_is_taken() -> None:
    assert require_program(MISSING, "sh").endswith("/sh")
