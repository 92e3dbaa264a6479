"""A name server on the loopback interface: UDP and TCP on one port."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from sealstead.net.dns import Server

SILENT = -1


@dataclass
class NameServer:
    server: Server
    texts: dict[str, list[str]] = field(default_factory=dict)
    rcode: int = 0
    """`SILENT`: says nothing at all."""
    truncates: bool = False
    """Answers by UDP are cut off."""
    forges: bytes = b""
    """What is sent instead of an answer."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def setting(self) -> str:
        return f"{self.server.address}:{self.server.port}"

    def answer(self, question: bytes, how: str) -> bytes:
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels)
        self.asked.append((name, how))
        if self.forges:
            return self.forges
        cut = self.truncates and how == "udp"
        texts = [] if cut else self.texts.get(name.lower(), [])
        known = name.lower() in self.texts
        code = self.rcode or (0 if known else 3)
        head = question[:2] + struct.pack(
            ">HHHHH", 0x8180 | code | (0x0200 if cut else 0), 1, len(texts), 0, 0
        )
        records = b""
        for text in texts:
            data = text.encode()
            packed = b"".join(
                bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255)
            )
            records += b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 60, len(packed)) + packed
        return head + question[12 : at + 5] + records


def _one_port_for_both() -> tuple[socket.socket, socket.socket]:
    """Bind TCP and UDP to one port: the system says of a port that it is free for one of them only."""
    while True:
        stream = socket.create_server(("127.0.0.1", 0))
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.bind(stream.getsockname())
        except OSError:
            stream.close()
            datagrams.close()
        else:
            return stream, datagrams


@contextlib.contextmanager
def start_name_server() -> Iterator[NameServer]:
    with contextlib.ExitStack() as stack:
        stream, datagrams = _one_port_for_both()
        stack.enter_context(stream)
        stack.enter_context(datagrams)
        fake = NameServer(Server("127.0.0.1", stream.getsockname()[1]))

        def by_udp() -> None:
            with contextlib.suppress(OSError):
                while True:
                    question, whence = datagrams.recvfrom(4096)
                    if not question:
                        return
                    if fake.rcode != SILENT:
                        datagrams.sendto(fake.answer(question, "udp"), whence)

        def by_tcp() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = stream.accept()
                    with connection, connection.makefile("rb") as reader:
                        length = int.from_bytes(reader.read(2), "big")
                        said = fake.answer(reader.read(length), "tcp")
                        connection.sendall(len(said).to_bytes(2, "big") + said)

        threads = [threading.Thread(target=run, daemon=True) for run in (by_udp, by_tcp)]
        for thread in threads:
            thread.start()
        try:
            yield fake
        finally:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", fake.server)
            for thread in threads:
                thread.join(5)
