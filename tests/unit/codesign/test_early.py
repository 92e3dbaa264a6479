"""What was digested before it was asked for counts only if it is what is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.executables import tiny_pe

from sealstead.codesign import kind_pe
from sealstead.codesign.early import begin_early, digested_early
from sealstead.codesign.kind_pe import PeHandler, read_program

LONG = tiny_pe(size=5 << 20)


@pytest.fixture(autouse=True)
def _switch_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "long.exe"
    path.write_bytes(LONG)
    return path


@pytest.mark.parametrize(("options", "algorithm"), [([], "SHA256"), (["--fd", "sha384"], "SHA384")])
def test_the_guess_is_taken_once(program: Path, options: list[str], algorithm: str) -> None:
    begin_early(["--label", "x", *options, str(program)])
    found = digested_early(program, [algorithm])
    assert found is not None
    assert found == read_program(program, [algorithm])
    assert digested_early(program, [algorithm]) is None


def test_another_algorithm_or_another_content_is_read_again(program: Path) -> None:
    begin_early([str(program)])
    assert digested_early(program, ["SHA512"]) is None
    begin_early([str(program)])
    changed = tiny_pe(size=5 << 20, machine=0x14C)
    before = PeHandler().digest(program, ["SHA256"])
    begin_early([str(program)])
    program.write_bytes(changed)
    assert PeHandler().digest(program, ["SHA256"]).digests != before.digests


def test_what_goes_wrong_early_is_told_in_its_turn(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ImportError("of a module that another thread is just importing")

    with monkeypatch.context() as patched:
        patched.setattr(kind_pe, "read_program", fails)
        begin_early([str(program)])
        assert digested_early(program, ["SHA256"]) is None
    assert PeHandler().digest(program, ["SHA256"]) == read_program(program, ["SHA256"])


def test_what_is_short_or_no_program_is_left_for_later(tmp_path: Path) -> None:
    short, other = tmp_path / "short.exe", tmp_path / "long.bin"
    short.write_bytes(tiny_pe())
    other.write_bytes(bytes(5 << 20))
    begin_early(["--fd", str(short), "a\0b", str(tmp_path)])
    assert digested_early(short, ["SHA256"]) is None
    begin_early([str(other)])
    assert digested_early(other, ["SHA256"]) is None
