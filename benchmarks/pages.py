"""A quick web server of loopback pages that carry proofs: it must not be what is measured."""

from __future__ import annotations

import multiprocessing
import select
import socket
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path


@contextmanager
def serving(profiles: Sequence[Path]) -> Iterator[int]:
    """Serve, at the path of each URL in `profiles`, a page with the proof that the profile stores for it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(
        target=_serve, args=(theirs, [str(path) for path in profiles]), daemon=True
    )
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def _serve(pipe: Connection, profiles: list[str]) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    pipe.send(listening.getsockname()[1])
    answers = _Answers(profiles)
    clients: dict[int, socket.socket] = {}
    received: dict[int, bytes] = {}
    ready = select.epoll()
    ready.register(listening, select.EPOLLIN)
    while True:
        for number, _ in ready.poll():
            if number == listening.fileno():
                client, _ = listening.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[client.fileno()], received[client.fileno()] = client, b""
                ready.register(client, select.EPOLLIN)
                answers.look_for_changes()
                continue
            client = clients[number]
            try:
                data = client.recv(65536)
            except OSError:
                data = b""
            if not data:
                del clients[number], received[number]
                client.close()
                continue
            data = received[number] + data
            while (end := data.find(b"\r\n\r\n")) >= 0:
                client.sendall(answers.to(data[:end]))
                data = data[end + 4 :]
            received[number] = data


class _Answers:
    """All answers, made before they are asked for. A profile that changed is read when somebody comes."""

    def __init__(self, profiles: list[str]) -> None:
        self._read = dict.fromkeys(profiles, 0)
        self._by_path: dict[bytes, bytes] = {}

    def to(self, head: bytes) -> bytes:
        return self._by_path.get(head.split(b" ", 2)[1], _NOT_FOUND)

    def look_for_changes(self) -> None:
        for name, read in self._read.items():
            with suppress(OSError, tomllib.TOMLDecodeError):
                changed = Path(name).stat().st_mtime_ns
                if changed != read:
                    for entry in tomllib.loads(Path(name).read_text()).get("profiles", []):
                        place = "/" + entry["url"].split("/", 3)[3]
                        body = f"<html><body><p>{entry.get('stored_proof', '')}</p></body></html>".encode()
                        self._by_path[place.encode()] = _OK % (len(body), body)
                    self._read[name] = changed
