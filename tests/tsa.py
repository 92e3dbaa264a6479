"""A time-stamp authority of this machine: `openssl ts` behind HTTP, which also misbehaves in every way we know.

The path says how: `/` answers properly, `/wrong-nonce` and the like do not. `requests` counts what was asked.
"""

from __future__ import annotations

import contextlib
import gzip
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.programs import require_program
from tests.signers import Holder, issue, leaf, root
from tests.stamps import response, stamp

from sealstead.formats import der
from sealstead.formats.tsp import make_request

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {place}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""

_GRANTED = bytes.fromhex("020100")
"""PKIStatus INTEGER 0, the first of its kind in an answer."""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool = False,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
    begin: datetime,
    end: datetime,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


class Tsa:
    """`root` is the certificate (PEM) that its tokens lead to."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.url = ""
        self.requests: Counter[str] = Counter()
        self._counted = threading.Condition()
        self.let_go = threading.Event()
        self._lock = threading.Lock()
        self._last: bytes | None = None
        now = datetime.now(UTC).replace(microsecond=0)
        long_ago, later = now - timedelta(days=2000), now + timedelta(days=2000)
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _certificate(
            "Test TSA root", root_key, "Test TSA root", root_key, ca=True, begin=long_ago, end=later
        )
        self.root = place / "tsa-root.pem"
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        for name, usage, end in (
            ("good", ExtendedKeyUsageOID.TIME_STAMPING, later),
            ("expired", ExtendedKeyUsageOID.TIME_STAMPING, now - timedelta(days=1)),
        ):
            leaf = _certificate(
                f"Test TSA {name}", key, "Test TSA root", root_key, usage=usage, begin=long_ago, end=end
            )
            (place / f"{name}.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        (place / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (place / "serial").write_text("01\n")
        (place / "tsa.cnf").write_text(CONFIG.format(place=place))

    def count(self, mode: str) -> None:
        with self._counted:
            self.requests[mode] += 1
            self._counted.notify_all()

    def asked(self, mode: str, times: int) -> bool:
        """Wait until this has been asked so often. Who was given up by the client reads the question all the same."""
        with self._counted:
            return self._counted.wait_for(lambda: self.requests[mode] >= times, timeout=300)

    def reply(self, query: bytes, signer: str = "good") -> bytes:
        with self._lock, tempfile.TemporaryDirectory(dir=self.place) as name:
            question, answer = Path(name) / "query", Path(name) / "reply"
            question.write_bytes(query)
            command = ["openssl", "ts", "-reply", "-config", str(self.place / "tsa.cnf"), "-section", "one"]
            command += ["-queryfile", str(question), "-out", str(answer), "-chain", str(self.root)]
            command += ["-signer", str(self.place / f"{signer}.pem"), "-inkey", str(self.place / "key.pem")]
            subprocess.run(command, check=True, capture_output=True, timeout=100)
            return answer.read_bytes()

    def answer(self, mode: str, query: bytes) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body."""
        if mode.partition("-")[0].isdecimal():
            status, _, wait = mode.partition("-")
            return int(status), {"Retry-After": wait} if wait else {}, b"no"
        if mode in _ELSEWHERE:
            return 302, {"Location": _ELSEWHERE[mode]}, b""
        if mode == "html":
            return 200, {"Content-Type": "text/html"}, b"<p>Welcome to the hotel's network</p>"
        headers = {"Content-Type": "application/timestamp-reply"}
        if mode == "gzip-bomb":
            return 200, headers | {"Content-Encoding": "gzip"}, _bomb()
        return 200, headers, self._body(mode, query)

    def _body(self, mode: str, query: bytes) -> bytes:
        fixed = {
            "garbage": b"\x30\x82garbage",
            "empty": b"",
            "huge": bytes(1 << 20),
            "huge-length": b"\x30\x84\x7f\xff\xff\xff\x30\x03\x02\x01\x00",
            "longer-length": b"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff\x30\x03\x02\x01\x00",
        }
        changed = {
            "rejection": lambda: query[:-3] + b"\xff\xff\xff",
            "wrong-nonce": lambda: _other_nonce(query),
            "wrong-imprint": lambda: _other_imprint(query),
            "other-algorithm": lambda: make_request("SHA384", bytes(48), nonce=_asked(query)[1]),
        }
        if mode in fixed:
            return fixed[mode]
        if mode in _WRONG_CERTIFICATES:
            # Not by openssl, which makes no time-stamps with such certificates.
            imprint, nonce = _asked(query)
            at = f"{datetime.now(UTC):%Y%m%d%H%M%SZ}"
            return response(0, token=stamp(imprint, nonce=nonce, at=at, holder=_WRONG_CERTIFICATES[mode]()))
        if mode == "replay" and self._last:
            return self._last
        asked = changed[mode]() if mode in changed else query
        answer = self.reply(asked, "expired" if mode == "expired" else "good")
        match mode:
            case "replay":
                self._last = answer
                return answer
            case "granted-with-mods":
                return answer.replace(_GRANTED, bytes.fromhex("020101"), 1)
            case "truncated":
                return answer[:-40]
            case "broken":
                return answer[:-3] + bytes([answer[-3] ^ 1]) + answer[-2:]  # the signature comes last
            case _:
                return answer


