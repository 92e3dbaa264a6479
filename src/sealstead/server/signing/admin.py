"""What the operator does with certificates at the command line: values in, plain facts out.

The operator is no account: the actor of every event is nobody, its address blank.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from sealstead.durations import parse_duration
from sealstead.errors import InputError
from sealstead.secret import Secret
from sealstead.server.accounts.find import get_user
from sealstead.server.audit.record import Origin
from sealstead.server.signing.create import (
    DEFAULT_ALGORITHM,
    TEST_LIFE,
    By,
    Made,
    Named,
    chain_of,
    create_minisign,
    create_test,
    import_pem,
    import_pfx,
    request_certificate,
)
from sealstead.server.signing.describe import document_of, moment
from sealstead.server.signing.errors import (
    AmbiguousCertificateError,
    CertificateAwaitedError,
    CertificateNotFoundError,
)
from sealstead.server.signing.manage import grant, load_certificate, remove, switch, withdraw
from sealstead.server.signing.models import Certificate, Profile, normalize_label

OPERATOR = Origin(user_agent="sealstead admin")
_SOME = 10
_LONGEST_LIFE = timedelta(days=3650)


class CertificateSourceError(InputError):
    """None or several of the ways to make a certificate were chosen, or one that its profile does not have."""

    code = "certificate-source"


@dataclass(frozen=True, kw_only=True)
class Which:
    """What the command line names a certificate by."""

    label: str | None = None
    alias: str | None = None
    thumbprint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Created:
    facts: dict[str, Any]
    text: str
    """What stdout is for: the request (PEM), the public key (minisign), else the thumbprint."""
    warnings: tuple[str, ...]


def now() -> datetime:
    return settings.SEALSTEAD.clock.now()


def create(
    *,
    label: str,
    alias: str | None,
    profile: str,
    subject: str | None,
    algorithm: str | None,
    expires: str | None,
    source: str | None,
    data: bytes,
    password: Secret[str] | None,
    at: datetime,
) -> Created:
    """Make a certificate out of `source`: `test`, `csr`, `pfx`, `pem`, or None for minisign.

    Raises:
        CertificateSourceError, and those of `create.py`.
    """
    named = Named(label=label, profile=Profile(profile), alias=alias or "")
    by = By(actor=None, at=at, origin=OPERATOR)
    chosen = algorithm or DEFAULT_ALGORITHM
    made: Made
    match source, named.profile:
        case None, Profile.MINISIGN:
            made = create_minisign(named, by)
        case None, _:
            raise CertificateSourceError("choose one of --test, --pfx, --pem and --csr")
        case _, Profile.MINISIGN:
            raise CertificateSourceError("a minisign key has no certificate", hint="leave the source out")
        case "test", _:
            life = TEST_LIFE if expires is None else _life(expires)
            made = create_test(subject or "", named, by, algorithm=chosen, life=life)
        case "csr", _:
            made = request_certificate(subject or label, named, by, algorithm=chosen)
        case "pfx", _:
            made = import_pfx(data, password, named, by)
        case _:
            made = import_pem(data, password, named, by)
    row = made.row
    text = row.thumbprint
    if row.csr is not None:
        text = pem(bytes(row.csr), "CERTIFICATE REQUEST")
    elif row.public_key:
        text = row.public_key
    return Created(facts=facts_of(row), text=text, warnings=made.warnings)


def load(which: Which, data: bytes, *, at: datetime) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Put the issued certificate beside the key that waits for it; return its facts and warnings.

    Raises:
        CertificateNotFoundError, AmbiguousCertificateError, and those of `load_certificate`.
    """
    found = _find(which)
    row = _one([row for row in found if row.awaits_chain] or found)
    made = load_certificate(row, data, By(actor=None, at=at, origin=OPERATOR))
    return facts_of(made.row), made.warnings


def export(which: Which, *, part: str, at: datetime) -> str:
    """Return PEM: the `certificate`, its issuers (`chain`), or the last of them (`root`); for minisign the key file.

    Of several with one label the newest valid enabled one, as for signing.

    Raises:
        CertificateNotFoundError, CertificateAwaitedError, CertificateSourceError
    """
    found = _find(which)
    row = max(
        found,
        key=lambda one: (
            not one.awaits_chain,
            one.enabled,
            one.not_after is None or one.not_after > at,
            one.not_after or one.created_at,
        ),
    )
    if row.public_key:
        if part != "certificate":
            raise CertificateSourceError("a minisign key has no chain")
        return f"untrusted comment: {row.subject}\n{row.public_key}"
    if row.certificate is None:
        raise CertificateAwaitedError("the certificate has been requested and not been loaded yet")
    chain = chain_of(row)
    if part == "certificate":
        return pem(bytes(row.certificate), "CERTIFICATE")
    if not chain:
        raise CertificateNotFoundError(
            "the certificate came without a chain", hint="import it with its issuers, or leave the option out"
        )
    wanted = chain if part == "chain" else chain[-1:]
    return "\n".join(pem(der, "CERTIFICATE") for der in wanted)


