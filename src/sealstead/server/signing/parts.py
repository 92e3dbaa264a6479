"""The public parts of a certificate as files: to be published, and to be told to verifiers. Never a private key."""

from __future__ import annotations

import re

from sealstead.server.signing.admin import pem
from sealstead.server.signing.create import chain_of
from sealstead.server.signing.models import Certificate

PARTS = ("certificate", "chain", "root", "public-key", "request")


def parts_of(row: Certificate) -> list[str]:
    """Return which parts there are."""
    return [part for part in PARTS if _content(row, part)]


def file_of(row: Certificate, part: str) -> tuple[str, str]:
    """Return the name and the content of a part; both blank if the certificate has no such part."""
    content = _content(row, part)
    if not content:
        return "", ""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", row.label or row.alias).strip("-.") or "certificate"
    suffix = {"public-key": ".pub", "request": ".csr", "certificate": ".pem"}.get(part, f"-{part}.pem")
    return f"{stem}{suffix}", content


def request_text(row: Certificate) -> str:
    """Return the request for a certificate as PEM, while it is awaited."""
    return _content(row, "request")


def _content(row: Certificate, part: str) -> str:
    match part:
        case "certificate" if row.certificate is not None:
            return pem(bytes(row.certificate), "CERTIFICATE") + "\n"
        case "chain" if row.chain:
            return "".join(pem(der, "CERTIFICATE") + "\n" for der in chain_of(row))
        case "root" if row.chain and row.is_test:
            return pem(chain_of(row)[-1], "CERTIFICATE") + "\n"
        case "public-key" if row.public_key:
            return f"untrusted comment: {row.subject}\n{row.public_key}\n"
        case "request" if row.csr is not None and row.awaits_chain:
            return pem(bytes(row.csr), "CERTIFICATE REQUEST") + "\n"
        case _:
            return ""
