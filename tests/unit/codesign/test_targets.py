"""Which files a command is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sealstead.codesign.targets import FileListError, NoTargetsError, find_targets, read_file_list

TREE = [
    "a.exe",
    "b.EXE",
    "bc.dll",
    "notes.txt",
    "what?.txt",
    ".hidden.exe",
    "lib/a.exe",
    "lib/deep/c.exe",
    "lib/deep/notes.txt",
    "lib/.cache/x.exe",
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in TREE:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(tree: Path, *patterns: str) -> list[str]:
    return [target.name for target in find_targets(patterns, base=tree)]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["a.exe"], ["a.exe"]),
        (["*.exe"], ["a.exe"]),
        (["./*.exe"], ["a.exe"]),
        (["?.exe", "lib/*.exe"], ["a.exe", "lib/a.exe"]),
        (["**/*.exe"], ["a.exe", "lib/a.exe", "lib/deep/c.exe"]),
        (["lib/**"], ["lib/a.exe", "lib/deep/c.exe", "lib/deep/notes.txt"]),
        (["lib/**/c.exe"], ["lib/deep/c.exe"]),
        (["*/*.exe"], ["lib/a.exe"]),
        ([".*.exe"], [".hidden.exe"]),
        (["lib/.cache/*"], ["lib/.cache/x.exe"]),
        (["b*", "!*.dll"], ["b.EXE"]),
        (["**", "!*.txt", "!lib/deep"], ["a.exe", "b.EXE", "bc.dll", "lib/a.exe"]),
        (["**/*.exe", "!lib/**"], ["a.exe"]),
        (["!**/deep/*", "lib/**"], ["lib/a.exe"]),
        (["bc.dll", "a.exe", "*.exe", "lib/../a.exe"], ["bc.dll", "a.exe"]),
        (["what?.txt"], ["what?.txt"]),
    ],
)
def test_names_and_patterns(tree: Path, patterns: Sequence[str], expected: list[str]) -> None:
    assert names(tree, *patterns) == expected


def test_an_absolute_pattern_ignores_the_base(tree: Path) -> None:
    found = find_targets([f"{tree}/lib/*.exe"], base=tree / "lib")
    assert [target.path for target in found] == [tree / "lib/a.exe"]


@pytest.mark.parametrize(
    ("patterns", "told"),
    [
        (["gone.exe"], "gone.exe does not exist"),
        (["a.exe", "*.msi"], "no file matches *.msi"),
        (["lib"], "lib is a directory"),
        (["!a.exe"], "only exclusions were given"),
        (["a.exe", "!a.*"], "the exclusions leave no file"),
        ([], "no file was named"),
        (["a.exe\0"], "does not exist"),
    ],
)
def test_what_leads_to_no_file_is_refused(tree: Path, patterns: Sequence[str], told: str) -> None:
    with pytest.raises(NoTargetsError, match=told.replace("*", "\\*")):
        names(tree, *patterns)


def test_the_options_of_another_program_are_told_from_files(tree: Path) -> None:
    with pytest.raises(NoTargetsError) as refused:
        names(tree, "/fd", "SHA256", "a.exe")
    assert "--fd" in str(refused.value.hint)


def test_whoever_goes_on_learns_what_was_missing(tree: Path) -> None:
    missing: list[str] = []
    found = find_targets(["gone.exe", "a.exe", "*.msi"], base=tree, missing=missing)
    assert ([target.name for target in found], missing) == (["a.exe"], ["gone.exe", "*.msi"])


def test_a_link_is_the_file_it_leads_to_and_a_loop_ends(tree: Path) -> None:
    (tree / "link.exe").symlink_to("a.exe")
    (tree / "lib/loop").symlink_to(tree)
    assert [target.path for target in find_targets(["link.exe", "a.exe"], base=tree)] == [tree / "a.exe"]
    assert "lib/loop/a.exe" not in names(tree, "lib/**")


@pytest.mark.parametrize(
    "content",
    [
        b"a.exe\nlib/*.exe\n\n!x\n",
        b"\xef\xbb\xbfa.exe\r\n  lib/*.exe  \r\n!x",
        "\ufeffa.exe\r\nlib/*.exe\r\n!x\r\n".encode("utf-16-le"),
        "\ufeffa.exe\nlib/*.exe\n!x".encode("utf-16-be"),
    ],
)
def test_lists_as_editors_write_them(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "files.txt"
    path.write_bytes(content)
    assert read_file_list(path) == ["a.exe", "lib/*.exe", "!x"]


def test_a_list_in_another_encoding_needs_its_name(tmp_path: Path) -> None:
    path = tmp_path / "files.txt"
    path.write_bytes("größe.exe\n".encode("cp1252"))
    with pytest.raises(FileListError, match="is not utf-8 text"):
        read_file_list(path)
    assert read_file_list(path, encoding="cp1252") == ["größe.exe"]


@pytest.mark.parametrize("content", [b"MZ\x00\x01", None])
def test_what_is_no_list(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "files.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileListError):
        read_file_list(path)


def test_an_empty_name_does_not_mean_everything(tree: Path) -> None:
    for empty in ("", " "):
        with pytest.raises(NoTargetsError, match="is empty") as caught:
            names(tree, "a.exe", empty)
        assert "**" not in (caught.value.hint or "")


def test_a_line_of_a_list_ends_where_lines_end(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes("a\u2028b.exe\r\nc\x0cd.exe\re.exe\n\n".encode())
    assert read_file_list(path) == ["a\u2028b.exe", "c\x0cd.exe", "e.exe"]
