"""Read signed data that others made (RFC 5652, section 5; PKCS #7 1.5), and put attributes into it.

Tolerant where signers differ (order inside sets, certificates of kinds unknown here, lengths said at the end), strict about bounds
and about anything that could hide: nothing may follow the structure, no attribute may stand twice where one counts.
Nothing that is read here is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from sealstead.errors import ParseError
from sealstead.formats.ber import definite
from sealstead.formats.certificate_names import issuer_and_serial, subject_key_id
from sealstead.formats.der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    MalformedDerError,
    Tlv,
    Walk,
    children,
    only,
    read_integer,
    read_oid,
    seq,
    splice,
    tlv,
    walk,
    whole,
)
from sealstead.formats.der import oid as der_oid
from sealstead.formats.digests import (
    DigestAlgorithm,
    ForeignDigestError,
    plain_digest,
    read_algorithm,
    read_digest_algorithm,
)
from sealstead.record import Record

ID_DATA = "1.2.840.113549.1.7.1"
ID_SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
ECDSA_WITH = {
    "SHA256": "1.2.840.10045.4.3.2",
    "SHA384": "1.2.840.10045.4.3.3",
    "SHA512": "1.2.840.10045.4.3.4",
}

_VERSIONS, _SIGNER_VERSIONS = (1, 3, 4, 5), (1, 3)
"""Which one it is follows from what else is in it (RFC 5652, sections 5.1 and 5.3): the parts say so themselves."""

MAX_SIGNERS = 16
MAX_CERTIFICATES = 64

_CONTEXT_0, _CONTEXT_1, _KEY_ID = 0xA0, 0xA1, 0x80
_WHAT = "a signature"


class MalformedCmsError(ParseError):
    """Not the signed data of CMS or PKCS #7."""

    code = "malformed-cms"


class Attribute(NamedTuple):
    oid: str
    values: tuple[bytes, ...]
    """Each in DER, as it stands there."""


class SignerInfo(Record, hidden=("signature",)):
    issuer_serial: tuple[bytes, bytes] | None
    """Issuer and serial number, encoded; None where `key_id` names the certificate."""
    key_id: bytes | None
    digest: DigestAlgorithm
    signed_attrs: bytes | None
    """What was signed, as a SET; None if the content itself was signed."""
    signed: tuple[Attribute, ...]
    signature_oid: str
    signature_parameters: bytes
    signature: bytes
    unsigned: tuple[Attribute, ...]

    def find_signed(self, oid: str) -> bytes | None:
        """Return the value of a signed attribute.

        Raises:
            MalformedCmsError: there are several: programs would differ over which one counts.
        """
        found = [attribute for attribute in self.signed if attribute.oid == oid]
        if not found:
            return None
        if len(found) > 1 or len(found[0].values) != 1:
            raise MalformedCmsError(f"{_WHAT} in which the attribute {oid} does not stand exactly once")
        return found[0].values[0]

    def unsigned_values(self, oid: str) -> tuple[bytes, ...]:
        return tuple(
            value for attribute in self.unsigned if attribute.oid == oid for value in attribute.values
        )


class SignedData(Record, hidden=("der", "content", "certificates")):
    der: bytes
    """With definite lengths, whatever it was read from."""
    content_type: str
    content: bytes | None
    """The whole value that was signed, with tag and length; None if it is detached."""
    certificates: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]
    digest_oids: tuple[str, ...]
    """Of the hash algorithms that it lists, known or not."""

    @property
    def content_body(self) -> bytes | None:
        """The octets that the message digest is over: the content without tag and length (RFC 5652, section 5.4)."""
        if self.content is None:
            return None
        return whole(self.content, "the content", tag=self.content[0]).content(self.content)

    @property
    def signer(self) -> SignerInfo:
        """The first signer; Authenticode and time-stamps have no other."""
        return self.signers[0]

    def certificate_of(self, signer: SignerInfo) -> bytes | None:
        """Return the certificate that `signer` names, if it came along."""
        for certificate in self.certificates:
            try:
                if signer.issuer_serial == issuer_and_serial(certificate):
                    return certificate
                if signer.key_id is not None and signer.key_id == subject_key_id(certificate):
                    return certificate
            except MalformedDerError:
                continue
        return None


def parse_signed_data(der: bytes) -> SignedData:
    """Return what a ContentInfo with signed data holds; nothing in it is proved yet.

    Raises:
        MalformedCmsError: it is none, or has no signer.
        MalformedDerError, ForeignDigestError: as far as it could be read.
    """
    der = definite(der)
    parts, _ = _open(der)
    _check_version(der, parts.take(INTEGER), _VERSIONS)
    listed = tuple(_listed(der, value) for value in _few(der, parts.take(SET), MAX_SIGNERS))
    content = walk(der, parts.take(SEQUENCE), "the content of a signature")
    content_type = read_oid(der, content.take(OID))
    wrapped = content.find(_CONTEXT_0)
    content.done()
    held = parts.find(_CONTEXT_0)
    parts.find(_CONTEXT_1)
    signers = tuple(_signer(der, value) for value in _few(der, parts.take(SET), MAX_SIGNERS))
    parts.done()
    if not signers:
        raise MalformedCmsError(f"{_WHAT} without a signer")
    return SignedData(
        der=der,
        content_type=content_type,
        content=None if wrapped is None else only(der, wrapped, "the content of a signature").raw(der),
        certificates=tuple(
            value.raw(der)
            for value in (_few(der, held, MAX_CERTIFICATES) if held else ())
            if value.tag == SEQUENCE
        ),
        signers=signers,
        digest_oids=listed,
    )


