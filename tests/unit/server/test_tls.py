from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from sealstead.custody.files import UnsafeFileError
from sealstead.server import tls

HOSTS = ["127.0.0.1", "[::1]", "localhost"]
NOW = datetime.now(UTC)  # the handshake below judges by the machine's clock


def handshake(files: tls.CertificateFiles, authority: Path, name: str) -> str:
    """Connect a client that trusts `authority` to a server with `files`; return what the server's subject says."""
    ours, theirs = socket.socketpair()
    server = tls.server_context(files)
    client = ssl.create_default_context(cafile=str(authority))

    def serve() -> None:
        try:
            with server.wrap_socket(ours, server_side=True) as sock:
                sock.recv(1)
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(theirs, server_hostname=name) as sock:
            return str(sock.getpeercert())
    finally:
        theirs.close()
        thread.join()
        ours.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "localhost"])
def test_a_client_that_trusts_the_local_authority_connects(tmp_path: Path, name: str) -> None:
    files = tls.local_certificate(tmp_path, HOSTS, at=NOW)
    assert files.authority
    assert "Sealstead server" in handshake(files, files.authority, name)


def test_another_name_is_refused(tmp_path: Path) -> None:
    files = tls.local_certificate(tmp_path, HOSTS, at=NOW)
    assert files.authority
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, files.authority, "packages.example.org")


def test_the_authority_is_limited_to_this_server_s_hosts(tmp_path: Path) -> None:
    """A stolen authority key must not vouch for other hosts to those who trust it."""
    files = tls.local_certificate(tmp_path, HOSTS, at=NOW)
    assert files.authority
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert {tree.value for tree in limits.value.permitted_subtrees or []} == {
        "localhost",
        ipaddress.ip_network("127.0.0.1/32"),
        ipaddress.ip_network("::1/128"),
    }


def test_keys_are_the_owner_s_alone(tmp_path: Path) -> None:
    tls.local_certificate(tmp_path, HOSTS, at=NOW)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "ca.pem": 0o644,
        "server.pem": 0o644,
        "ca.key": 0o600,
        "server.key": 0o600,
    }


def snapshot(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_good_certificate_is_kept_until_thirty_days_before_its_end(tmp_path: Path) -> None:
    files = tls.local_certificate(tmp_path, HOSTS, at=NOW)
    before = snapshot(tmp_path)
    end = tls.expires_at(files.certificate)
    tls.local_certificate(tmp_path, HOSTS, at=end - timedelta(days=30, seconds=1))
    assert snapshot(tmp_path) == before
    tls.local_certificate(tmp_path, HOSTS, at=end - timedelta(days=30))
    after = snapshot(tmp_path)
    assert after["server.pem"] != before["server.pem"]
    assert (after["ca.pem"], after["ca.key"]) == (before["ca.pem"], before["ca.key"])


def test_an_authority_that_would_not_outlive_a_certificate_is_made_anew(tmp_path: Path) -> None:
    files = tls.local_certificate(tmp_path, HOSTS, at=NOW)
    assert files.authority
    before = snapshot(tmp_path)
    tls.local_certificate(tmp_path, HOSTS, at=tls.expires_at(files.authority) - tls.LEAF_LIFE)
    assert snapshot(tmp_path)["ca.pem"] != before["ca.pem"]


def test_a_new_host_gets_a_certificate_and_an_authority_that_allows_it(tmp_path: Path) -> None:
    tls.local_certificate(tmp_path, HOSTS, at=NOW)
    files = tls.local_certificate(tmp_path, [*HOSTS, "packages.example.org"], at=NOW)
    assert files.authority
    assert handshake(files, files.authority, "packages.example.org")


@pytest.mark.parametrize("lost", ["server.key", "server.pem", "ca.key", "ca.pem"])
def test_a_start_after_a_power_cut_between_two_files_heals(tmp_path: Path, lost: str) -> None:
    tls.local_certificate(tmp_path, HOSTS, at=NOW)
    (tmp_path / lost).unlink()
    files = tls.local_certificate(tmp_path, HOSTS, at=NOW)
    assert files.authority
    assert handshake(files, files.authority, "localhost")


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    first = tls.local_certificate(tmp_path, HOSTS, at=NOW)
    (tmp_path / "other").mkdir()
    other = tls.local_certificate(tmp_path / "other", HOSTS, at=NOW)
    with pytest.raises(tls.UnusableCertificateError) as caught:
        tls.server_context(tls.CertificateFiles(certificate=first.certificate, key=other.key))
    assert caught.value.code == "unusable-certificate"
    assert "key values mismatch" in caught.value.message


def test_a_missing_or_foreign_file_is_told(tmp_path: Path) -> None:
    files = tls.local_certificate(tmp_path, HOSTS, at=NOW)
    with pytest.raises(tls.UnusableCertificateError, match=r"none\.pem is missing"):
        tls.server_context(tls.CertificateFiles(certificate=tmp_path / "none.pem", key=files.key))
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(tls.UnusableCertificateError, match="cannot be used"):
        tls.server_context(tls.CertificateFiles(certificate=tmp_path / "text.pem", key=files.key))


def test_an_authority_key_open_to_others_is_refused(tmp_path: Path) -> None:
    tls.local_certificate(tmp_path, HOSTS, at=NOW)
    (tmp_path / "ca.key").chmod(0o644)
    with pytest.raises(UnsafeFileError):
        tls.local_certificate(tmp_path, HOSTS, at=NOW)


def test_old_protocol_versions_are_off(tmp_path: Path) -> None:
    context = tls.server_context(tls.local_certificate(tmp_path, HOSTS, at=NOW))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
