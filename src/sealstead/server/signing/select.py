"""Which certificate is meant, and whether it may be used: the one place that decides.

Rules:
  * a user signs with what was granted to them; an administrator with everything but the test authority itself;
  * unknown and not granted are one answer. Only who may use a certificate is told that it is disabled or over;
  * an API key that is narrowed to labels sees certificates with these labels alone;
  * of several with one label (a renewal) the one that is enabled, valid now, and ends last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast
from uuid import UUID

from django.db import connection

from sealstead.formats.signing_certificate import check_period
from sealstead.server.accounts.models import User
from sealstead.server.signing.errors import (
    CertificateAwaitedError,
    CertificateDisabledError,
    CertificateNotFoundError,
    InvalidSelectorError,
    LabelNotAllowedError,
    ProfileMismatchError,
)
from sealstead.server.signing.models import Certificate, normalize_label
from sealstead.server.table_rows import select

SELECTORS: Final = ("thumbprint", "label", "subject")
"""The order of the reference: what names one certificate comes before what names several."""

_ALL: Final = "SELECT * FROM signing_certificate WHERE NOT is_root"
_GRANTED: Final = """
    SELECT c.* FROM signing_certificate c JOIN signing_grant g ON g.certificate_id = c.id
    WHERE g.user_id = %s AND NOT c.is_root
"""
_ALL_OF_LABEL: Final = "SELECT * FROM signing_certificate WHERE NOT is_root AND label_key = %s"
_GRANTED_OF_LABEL: Final = """
    SELECT c.* FROM signing_certificate c JOIN signing_grant g ON g.certificate_id = c.id
    WHERE g.user_id = %s AND NOT c.is_root AND c.label_key = %s
"""
_LONGEST: Final = 1000
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_HEX: Final = frozenset("0123456789ABCDEF")
_THUMBPRINTS: Final = (40, 64)


@dataclass(frozen=True, kw_only=True)
class Selector:
    """`by` is one of `SELECTORS`; `value` is as it is compared."""

    by: str
    value: str


def parse_selector(given: dict[str, object]) -> Selector:
    """Return the one selector among the members `label`, `thumbprint`, `subject`.

    Raises:
        InvalidSelectorError: none, several, or one that is no text or cannot be.
    """
    named = [name for name in SELECTORS if given.get(name) is not None]
    if len(named) != 1:
        raise InvalidSelectorError("name the certificate by exactly one of label, thumbprint, subject")
    value = given[named[0]]
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
        raise InvalidSelectorError(f"the {named[0]} is not a text that names a certificate")
    if named[0] == "thumbprint":
        digits = "".join(c for c in value.upper() if c not in " :")
        if len(digits) not in _THUMBPRINTS or not _HEX.issuperset(digits):
            raise InvalidSelectorError("the thumbprint is not a SHA-1 or SHA-256 in hexadecimal digits")
        return Selector(by="thumbprint", value=digits)
    return Selector(by=named[0], value=normalize_label(value))


def find_certificates(
    user: User, *, labels: Iterable[str] | None = None, selector: Selector | None = None, at: datetime
) -> list[Certificate]:
    """Return what `user` may use, narrowed to `labels` and to `selector`, the best first."""
    allowed = None if labels is None else {normalize_label(label) for label in labels}
    found = [
        row
        for row in _rows(user, selector)
        if (allowed is None or row.label_key in allowed)
        and (selector is None or _MATCHES[selector.by](row, selector.value))
    ]
    return sorted(found, key=lambda row: _rank(row, at), reverse=True)


def choose_certificate(
    user: User,
    *,
    labels: Iterable[str] | None,
    selector: Selector,
    profile: str,
    at: datetime,
    only: str | None = None,
) -> Certificate:
    """Return the certificate to sign with. `only` is the id of the one that comes into question at all.

    Raises:
        LabelNotAllowedError: the API key is narrowed to other labels than the one named.
        CertificateNotFoundError: unknown, or not granted.
        ProfileMismatchError, CertificateAwaitedError, CertificateDisabledError, CertificatePeriodError: granted, and not to be used so.
    """
    if labels is not None and selector.by == "label" and selector.value not in map(normalize_label, labels):
        raise LabelNotAllowedError("this API key is limited to other labels")
    found = find_certificates(user, labels=labels, selector=selector, at=at)
    if only is not None:
        found = [row for row in found if str(row.pk) == only]
    if not found:
        raise CertificateNotFoundError
    of_profile = [row for row in found if row.profile == profile]
    if not of_profile:
        raise ProfileMismatchError(
            f"the certificate makes signatures of the profile {found[0].profile}, not {profile}"
        )
    best = of_profile[0]
    if best.awaits_chain:
        raise CertificateAwaitedError("the certificate has been requested and not been loaded yet")
    if not best.enabled:
        raise CertificateDisabledError("the certificate is disabled")
    check_period(best.not_before, best.not_after, at)
    return best


def _rows(user: User, selector: Selector | None) -> list[Certificate]:
    """Return a few rows by statements written out: this runs before every signature."""
    if selector is not None and selector.by == "label":
        if user.is_superuser:
            return select(Certificate, _ALL_OF_LABEL, [selector.value], remember=True)
        return select(Certificate, _GRANTED_OF_LABEL, [_database_id(user.pk), selector.value], remember=True)
    if user.is_superuser:
        return select(Certificate, _ALL, [], remember=True)
    return select(Certificate, _GRANTED, [_database_id(user.pk)], remember=True)


def _thumbprint(row: Certificate, value: str) -> bool:
    return value in (row.thumbprint, row.thumbprint_sha256)


def _label(row: Certificate, value: str) -> bool:
    return row.label_key == value


def _subject(row: Certificate, value: str) -> bool:
    """A part of it, whatever its case: what people know from signtool's `/n`."""
    return value in normalize_label(row.subject)


_MATCHES: Final[dict[str, Callable[[Certificate, str], bool]]] = {
    "thumbprint": _thumbprint,
    "label": _label,
    "subject": _subject,
}


def _rank(row: Certificate, at: datetime) -> tuple[bool, bool, bool, datetime, datetime]:
    end = row.not_after or _NEVER
    valid = (row.not_before is None or row.not_before <= at) and at < end
    return (row.certificate is not None or bool(row.public_key), row.enabled, valid, end, row.created_at)


def _database_id(value: UUID) -> str | UUID:
    return cast("str | UUID", Certificate._meta.pk.get_db_prep_value(value, connection))  # noqa: SLF001 - Django's documented name