def add_unsigned_attribute(der: bytes, oid: str, value_der: bytes, *, replace: bool = False) -> bytes:
    """Return signed data whose first signer has one more unsigned attribute; all else stays as it was, byte by byte.

    An attribute that is there already gets one more value; with `replace`, this one instead of those it had.

    Raises:
        MalformedCmsError, MalformedDerError: it is no signed data.
    """
    der = parse_signed_data(der).der
    parts, path = _open(der)
    signers = parts.rest()[-1]
    info = next(children(der, signers))
    path += [signers, info]
    last = list(children(der, info))[-1]
    if last.tag != _CONTEXT_1:
        return splice(der, path, info.end, info.end, tlv(_CONTEXT_1, seq(der_oid(oid), tlv(SET, value_der))))
    path.append(last)
    for found in children(der, last):
        attribute = list(children(der, found))
        if read_oid(der, attribute[0]) != oid:
            continue
        values = attribute[1]
        start = values.header if replace else values.end
        return splice(der, [*path, found, values], start, values.end, value_der)
    return splice(der, path, last.end, last.end, seq(der_oid(oid), tlv(SET, value_der)))


def _open(der: bytes) -> tuple[Walk, list[Tlv]]:
    """Return the parts of the SignedData, and the path that leads to them."""
    outer = whole(der, _WHAT)
    info = walk(der, outer, _WHAT)
    if read_oid(der, info.take(OID)) != ID_SIGNED_DATA:
        raise MalformedCmsError("not signed data")
    explicit = info.take(_CONTEXT_0)
    info.done()
    inner = only(der, explicit, _WHAT)
    return walk(der, inner, _WHAT), [outer, explicit, inner]


def _few(der: bytes, parent: Tlv, most: int) -> list[Tlv]:
    found = list(children(der, parent))
    if len(found) > most:
        raise MalformedCmsError(f"{_WHAT} with more signers or certificates than any has")
    return found


def _check_version(der: bytes, value: Tlv, known: tuple[int, ...]) -> None:
    if read_integer(der, value) not in known:
        raise MalformedCmsError(f"{_WHAT} of a version that does not exist")


def _listed(der: bytes, value: Tlv) -> str:
    dotted, parameters = read_algorithm(der, value, "a hash algorithm")
    # One of another signer may be unknown here; what it has for parameters is his affair.
    with suppress(ForeignDigestError):
        plain_digest(dotted, parameters)
    return dotted


def _signer(der: bytes, value: Tlv) -> SignerInfo:
    parts = walk(der, value, "a signer")
    _check_version(der, parts.take(INTEGER), _SIGNER_VERSIONS)
    name = parts.take(SEQUENCE, _KEY_ID)
    issuer_serial = None
    if name.tag == SEQUENCE:
        both = walk(der, name, "the name of a signer")
        issuer_serial = both.take(SEQUENCE).raw(der), both.take(INTEGER).raw(der)
        both.done()
    digest = read_digest_algorithm(der, parts.take(SEQUENCE))
    attrs = parts.find(_CONTEXT_0)
    dotted, parameters = read_algorithm(der, parts.take(SEQUENCE), "the algorithm of a signature")
    signature = parts.take(OCTET_STRING).content(der)
    unsigned = parts.find(_CONTEXT_1)
    parts.done()
    return SignerInfo(
        issuer_serial=issuer_serial,
        key_id=None if issuer_serial else name.content(der),
        digest=digest,
        signed_attrs=None if attrs is None else bytes((SET,)) + attrs.raw(der)[1:],
        signed=() if attrs is None else _attributes(der, attrs),
        signature_oid=dotted,
        signature_parameters=parameters,
        signature=signature,
        unsigned=() if unsigned is None else _attributes(der, unsigned),
    )


def _attributes(der: bytes, parent: Tlv) -> tuple[Attribute, ...]:
    found = []
    for value in children(der, parent):
        parts = walk(der, value, "an attribute")
        dotted = read_oid(der, parts.take(OID))
        values = parts.take(SET)
        parts.done()
        found.append(Attribute(dotted, tuple(child.raw(der) for child in children(der, values))))
    return tuple(found)


def add_certificates(der: bytes, certificates: Sequence[bytes]) -> bytes:
    """Return signed data that carries these certificates too, those first that it had; all else stays as it was.

    Raises:
        MalformedCmsError, MalformedDerError: it is no signed data.
    """
    signed = parse_signed_data(der)
    der, had = signed.der, signed.certificates
    more = b"".join(dict.fromkeys(one for one in certificates if one not in had))
    parts, path = _open(der)
    found = parts.rest()
    held = next((part for part in found if part.tag == _CONTEXT_0), None)
    if held is not None:
        return splice(der, [*path, held], held.end, held.end, more)
    content = next(part for part in found if part.tag == SEQUENCE)
    return splice(der, path, content.end, content.end, tlv(_CONTEXT_0, more))