def list_all() -> list[dict[str, Any]]:
    """Return every certificate, the test authority too, by alias."""
    rows = Certificate.objects.order_by("alias").prefetch_related("grants__user")
    return [facts_of(row) for row in rows]


def set_enabled(which: Which, *, enabled: bool, at: datetime) -> dict[str, Any]:
    """Switch one certificate. Raises CertificateNotFoundError, AmbiguousCertificateError."""
    return facts_of(switch(_one(_find(which)), By(actor=None, at=at, origin=OPERATOR), enabled=enabled))


def set_granted(which: Which, *, user: str, granted: bool, at: datetime) -> list[dict[str, Any]]:
    """Grant to the account, or take back, every certificate that is meant: those of a renewal share their label.

    Raises:
        NoSuchUserError, CertificateNotFoundError
    """
    owner = get_user(user)
    rows = [row for row in _find(which) if not row.is_root]
    if not rows:
        raise CertificateNotFoundError(
            "nobody signs with the root of the test authority", hint="name a label"
        )
    for row in rows:
        (grant if granted else withdraw)(row, owner, By(actor=None, at=at, origin=OPERATOR))
    return [facts_of(row) for row in rows]


def delete(which: Which, *, at: datetime) -> dict[str, Any]:
    """Destroy one key for good. Raises CertificateNotFoundError, AmbiguousCertificateError."""
    row = _one(_find(which))
    facts = facts_of(row)
    remove(row, By(actor=None, at=at, origin=OPERATOR))
    return facts


def missing_labels(labels: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return those of `labels` that no certificate has, each with a few that there are."""
    if not labels:
        return []
    rows = Certificate.objects.filter(is_root=False).exclude(label_key="").order_by("label_key")
    there = {row.label_key: row.label for row in rows}
    return [(label, list(there.values())[:_SOME]) for label in labels if normalize_label(label) not in there]


def facts_of(row: Certificate) -> dict[str, Any]:
    """Return what lists show, ready for JSON."""
    document = document_of(row)
    return {
        **{name: document[name] for name in document if name not in {"certificate", "chain"}},
        "is_root": row.is_root,
        "enabled": row.enabled,
        "awaits_certificate": row.awaits_chain,
        "created_at": moment(row.created_at),
        "last_used_at": moment(row.last_used_at),
        "users": sorted(one.user.get_username() for one in row.grants.all()),
    }


def pem(der: bytes, name: str) -> str:
    """Return the textual encoding of RFC 7468, without a line end at the end."""
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join((f"-----BEGIN {name}-----", *lines, f"-----END {name}-----"))


def _find(which: Which) -> list[Certificate]:
    given = {name: value for name, value in vars(which).items() if value is not None}
    if len(given) != 1:
        raise CertificateSourceError("name the certificate by one of --label, --alias and --thumbprint")
    rows = Certificate.objects.order_by("created_at")
    if which.label is not None:
        found = list(rows.filter(label_key=normalize_label(which.label), is_root=False))
    elif which.alias is not None:
        found = list(rows.filter(alias=which.alias))
    else:
        thumbprint = str(which.thumbprint).upper().replace(":", "").replace(" ", "")
        found = [*rows.filter(thumbprint=thumbprint), *rows.filter(thumbprint_sha256=thumbprint)]
        found = found if thumbprint else []
    if not found or not next(iter(given.values())).strip():
        name, value = next(iter(given.items()))
        raise CertificateNotFoundError(
            f"there is no certificate with the {name} {value!r}", hint="list-certificates shows all"
        )
    return found


def _one(rows: Sequence[Certificate]) -> Certificate:
    if len(rows) > 1:
        raise AmbiguousCertificateError(
            f"{len(rows)} certificates share the label {rows[0].label!r}",
            hint="name one with --alias or --thumbprint; list-certificates shows them",
        )
    return rows[0]


def _life(expires: str) -> timedelta:
    return parse_duration(expires, shortest=timedelta(minutes=1), longest=_LONGEST_LIFE)
