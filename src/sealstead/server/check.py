"""`sealstead admin check`: everything about a server at rest that can be wrong without anybody noticing.

It changes nothing. A problem is what breaks the server or exposes it; a note is what an operator may have wanted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sealstead.errors import SealsteadError
from sealstead.server.config import Config
from sealstead.server.config_file import SETTINGS_FILE, read_config
from sealstead.server.datadir import check_data_dir
from sealstead.server.prepare import answering, check_ring_fits, open_existing
from sealstead.server.tls import CertificateFiles, expires_at, server_context

_OTHERS = 0o077
_ENDS_SOON = timedelta(days=30)
_SAMPLES = 100
_SQLITE_FULL = 2


@dataclass(frozen=True, kw_only=True)
class Finding:
    code: str
    problem: bool
    message: str
    hint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_server(data_dir: Path) -> list[Finding]:
    """Return what was found, problems first. A data directory that is not there is an error, not a finding.

    Raises:
        NoDataDirError
    """
    try:
        data_dir = check_data_dir(data_dir)
    except SealsteadError as exc:
        if exc.code == "no-data-dir":
            raise
        return [_problem(exc)]
    findings = list(_files(data_dir))
    try:
        config = read_config(data_dir, os.environ)
        findings += [*_settings(config), *_certificate(config)]
        open_existing(data_dir)
        with answering():
            findings += [*_database(), *_seals(), *_signing_keys(config.clock.now()), *_blobs(config)]
    except SealsteadError as exc:
        # An open key ring is noticed by its mode and once more by who reads it.
        if exc.message not in {finding.message for finding in findings}:
            findings.append(_problem(exc))
    return sorted(findings, key=lambda finding: not finding.problem)


def _problem(exc: SealsteadError) -> Finding:
    return Finding(code=exc.code, problem=True, message=exc.message, hint=exc.hint)


def _files(data_dir: Path) -> Iterator[Finding]:
    secret = ["keyring.json", SETTINGS_FILE, "db.sqlite3", "db.sqlite3-wal", "tls/ca.key", "tls/server.key"]
    paths = [data_dir / name for name in secret]
    paths += [data_dir / name for name in ("blobs", "outbox", "logs", "tls")]
    for path in paths:
        if path.is_symlink():
            yield Finding(code="symbolic-link", problem=True, message=f"{path} is a symbolic link")
        elif path.exists() and path.stat().st_mode & _OTHERS:
            yield Finding(
                code="open-to-others",
                # The settings stand in a directory that others cannot enter, and `serve` takes them as they are.
                problem=path.name != SETTINGS_FILE,
                message=f"{path} is open to other users",
                hint=f"run: chmod {'700' if path.is_dir() else '600'} {path}",
            )
        elif path.exists() and path.stat().st_uid != os.geteuid():
            yield Finding(
                code="foreign-owner", problem=True, message=f"{path} belongs to another user", hint=None
            )


def _settings(config: Config) -> Iterator[Finding]:
    if not config.smtp_host:
        yield Finding(
            code="no-mail-server",
            problem=False,
            message="no mail server is set: mails become files in outbox/",
            hint="set smtp_host",
        )
    if config.public_url.startswith("http://") and config.host not in {"127.0.0.1", "::1", "localhost"}:
        yield Finding(
            code="no-tls",
            problem=True,
            message="the server is reached without TLS: passwords and tokens travel in the clear",
            hint="set public_url to the https:// address of your proxy, or tls_cert and tls_key",
        )
    if not config.security_contact:
        yield Finding(
            code="no-security-contact",
            problem=False,
            message="there is no /.well-known/security.txt",
            hint="set security_contact",
        )


def _certificate(config: Config) -> Iterator[Finding]:
    if not (config.tls_cert and config.tls_key):
        return
    server_context(CertificateFiles(certificate=config.tls_cert, key=config.tls_key))
    if config.tls_key.stat().st_mode & _OTHERS:
        yield Finding(
            code="open-to-others",
            problem=True,
            message=f"{config.tls_key} is open to other users",
            hint=f"run: chmod 600 {config.tls_key}",
        )
    end = expires_at(config.tls_cert)
    if end - config.clock.now() < _ENDS_SOON:
        yield Finding(
            code="certificate-ends",
            problem=True,
            message=f"{config.tls_cert} ends on {end:%Y-%m-%d}",
            hint="renew it, then send SIGHUP to the server",
        )


def _database() -> Iterator[Finding]:
    from django.db import connection

    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        if cursor.fetchone()[0] != _SQLITE_FULL:
            yield Finding(
                code="not-durable",
                problem=True,
                message="the database does not wait for the disk: synchronous is not FULL",
            )
        cursor.execute("PRAGMA quick_check(1)")
        if cursor.fetchone()[0] != "ok":
            yield Finding(
                code="database-damaged",
                problem=True,
                message="the database file is damaged",
                hint="restore it from your backup",
            )


def _seals() -> Iterator[Finding]:
    from sealstead.server.credentials.models import Credential
    from sealstead.server.credentials.seal import open_root

    check_ring_fits()
    broken = 0
    for row in Credential.objects.filter(sealed_root__isnull=False).order_by("-created_at")[:_SAMPLES]:
        try:
            open_root(row)
        except SealsteadError:
            broken += 1
    if broken:
        yield Finding(
            code="seal-broken",
            problem=True,
            message=f"{broken} of the latest credentials do not open under this key ring",
            hint="the database was changed from outside, or belongs to another key ring",
        )


def _signing_keys(at: datetime) -> Iterator[Finding]:
    """Load each key as a signature would, and look at the ends of those that are in use."""
    from sealstead.server.signing.keys import load_key
    from sealstead.server.signing.models import Certificate

    for row in Certificate.objects.filter(is_root=False, csr=None).order_by("alias"):
        try:
            load_key(row)
        except SealsteadError as exc:
            cause = exc.__cause__ if isinstance(exc.__cause__, SealsteadError) else exc
            yield Finding(
                code="signing-key-damaged",
                problem=True,
                message=f"{row.alias} cannot sign: {cause.message}",
                hint="import the certificate again, or disable it",
            )
        if row.enabled and row.not_after is not None and row.not_after - at < _ENDS_SOON:
            ended = row.not_after <= at
            yield Finding(
                code="signing-certificate-ends",
                problem=ended,
                message=f"{row.alias} {'ended' if ended else 'ends'} on {row.not_after:%Y-%m-%d}",
                hint="give the renewed certificate the same label, then disable this one",
            )


def _blobs(config: Config) -> Iterator[Finding]:
    from sealstead.server.index.blobs import LocalBlobs
    from sealstead.server.index.models import File

    store = LocalBlobs(config.data_dir / "blobs")
    missing = [
        filename
        for filename, name, size in File.objects.filter(deleted_at__isnull=True)
        .values_list("filename", "blake2b", "size")
        .iterator()
        if not _whole(store.path(name), size)
    ]
    if missing:
        yield Finding(
            code="files-missing",
            problem=True,
            message=f"{len(missing)} distribution files are missing or cut short, the first is {missing[0]}",
            hint="restore blobs/ from your backup",
        )


def _whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
