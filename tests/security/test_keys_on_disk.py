"""Threats to keys at rest and on their way: others who read, a keyring that hangs, two commands at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.keyring_backend import BACKEND
from tests.publisher import Publisher

from sealstead.formats.minisign import parse_public_key, parse_secret_key

COMMAND = [sys.executable, "-m", "sealstead", "profile"]


def environment(publisher: Publisher, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{Path('src').resolve()}:{Path.cwd()}",
        "HOME": str(publisher.home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    } | more


def test_no_file_of_a_key_is_ever_open_to_others(publisher: Publisher) -> None:
    before = os.umask(0)
    try:
        publisher.good("keygen")
        publisher.good("keygen", "--force")
        publisher.good("key-password", "set", "--password-stdin", stdin="x\n")
    finally:
        os.umask(before)
    secrets = [path for path in publisher.keys.iterdir() if path.suffix != ".pub"]
    assert len(secrets) >= 4  # two keys, the index, the lock
    assert {path.stat().st_mode & 0o077 for path in secrets} == {0}
    assert publisher.keys.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("command", ["keygen", "key-list --check", "key-info"])
def test_a_keyring_that_blocks_for_ever_delays_and_no_more(publisher: Publisher, command: str) -> None:
    """A locked keyring over ssh: its back end waits for somebody to type, and would wait at the exit too."""
    done = subprocess.run(
        [*COMMAND, *command.split()],
        cwd=publisher.here,
        env=environment(
            publisher,
            PYTHON_KEYRING_BACKEND=BACKEND,
            SEALSTEAD_TEST_KEYRING=str(publisher.entries),
            SEALSTEAD_TEST_KEYRING_MODE="blocks",
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,  # what blocks does so for ever
        check=False,
    )
    assert done.returncode == (3 if command == "key-info" else 0), done.stderr
    if command != "key-list --check":
        assert "did not answer within 5 seconds" in done.stdout + done.stderr


def test_two_commands_at_once_make_one_key(publisher: Publisher) -> None:
    publisher.write_profile()
    started = [
        subprocess.Popen(
            [*COMMAND, "keygen", "--json"],
            cwd=publisher.here,
            env=environment(publisher),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    ended = [process.communicate(timeout=100) for process in started]
    codes = sorted(process.returncode for process in started)
    assert codes == [0, 1, 1, 1], ended
    made = next(json.loads(out) for out, _ in ended if out)
    public = parse_public_key((publisher.keys / "minisign.pub").read_bytes())
    assert parse_secret_key((publisher.keys / "minisign.key").read_bytes()).open().public == public
    assert public.id == made["key_id"]
    assert public.line in publisher.profile.read_text()
    assert len(publisher.good("key-list", "--json").json) == 1


def test_no_secret_stands_in_the_list_of_processes_or_in_an_error(publisher: Publisher) -> None:
    """`--password VALUE` of the tool we replace is not taken, and what was typed is not repeated."""
    for arguments in (
        ["keygen", "--password=hunter2"],
        ["keygen", "--password", "hunter2"],
        ["key-rotate", "--password", "hunter2"],
        ["key-recover", "--password", "hunter2"],
        ["key-info", "--password", "hunter2"],
    ):
        done = publisher.run(*arguments)
        assert done.code == 2
        assert "hunter2" not in done.out + done.err
