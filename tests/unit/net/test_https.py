"""The client of a signing server, against servers that behave and servers that do not."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes.signing_server import FakeSigningServer, signing_server

from sealstead.net.https import (
    AnswerTooLargeError,
    HttpsAnswer,
    HttpsClient,
    ServerRedirectsError,
    ServerUnreachableError,
    UntrustedServerError,
)

HEADERS = {"Authorization": "Bearer secret"}


@contextlib.contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says what `talk` says, to one connection after another."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65_536)
                        talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def client(url: str, **more: object) -> HttpsClient:
    facts = {"seconds": 5.0, "retries": 0, "environ": {}, "pause": lambda _: None} | more
    return HttpsClient(url, **facts)  # type: ignore[arg-type]


def ask(asked: HttpsClient, *, repeatable: bool = True) -> HttpsAnswer:
    return asked.ask("GET", "/x", headers=HEADERS, repeatable=repeatable)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2049, 1, 1, tzinfo=dt.UTC))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_certificate_that_nobody_vouches_for(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with signing_server(tls=certificate) as server:
        with pytest.raises(UntrustedServerError) as refused:
            ask(client(server.url))
        assert "--allow-untrusted" in (refused.value.hint or "")
        assert server.asked == []  # the key has not been sent
        assert ask(client(server.url, allow_untrusted=True)).status == 404
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert ask(client(server.url)).status == 404


def test_a_certificate_of_another_name(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with signing_server(tls=certificate) as server, pytest.raises(UntrustedServerError):
        ask(client(server.url.replace("127.0.0.1", "localhost")))


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_a_redirect_is_not_followed(status: str) -> None:
    with signing_server() as server:
        server.fault = lambda _method, _path: status
        with pytest.raises(ServerRedirectsError, match=r"https://elsewhere\.example/"):
            ask(client(server.url))
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("faults", "repeatable", "asked", "status"),
    [
        (["503", ""], False, 2, 404),
        (["429", ""], False, 2, 404),
        (["502", "504", ""], True, 3, 404),
        (["502", ""], False, 1, 502),
        (["lost", "cut", ""], True, 3, 404),
        (["500", ""], True, 1, 500),
        (["503"] * 9, True, 4, 503),
    ],
)
def test_what_is_asked_again(faults: list[str], asked: int, status: int, *, repeatable: bool) -> None:
    with signing_server() as server:
        server.fault = lambda _method, _path: faults[len(server.asked) - 1]
        assert ask(client(server.url, retries=3), repeatable=repeatable).status == status
        assert len(server.asked) == asked


def test_a_lost_answer_is_not_asked_for_again_where_that_could_do_it_twice() -> None:
    with signing_server() as server:
        server.fault = lambda _method, _path: "lost"
        with pytest.raises(ServerUnreachableError):
            ask(client(server.url, retries=3), repeatable=False)
        assert len(server.asked) == 1


def test_it_waits_as_long_as_the_server_says_but_not_for_ever() -> None:
    pauses: list[float] = []
    answers = [b"Retry-After: 7", b"Retry-After: 3600"]

    def talk(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 429 Busy\r\nContent-Length: 0\r\nConnection: close\r\n" + answers.pop(0) + b"\r\n\r\n"
        )

    with raw_server(talk) as url:
        answer = ask(client(url, retries=5, pause=pauses.append))
    assert (answer.status, answer.retry_after()) == (429, 3600)
    assert pauses == [7]


def test_pauses_differ_so_that_a_thousand_builds_do_not_come_back_at_once() -> None:
    pauses: list[float] = []
    with signing_server() as server:
        server.fault = lambda _method, _path: "503"
        for _ in range(2):
            ask(client(server.url, retries=3, pause=pauses.append))
    assert len(set(pauses)) == 6
    assert all(0 < pause < 30 for pause in pauses)


@pytest.mark.parametrize(
    "head", [b"Content-Length: 5000", b"Transfer-Encoding: chunked", b"Connection: close"]
)
def test_an_answer_has_a_size(head: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        body = b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n" if b"chunked" in head else b"x" * 5000
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)

    with raw_server(talk) as url, pytest.raises(AnswerTooLargeError):
        ask(client(url, max_bytes=4096))


def test_an_answer_that_trickles_ends() -> None:
    over = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
        while not over.wait(0.02):
            connection.sendall(b"x")

    with raw_server(talk) as url:
        with pytest.raises(ServerUnreachableError, match=r"no complete answer|in time"):
            ask(client(url, seconds=0.2))
        over.set()


@pytest.mark.parametrize(
    "said", [b"", b"\x00\xff", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_what_is_no_answer(said: bytes) -> None:
    with (
        raw_server(lambda connection: connection.sendall(said)) as url,
        pytest.raises(ServerUnreachableError),
    ):
        ask(client(url))


def test_nobody_there_and_no_such_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServerUnreachableError, match="refused"):
        ask(client(f"http://127.0.0.1:{port}"))


def test_a_proxy_that_the_environment_names_is_asked() -> None:
    said: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        said.append(b"asked")
        connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    with raw_server(refuse) as url:
        asked = client("https://sign.example.org", environ={"https_proxy": url})
        with pytest.raises(ServerUnreachableError):
            ask(asked)
    assert said == [b"asked"]


def test_a_fake_server_is_asked_with_the_headers_given() -> None:
    with signing_server() as server:
        key = server.issue().text.reveal()
        answer = client(server.url).ask(
            "GET", "/api/v1/key", headers={"Authorization": f"Bearer {key}"}, repeatable=True
        )
        assert answer.status == 200
        assert isinstance(server, FakeSigningServer)
