"""A web of our own on the loopback interface: every host name of the tests is one server, plain and with TLS.

Names resolve to addresses that look public, and dialling such an address reaches this server. So what is tested is
the real client: its look-ups, its checks of addresses, its certificates, its reading of bytes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sealstead.net.pages import Limits, WebPages

PUBLIC = "93.184.215.14"
"""What every name of this web resolves to."""


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[Request, socket.socket], bytes | None]


def answer(
    body: bytes | str = b"",
    *,
    status: int = 200,
    kind: str = "text/html",
    fields: dict[str, str] | None = None,
) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


def redirect(to: str, status: int = 302) -> bytes:
    return answer(status=status, fields={"Location": to})


def as_json(value: object, **more: Any) -> bytes:
    return answer(json.dumps(value), kind="application/json", **more)


@dataclass
class Web:
    """`web[url] = bytes or handler`; whatever has no entry is 404."""

    port: int
    tls_port: int
    authority: bytes
    routes: dict[str, bytes | Handler] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    served: list[str] = field(default_factory=list)
    """The scheme of each connection."""
    made: list[WebPages] = field(default_factory=list)
    presents: dict[str, str] = field(default_factory=dict)
    """Hosts whose certificate is another's."""
    names: dict[str, list[str]] = field(default_factory=dict)

    def __setitem__(self, url: str, what: bytes | Handler) -> None:
        self.routes[url] = what

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return len(self.served)

    def asked(self) -> list[str]:
        return [request.url for request in self.requests]

    def pages(self, *, seconds: float = 60, **more: Any) -> WebPages:
        limits = Limits(seconds=seconds, **{k: more.pop(k) for k in ("max_bytes", "redirects") if k in more})
        settings: dict[str, Any] = {"lookup": self.look_up, "dial": self.dial, "tls": self.trusting}
        made = WebPages(limits=limits, **{**settings, **more})
        self.made.append(made)
        return made

    def look_up(self, host: str, port: int) -> list[str]:
        if host.endswith(".invalid"):
            raise socket.gaierror("name not known")
        return self.names.get(host, [PUBLIC])

    def dial(self, where: tuple[str, int], seconds: float) -> socket.socket:
        self.dialled.append(where)
        port = {443: self.tls_port, 80: self.port}.get(where[1], where[1])
        return socket.create_connection(("127.0.0.1", port), seconds)

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority.decode())

    def serve(self, connection: socket.socket, scheme: str) -> None:
        self.served.append(scheme)
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as reader:
            while line := reader.readline():
                method, path, _ = line.decode().split(" ", 2)
                headers = {}
                while (text := reader.readline().decode().strip()) != "":
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                body = reader.read(int(headers.get("content-length", 0)))
                url = f"{scheme}://{headers['host']}{path}"
                request = Request(method, url, headers, body)
                self.requests.append(request)
                what = self.routes.get(url, answer("nothing here", status=404))
                said = what(request, connection) if callable(what) else what
                if said is None:
                    return
                connection.sendall(said)


class _Certificates:
    """An authority of one run, and a certificate for whichever name is asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._make("the tests", self.key, x509.BasicConstraints(ca=True, path_length=0))
        self.contexts: dict[str, ssl.SSLContext] = {}
        self.lock = threading.Lock()

    def context(self, host: str) -> ssl.SSLContext:
        with self.lock:
            if host not in self.contexts:
                key = ec.generate_private_key(ec.SECP256R1())
                name = x509.SubjectAlternativeName([x509.DNSName(host)])
                certificate = self._make(host, key, name)
                path = self.directory / f"{len(self.contexts)}.pem"
                path.write_bytes(
                    key.private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    )
                    + certificate.public_bytes(serialization.Encoding.PEM)
                )
                self.contexts[host] = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(path)
            return self.contexts[host]

    def _make(self, name: str, key: ec.EllipticCurvePrivateKey, extension: Any) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        common = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:60])])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the tests")])
        authority = isinstance(extension, x509.BasicConstraints)
        # Python 3.13 and newer check by the letter of RFC 5280: which key signed, and what it may be used for.
        usage = x509.KeyUsage(
            digital_signature=not authority,
            key_cert_sign=authority,
            crl_sign=authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(common)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=2))
            .add_extension(extension, critical=authority)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )


@contextlib.contextmanager
def start_web() -> Iterator[Web]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        certificates = _Certificates(Path(name))
        server = certificates.context("nobody.test")

        def pick(connection: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
            with contextlib.suppress(
                OSError
            ):  # of a client that stays on after the end, when the directory is gone
                connection.context = certificates.context(web.presents.get(host or "", host or "nobody.test"))

        server.sni_callback = pick  # type: ignore[assignment]
        plain = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        secure = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        web = Web(
            plain.getsockname()[1],
            secure.getsockname()[1],
            certificates.certificate.public_bytes(serialization.Encoding.PEM),
        )

        def accept(listener: socket.socket, scheme: str) -> None:
            with contextlib.suppress(OSError):  # the listener is closed at the end
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=one, args=(connection, scheme), daemon=True).start()

        def one(connection: socket.socket, scheme: str) -> None:
            with contextlib.suppress(OSError):
                if scheme == "https":
                    connection = server.wrap_socket(connection, server_side=True)
                web.serve(connection, scheme)
            connection.close()

        threads = [
            threading.Thread(target=accept, args=pair, daemon=True)
            for pair in ((plain, "http"), (secure, "https"))
        ]
        for thread in threads:
            thread.start()
        try:
            yield web
        finally:
            for pages in web.made:
                pages.close()
            for listener in (plain, secure):
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""
