"""Reference pages say what the code says: commands, errors, settings, permissions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from docs.generate import PAGES, REFERENCE, WIDTH, commands, error_classes
from tests.environment import clean_environment

from sealstead.cli.main import cli
from sealstead.server.config import declared


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"docs/reference/{name} is behind the code: run `make docs`"


def test_help_texts_are_those_of_the_program() -> None:
    page = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sealstead", "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        # click takes two columns for its margin.
        env=clean_environment({"COLUMNS": str(WIDTH + 2), "PATH": os.environ["PATH"]}),
    )
    said = " ".join(done.stdout.split()).partition("serve")[2]
    assert said in " ".join(page.split())


def test_every_command_says_what_it_does() -> None:
    silent = [path for path, text in commands() if not text.partition("\n\n")[2].strip()]
    assert not silent


def test_every_option_says_what_it_is_for() -> None:
    assert list(_silent(cli, "sealstead")) == []


def _silent(command: click.Command, path: str) -> Iterator[str]:
    for option in command.params:
        if isinstance(option, click.Option) and not option.help and not option.hidden:
            yield f"{path} {option.opts[0]}"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            sub = command.get_command(context, name)
            assert sub is not None
            yield from _silent(sub, f"{path} {name}")


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    assert [s.name for s in declared() if f"| `{s.name}` |" not in page] == []


def test_every_error_code_means_one_thing_and_says_what() -> None:
    codes = [cls.code for cls in error_classes()]  # type: ignore[attr-defined]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []
    said_in_the_tree = "sealstead.errors"
    assert [
        cls.__name__ for cls in error_classes() if not cls.__doc__ and cls.__module__ != said_in_the_tree
    ] == []