_ELSEWHERE = {
    "to-a-file": "file:///etc/passwd",
    "to-a-neighbour": "http://169.254.169.254/latest/meta-data/",
    "to-itself": "/",
}
_WRONG_CERTIFICATES: dict[str, Callable[[], Holder]] = {
    "no-usage": lambda: issue(root(), "ec", "Test no usage", usage=None),
    "code-signing": leaf,
    "usage-not-critical": lambda: issue(
        root(), "ec", "Test not critical", usage=ExtendedKeyUsageOID.TIME_STAMPING
    ),
}
UNENDING = {"trickle": (b"0", 0.02), "endless": (bytes(1 << 16), 0.0)}
"""What comes again and again, and after how many seconds."""


@cache
def _bomb() -> bytes:
    """16 MiB in as many KiB."""
    return gzip.compress(bytes(16 << 20), 9)


def _asked(query: bytes) -> tuple[bytes, int]:
    """Return imprint and nonce."""
    parts = der.walk(query, der.whole(query, "a query"), "a query")
    parts.take(der.INTEGER)
    imprint = der.walk(query, parts.take(der.SEQUENCE), "an imprint")
    imprint.take(der.SEQUENCE)
    return imprint.take(der.OCTET_STRING).content(query), der.read_integer(query, parts.take(der.INTEGER))


def _other_nonce(query: bytes) -> bytes:
    # The nonce is the last INTEGER before certReq (BOOLEAN TRUE, three bytes).
    return query[:-4] + bytes([query[-4] ^ 1]) + query[-3:]


def _other_imprint(query: bytes) -> bytes:
    at = query.index(bytes.fromhex("0420")) + 2
    return query[:at] + bytes([query[at] ^ 1]) + query[at + 1 :]


@contextlib.contextmanager
def serving(place: Path) -> Iterator[Tsa]:
    """Answer on a free port of the loopback interface."""
    require_program("openssl")
    place.mkdir(parents=True, exist_ok=True)
    tsa = Tsa(place)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            mode = self.path.strip("/")
            query = self.rfile.read(int(self.headers["Content-Length"]))
            tsa.count(mode)
            if mode == "slow":
                tsa.let_go.wait()
                self.close_connection = True
                return
            if mode in UNENDING:
                self._go_on_and_on(*UNENDING[mode])
                return
            status, headers, body = tsa.answer(mode, query)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def _go_on_and_on(self, piece: bytes, pause: float) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            with contextlib.suppress(OSError):
                while not tsa.let_go.wait(pause):
                    self.wfile.write(piece)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    tsa.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield tsa
    finally:
        tsa.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
