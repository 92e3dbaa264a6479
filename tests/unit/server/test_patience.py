"""A socket with patience: files leave whole, and a client that stops reading is let go."""

from __future__ import annotations

import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealstead.server import patience
from sealstead.server.patience import PatientSocket

Pair = tuple[PatientSocket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    patient = PatientSocket(fileno=ours.detach())
    patient.setblocking(True)
    yield patient, theirs
    patient.close()
    theirs.close()


def test_blocking_means_patient(pair: Pair) -> None:
    assert pair[0].gettimeout() == patience.PATIENCE
    pair[0].setblocking(False)
    assert pair[0].gettimeout() == 0.0


@pytest.mark.parametrize(("offset", "count"), [(0, 3_000_000), (1000, 500), (2_999_999, 1)])
def test_a_part_of_a_file_is_sent(pair: Pair, tmp_path: Path, offset: int, count: int) -> None:
    data = secrets.token_bytes(3_000_000)
    (tmp_path / "file").write_bytes(data)
    received = bytearray()

    def read() -> None:
        while block := pair[1].recv(65536):
            received.extend(block)

    reader = threading.Thread(target=read)
    reader.start()
    with (tmp_path / "file").open("rb") as file:
        assert pair[0].sendfile(file, offset, count) == count
    assert pair[0].gettimeout() == patience.PATIENCE
    pair[0].shutdown(socket.SHUT_WR)
    reader.join()
    assert received == data[offset : offset + count]


def test_a_file_that_ends_early_ends_the_sending(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"short")
    with (tmp_path / "file").open("rb") as file:
        assert pair[0].sendfile(file, 0, 100) == 5


def test_a_client_that_stops_reading_is_let_go(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_KERNEL_PATIENCE", struct.pack("@ll", 0, 50_000))
    (tmp_path / "file").write_bytes(bytes(3_000_000))
    with (tmp_path / "file").open("rb") as file, pytest.raises(TimeoutError):
        pair[0].sendfile(file, 0, 3_000_000)


def test_a_client_that_sends_a_byte_now_and_then_is_let_go(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 0.0)
    monkeypatch.setattr(patience, "SLOWEST_BYTES", 10**12)
    pair[1].send(b"G")
    with pytest.raises(TimeoutError):
        pair[0].recv(10)


def test_each_request_has_its_own_patience(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair[1].send(b"GE")
    assert pair[0].recv(1) == b"G"
    assert pair[0]._received == 1
    pair[0].setblocking(True)
    assert pair[0].recv(1) == b"E"
    assert pair[0]._received == 1
