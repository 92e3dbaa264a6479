"""Mail through a real SMTP server: encrypted, signed in to, and refused."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.cli.conftest import Command
from tests.postgres import free_port

pytestmark = [
    pytest.mark.interop,
    # aiosmtpd leaves its closing to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PASSWORD = "a mail password 4711"


class Box:
    """Takes what it is given, but for one address."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox; your password is " + PASSWORD
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as above
        self, server: Any, session: Any, envelope: Envelope
    ) -> str:
        self.taken.append(envelope)
        return "250 OK"


def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (b"sealstead", PASSWORD.encode())
    return AuthResult(success=right, handled=right)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for `localhost` that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = (tmp_path / "certificate.pem", tmp_path / "key.pem")
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def mail_server(box: Box, certificate: tuple[Path, Path]) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=sign_in,
        ready_timeout=60,
    )
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def settings_of(
    mail_server: int, certificate: tuple[Path, Path], environment: dict[str, str]
) -> Callable[..., dict[str, str]]:
    def settings(**more: str) -> dict[str, str]:
        return environment | {
            "SEALSTEAD_SMTP_HOST": "localhost",
            "SEALSTEAD_SMTP_PORT": str(mail_server),
            "SEALSTEAD_SMTP_USER": "sealstead",
            "SEALSTEAD_SMTP_PASSWORD": PASSWORD,
            "SEALSTEAD_MAIL_FROM": "index@example.org",
            "SSL_CERT_FILE": str(certificate[0]),
            **more,
        }

    return settings


def test_a_mail_arrives_encrypted_and_signed_in_to(
    sealstead: Command, data_dir: Path, settings_of: Callable[..., dict[str, str]], box: Box
) -> None:
    done = sealstead(
        "admin", "test-mail", "ada@example.org", "--data-dir", data_dir, environment=settings_of()
    )
    assert done.code == 0, done.err
    (envelope,) = box.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("index@example.org", ["ada@example.org"])
    message = message_from_bytes(envelope.content or b"")
    assert message["From"] == "index@example.org"
    assert "asked for by the operator" in str(message.get_payload())


@pytest.mark.parametrize(
    ("address", "changed", "fact"),
    [
        ("nobody@example.org", {}, "did not take the mail: SMTPRecipientsRefused"),
        (
            "ada@example.org",
            {"SEALSTEAD_SMTP_PASSWORD": "wrong"},
            "did not take the mail: SMTPAuthenticationError",
        ),
        ("ada@example.org", {"SSL_CERT_FILE": "/dev/null"}, "did not take the mail: SSL"),
        ("ada@example.org", {"SEALSTEAD_SMTP_SECURITY": "none"}, "did not take the mail: SMTP"),
    ],
)
def test_a_refusal_is_one_line_without_the_password(
    address: str,
    changed: dict[str, str],
    fact: str,
    sealstead: Command,
    data_dir: Path,
    settings_of: Callable[..., dict[str, str]],
    box: Box,
) -> None:
    done = sealstead(
        "admin", "test-mail", address, "--data-dir", data_dir, environment=settings_of(**changed)
    )
    assert done.code == 5
    assert fact in done.err
    assert PASSWORD not in done.err
    assert box.taken == []
