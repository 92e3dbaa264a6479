"""What every other test relies on: closed sockets, commands that are like real ones, a clock that obeys."""

from __future__ import annotations

import socket
import warnings
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_socket
from django.conf import settings
from tests.fakes.clock import START, FakeClock
from tests.forked import run_sealstead


def test_dialing_out_is_refused() -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737): nobody answers there.
    with socket.socket() as sock, pytest.raises(pytest_socket.SocketConnectBlockedError):
        sock.connect(("192.0.2.1", 80))


def test_this_machine_can_be_reached() -> None:
    with socket.socket() as listener, socket.socket() as sock:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        sock.connect(listener.getsockname())


def test_warnings_are_errors() -> None:
    with pytest.raises(UserWarning, match="soft"):
        warnings.warn("soft", stacklevel=1)


def test_the_fake_clock_is_the_server_s(fake_clock: FakeClock) -> None:
    assert settings.SEALSTEAD.clock.now() == START
    fake_clock.move(timedelta(days=1))
    assert settings.SEALSTEAD.clock.now() == START + timedelta(days=1)


@pytest.mark.parametrize("arguments", [["--version"], ["serv"], ["admin", "check", "--data-dir", "typo"]])
def test_a_forked_command_ends_as_a_started_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    forked, started = run_sealstead(arguments), run_sealstead(arguments, extra={"PYTHONUTF8": "1"})
    assert vars(forked) == vars(started)
    assert forked.stdout or forked.stderr
