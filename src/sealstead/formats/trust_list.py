"""Microsoft's list of trusted roots (`authroot.stl`, a Certificate Trust List): what each root is trusted for.

A bundle of certificates alone says too little: half of its roots are for web servers only, others are trusted for what
was issued or signed before some day. Properties are numbered as in `wincrypt.h` (`CERT_…_PROP_ID`).

Not here: whether the list is genuine. It comes with a package that is installed with a pinned hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sealstead.errors import ParseError
from sealstead.formats.cms_read import parse_signed_data
from sealstead.formats.der import (
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    MalformedDerError,
    children,
    read_oid,
    read_tlv,
    walk,
    whole,
)

CTL = "1.3.6.1.4.1.311.10.1"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"

_PROPERTY = "1.3.6.1.4.1.311.10.11."
_PURPOSES = _PROPERTY + "9"
_DISTRUSTED_FROM, _DISTRUSTED_PURPOSES = _PROPERTY + "104", _PROPERTY + "122"
_ISSUED_BEFORE, _ISSUED_BEFORE_PURPOSES = _PROPERTY + "126", _PROPERTY + "127"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_FILETIME_BYTES = 8
_SHA1_BYTES = 20
_WHAT = "a list of trusted roots"


class NotTrustListError(ParseError):
    """Not a Certificate Trust List."""

    code = "not-trust-list"


@dataclass(frozen=True, kw_only=True)
class TrustedRoot:
    """What a root is trusted for. No purposes (None) means each one."""

    purposes: frozenset[str] | None
    distrusted_from: datetime | None
    distrusted_purposes: frozenset[str] | None
    issued_before: datetime | None
    issued_before_purposes: frozenset[str] | None

    def is_trusted(self, purpose: str, *, at: datetime, issued_at: datetime) -> bool:
        """Whether it stands behind a certificate of `issued_at`, used for `purpose` at the moment `at`."""
        if self.purposes is not None and purpose not in self.purposes:
            return False
        if (
            self.distrusted_from is not None
            and _concerns(self.distrusted_purposes, purpose)
            and at >= self.distrusted_from
        ):
            return False
        return not (
            self.issued_before is not None
            and _concerns(self.issued_before_purposes, purpose)
            and issued_at >= self.issued_before
        )


def parse_trust_list(der: bytes) -> dict[bytes, TrustedRoot]:
    """Return what is said of each root, by the SHA-1 of its certificate.

    Raises:
        NotTrustListError: signed data of something else.
        MalformedCmsError, MalformedDerError: as far as it could be read.
    """
    signed = parse_signed_data(der)
    content = signed.content
    if signed.content_type != CTL or content is None:
        raise NotTrustListError("no list of trusted roots")
    sequences = [part for part in children(content, whole(content, _WHAT)) if part.tag == SEQUENCE]
    # Usage, algorithm and the list itself; a number and a moment stand between them.
    if len(sequences) != 3:  # noqa: PLR2004 - said above
        raise NotTrustListError("no list of trusted roots")
    found = {}
    for entry in children(content, sequences[2]):
        parts = walk(content, entry, _WHAT)
        sha1 = parts.take(OCTET_STRING).content(content)
        if len(sha1) != _SHA1_BYTES:
            raise NotTrustListError("a list of trusted roots that does not name them by SHA-1")
        attributes = parts.find(SET)
        properties = {}
        for attribute in children(content, attributes) if attributes else ():
            both = walk(content, attribute, _WHAT)
            name = read_oid(content, both.take(OID))
            values = both.take(SET)
            properties[name] = read_tlv(content, values.header, values.end).content(content)
        found[sha1] = TrustedRoot(
            purposes=_purposes(properties.get(_PURPOSES)),
            distrusted_from=_moment(properties.get(_DISTRUSTED_FROM)),
            distrusted_purposes=_purposes(properties.get(_DISTRUSTED_PURPOSES)),
            issued_before=_moment(properties.get(_ISSUED_BEFORE)),
            issued_before_purposes=_purposes(properties.get(_ISSUED_BEFORE_PURPOSES)),
        )
    return found


def _concerns(purposes: frozenset[str] | None, purpose: str) -> bool:
    return purposes is None or purpose in purposes


def _purposes(value: bytes | None) -> frozenset[str] | None:
    if value is None:
        return None
    return frozenset(read_oid(value, one) for one in children(value, whole(value, _WHAT)))


def _moment(value: bytes | None) -> datetime | None:
    """Return a FILETIME: tenths of a microsecond since 1601. Without any digits: since ever."""
    if value is None:
        return None
    if not value:
        return _EPOCH
    if len(value) != _FILETIME_BYTES:
        raise MalformedDerError("a moment in a list of trusted roots cannot be read")
    try:
        return _EPOCH + timedelta(microseconds=int.from_bytes(value, "little") // 10)
    except OverflowError as exc:
        raise MalformedDerError("a moment in a list of trusted roots cannot be") from exc
