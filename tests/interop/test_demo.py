"""`sealstead demo` does what the README shows, step by step."""

from __future__ import annotations

import subprocess
import sys

import pytest
from docs.generate import README, TRANSCRIPT, settled
from tests.environment import clean_environment


@pytest.mark.interop
@pytest.mark.timeout(1200)
def test_the_demonstration_prints_what_the_readme_shows() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sealstead", "demo"],
        capture_output=True,
        text=True,
        check=False,
        timeout=1100,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = TRANSCRIPT.search(README.read_text(encoding="utf-8"))
    assert shown, "the README lost its transcript"
    assert settled(done.stdout) == shown[0], "write it anew: make docs"


def test_settling_leaves_what_matters() -> None:
    assert settled("$ serve --port 4711\nready at http://127.0.0.1:4711 after 2.3 s\n") == (
        "$ serve --port 8000\nready at http://127.0.0.1:8000 after 1.5 s\n"
    )
    assert settled("project-scoped token is not valid for project: 'harbour-lights'") == (
        "project-scoped token is not valid for project: 'harbour-lights'\n"
    )
