"""The client of a signing server, against servers that behave and servers that do not."""

from __future__ import annotations

import contextlib
import datetime as dt
import inspect
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes.signing_server import FakeSigningServer, signing_server

from sealstead.net import other_scheme
from sealstead.net.https import (
    AnswerTooLargeError,
    HttpsAnswer,
    HttpsClient,
    ServerNameError,
    ServerRedirectsError,
    ServerUnreachableError,
    UntrustedServerError,
    WrongSchemeError,
)

HEADERS = {"Authorization": "Bearer secret"}


@contextlib.contextmanager
def raw_server(
    talk: Callable[..., None], *, first: Callable[[socket.socket], bool] = lambda _: False
) -> Iterator[str]:
    """A server that says what `talk` says, to one connection after another; `first` may have done it all."""
    wants_head = "head" in inspect.signature(talk).parameters

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        if first(connection):
                            continue
                        head = connection.recv(65_536)
                        talk(connection, head) if wants_head else talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def client(url: str, **more: object) -> HttpsClient:
    facts = {"seconds": 60.0, "retries": 0, "environ": {}, "pause": lambda _: None} | more
    return HttpsClient(url, **facts)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _time_to_say_which_scheme_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of ours says it at once; on a machine that is busy elsewhere, that is later than a second."""
    monkeypatch.setattr(other_scheme, "_MOST_SECONDS", 60.0)


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


def test_nobody_there_is_asked_again_and_told() -> None:
    pauses: list[float] = []
    told: list[str] = []
    with (
        socket.socket() as bound
    ):  # nobody else gets its port meanwhile, and without `listen` it answers nobody
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        asked = client(url, retries=2, pause=pauses.append)
        asked.told = told.append
        with pytest.raises(ServerUnreachableError, match="refused"):
            ask(asked)
    assert len(pauses) == 2
    assert [line.rpartition("(")[2] for line in told] == ["1 of 2)", "2 of 2)"]
    assert told[0].startswith(f"{url} cannot be reached: Connection refused; asking again in ")


@pytest.mark.parametrize(
    ("errno", "error", "asked"),
    [(socket.EAI_NONAME, ServerNameError, 1), (socket.EAI_AGAIN, ServerUnreachableError, 3)],
)
def test_a_mistyped_name_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, errno: int, error: type[Exception], asked: int
) -> None:
    looked_up: list[object] = []

    def look_up(*address: object, **_: object) -> None:
        looked_up.append(address)
        raise socket.gaierror(errno, "no")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(ServerUnreachableError) as refused:
        ask(client("https://sing.example.org", retries=2))
    assert (type(refused.value), len(looked_up)) == (error, asked)


@pytest.mark.parametrize("says", ["nothing", "400"])
def test_https_to_a_port_of_plain_http_is_told_at_once(says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers wait for the end of what they take for a request, others refuse it."""
    monkeypatch.setattr(other_scheme, "PATIENCE_SECONDS", 0.05)
    held: list[socket.socket] = []
    heads: list[bytes] = []

    def talk(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        if head.startswith(b"HEAD ") or says == "400":
            status = b"404 Not Found" if says == "nothing" else b"400 Bad Request"
            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
        else:
            held.append(connection.dup())

    pauses: list[float] = []
    with raw_server(talk) as url:
        secure = url.replace("http:", "https:")
        with pytest.raises(WrongSchemeError) as refused:
            ask(client(secure, retries=3, pause=pauses.append))
    assert refused.value.message == f"{secure} answers in plain HTTP, not in HTTPS"
    assert refused.value.hint == f"write {url}"
    assert pauses == []
    assert not any(b"Bearer" in head for head in heads)
    for one in held:
        one.close()


def test_a_server_that_is_slow_to_shake_hands_is_waited_for(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_scheme, "PATIENCE_SECONDS", 0.05)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            connection, _ = listener.accept()
            # Servers of HTTPS tell who comes in plain HTTP so, in plain HTTP.
            other, _ = listener.accept()
            with other:
                assert other.recv(65_536).startswith(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1:")
                other.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65_536)
                secured.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                secured.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        asked = client(f"https://127.0.0.1:{port}", allow_untrusted=True)
        assert ask(asked).status == 204
        del asked
        thread.join(5)


@pytest.mark.parametrize("says", ["nothing", "400"])
def test_http_to_a_port_of_https_is_told_at_once(certificate: Path, says: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def talk(connection: socket.socket, head: bytes) -> None:
        if says == "400" and head.startswith(b"GET "):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    def shake(connection: socket.socket) -> bool:
        if connection.recv(1, socket.MSG_PEEK) != b"\x16":
            return False
        with contextlib.suppress(OSError), context.wrap_socket(connection.dup(), server_side=True) as secured:
            secured.recv(1)
        return True

    with raw_server(talk, first=shake) as url, pytest.raises(WrongSchemeError) as refused:
        ask(client(url, retries=3))
    assert refused.value.hint == f"write {url.replace('http:', 'https:')}"


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
