"""A quick web server of loopback pages that carry proofs: it must not be what is measured."""

from __future__ import annotations

import asyncio
import multiprocessing
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


def _serve(pipe: Connection, profiles: list[str]) -> None:
    asyncio.run(_run(pipe, profiles))


async def _run(pipe: Connection, profiles: list[str]) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Pages(profiles), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Pages(asyncio.Protocol):
    _known: dict[str, bytes] = {}
    _read: dict[str, int] = {}

    def __init__(self, profiles: list[str]) -> None:
        self._profiles = profiles
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            body = self._page(path)
            status = b"200 OK" if body else b"404 Not Found"
            self._transport.write(
                b"HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s"
                % (status, len(body), body)
            )

    def _page(self, path: str) -> bytes:
        for name in self._profiles:
            with suppress(OSError, tomllib.TOMLDecodeError):
                changed = Path(name).stat().st_mtime_ns
                if self._read.get(name) != changed:
                    self._read[name] = changed
                    for entry in tomllib.loads(Path(name).read_text()).get("profiles", []):
                        proof = entry.get("stored_proof", "")
                        place = "/" + entry["url"].split("/", 3)[3]
                        self._known[place] = f"<html><body><p>{proof}</p></body></html>".encode()
        return self._known.get(path, b"")
