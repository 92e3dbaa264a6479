"""What the signing server makes, believed by programs that are not ours: osslsigncode, openssl, minisign."""

from __future__ import annotations

import hashlib
import io
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from tests.api_keys import issue_key
from tests.executables import launcher
from tests.fakes.clock import FakeClock
from tests.programs import require_program
from tests.signing import ORIGIN, Client, b64
from tests.tokens import T0, make_account

from sealstead.formats.pe import plan_signature
from sealstead.formats.pe_digest import hash_pe
from sealstead.formats.pe_layout import parse_layout
from sealstead.server.signing.admin import Which, export
from sealstead.server.signing.create import By, Named, create_minisign, create_test
from sealstead.server.signing.manage import grant
from sealstead.server.signing.models import Certificate, Profile

pytestmark = [pytest.mark.interop, pytest.mark.django_db]


@pytest.fixture
def client(fake_clock: FakeClock, tmp_path: Path) -> Client:
    """Ada may sign with a test certificate of each profile; `root.pem` is their authority."""
    # The programs ask the machine's clock.
    fake_clock.moment = at = datetime.now(T0.tzinfo)
    by = By(actor=None, at=at, origin=ORIGIN)
    ada = make_account("ada")
    for label, algorithm, profile in (
        ("rsa", "RSA-2048", Profile.AUTHENTICODE),
        ("ec", "P-384", Profile.AUTHENTICODE),
        ("files", "P-256", Profile.CMS_DETACHED),
    ):
        made = create_test("", Named(label=label, profile=profile), by, algorithm=algorithm)
        grant(made.row, ada, by)
    grant(create_minisign(Named(label="wheels", profile=Profile.MINISIGN), by).row, ada, by)
    (tmp_path / "root.pem").write_text(export(Which(label="rsa"), part="root", at=at) + "\n")
    return Client(issue_key(owner=ada, at=at, expires_at=None)[1])


@pytest.mark.parametrize(("label", "algorithm"), [("rsa", "SHA256"), ("ec", "SHA512")])
def test_osslsigncode_believes_a_signed_program(
    client: Client, tmp_path: Path, label: str, algorithm: str
) -> None:
    program = require_program("osslsigncode")
    data = launcher()
    layout = parse_layout(data, len(data))
    digest = hash_pe(io.BytesIO(data), [algorithm], layout)[algorithm]
    answer = client.sign(
        {"kind": "pe", "digest": b64(digest), "file_name": "t64.exe"},
        label=label,
        algorithm=algorithm,
        description="Harbour",
        description_url="https://example.org/",
    )
    plan = plan_signature(layout, answer.signatures[0])
    signed = bytearray(data.ljust(plan.final_size, b"\0"))
    for offset, written in plan.writes:
        signed[offset : offset + len(written)] = written
    (tmp_path / "signed.exe").write_bytes(signed)
    done = subprocess.run(
        [program, "verify", "-CAfile", tmp_path / "root.pem", "-in", tmp_path / "signed.exe"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signature verification: ok" in done.stdout
    assert "Harbour" in done.stdout


def test_openssl_believes_a_detached_signature(client: Client, tmp_path: Path) -> None:
    program = require_program("openssl")
    (tmp_path / "data").write_bytes(b"sums of a release")
    digest = hashlib.sha256(b"sums of a release").digest()
    answer = client.sign({"kind": "file", "digest": b64(digest)}, label="files", profile="cms-detached")
    (tmp_path / "data.p7s").write_bytes(answer.signatures[0])
    done = subprocess.run(
        [
            *(program, "cms", "-verify", "-inform", "DER", "-in", tmp_path / "data.p7s", "-binary"),
            *("-content", tmp_path / "data", "-CAfile", tmp_path / "root.pem", "-purpose", "any"),
        ],
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, b"sums of a release"), done.stderr


def test_minisign_believes_a_signature(client: Client, tmp_path: Path) -> None:
    program = require_program("minisign")
    (tmp_path / "a.whl").write_bytes(b"wheel")
    digest = hashlib.blake2b(b"wheel").digest()
    answer = client.sign(
        {"kind": "file", "digest": b64(digest), "file_name": "a.whl"},
        label="wheels",
        profile="minisign",
        algorithm="BLAKE2b-512",
    )
    (tmp_path / "a.whl.minisig").write_bytes(answer.signatures[0])
    key = Certificate.objects.get(label="wheels").public_key
    done = subprocess.run(
        [program, "-Vm", tmp_path / "a.whl", "-P", key],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "file:a.whl\thashed" in done.stdout
