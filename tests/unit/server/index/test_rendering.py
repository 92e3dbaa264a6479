from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealstead.server.index.rendering import Renderer


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    found = Renderer(seconds=3)
    yield found
    found.close()


def substitutions(levels: int, each: int) -> str:
    """A few hundred bytes that name each other, `each ** levels` words when they are all put in."""
    lines = [f".. |a{level}| replace:: " + " ".join([f"|a{level + 1}|"] * each) for level in range(levels)]
    return "\n".join([*lines, f".. |a{levels}| replace:: word", "", "|a0|", ""])


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (substitutions(9, 9), "text/x-rst"),
        ("```perl\n" + "s{" * 60_000 + "\n```\n", "text/markdown"),
    ],
)
def test_a_text_that_takes_hours_is_given_up(renderer: Renderer, text: str, content_type: str) -> None:
    assert renderer.render(text, content_type, "GFM") is None
    assert renderer.render("*again*\n", "text/markdown", "GFM") == "<p><em>again</em></p>\n"


def test_a_text_that_a_library_stumbles_over_does_not_render(renderer: Renderer) -> None:
    deep = "".join(f".. _a{number}: a{number + 1}_\n" for number in range(4000))
    assert renderer.render(deep, "text/x-rst", "GFM") is None
    assert renderer.render("again\n", "text/x-rst", "GFM") == "<p>again</p>\n"


def test_a_child_that_was_killed_is_replaced(renderer: Renderer) -> None:
    renderer.render("one\n", "text/plain", "GFM")
    child = renderer._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert renderer.render("two\n", "text/plain", "GFM") is not None


def test_the_child_knows_no_settings(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALSTEAD_MASTER_KEYS", "of no use to a renderer")
    renderer.render("one\n", "text/plain", "GFM")
    child = renderer._child
    assert child is not None
    assert b"SEALSTEAD_" not in Path(f"/proc/{child.pid}/environ").read_bytes()
