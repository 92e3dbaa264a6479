"""Authenticode: what Windows has signed instead of a file ("Windows Authenticode Portable Executable Signature
Format", Microsoft 2008; names `Spc…` are its own).

The signed content is an SpcIndirectDataContent: the kind of file, and its digest. It is built here from a kind, an
algorithm and a digest alone, so whoever asks for a signature chooses nothing else of what is signed but description
and address, which are checked.

Rules:
  * the message digest is over the content without tag and length;
  * nested signatures and time-stamps are unsigned attributes of the first signer; they are spliced in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from sealstead.errors import ParseError
from sealstead.formats.cms import (
    SignedData,
    SignerChain,
    SignerInfo,
    add_unsigned_attribute,
    attribute,
    build_signed_data,
    signed_attributes,
)
from sealstead.formats.der import (
    BIT_STRING,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    integer,
    octets,
    oid,
    read_oid,
    seq,
    tag,
    tlv,
    walk,
    whole,
)
from sealstead.formats.digests import DigestAlgorithm, checked_digest, digest_algorithm, read_digest_algorithm
from sealstead.formats.opus_info import opus_info
from sealstead.formats.signature_algorithms import SignatureAlgorithmError, check_listed
from sealstead.record import Record

Kind = Literal["pe", "powershell"]

SPC_INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
SPC_PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
SPC_SIP_INFO = "1.3.6.1.4.1.311.2.1.30"
SPC_STATEMENT_TYPE = "1.3.6.1.4.1.311.2.1.11"
SPC_INDIVIDUAL_PURPOSE = "1.3.6.1.4.1.311.2.1.21"
NESTED_SIGNATURE = "1.3.6.1.4.1.311.2.4.1"
RFC3161_TIMESTAMP = "1.3.6.1.4.1.311.3.3.1"

_OBSOLETE = "<<<Obsolete>>>"
_POWERSHELL_SIP = bytes.fromhex("1fcc3b60594b084eb724d2c6297ef351")
_SIP_VERSION = 0x10000


class ForeignContentError(ParseError):
    """Not an Authenticode signature, or of a kind of file that is not known here."""

    code = "foreign-signed-content"


class ToSign(Record):
    """`attributes` go to the key; the rest is what `assemble` needs afterwards."""

    content: bytes
    attributes: bytes
    digest_alg: str


class Indirect(Record):
    """What a signature says that it is of."""

    kind: Kind
    alg: DigestAlgorithm
    digest: bytes


def indirect_data(kind: Kind, digest_alg: str, digest: bytes) -> bytes:
    """Return the SpcIndirectDataContent.

    Raises:
        UnknownDigestError, DigestLengthError: the digest is not what it says.
    """
    algorithm = checked_digest(digest_alg, digest)
    return seq(_subject(kind), seq(algorithm.identifier, octets(digest)))


def to_be_signed(
    kind: Kind, alg: str, digest: bytes, description: str | None = None, url: str | None = None
) -> ToSign:
    """Return what the key is to sign for a file with this digest.

    Raises:
        UnknownDigestError, DigestLengthError, SignatureTextError: as above.
    """
    content = indirect_data(kind, alg, digest)
    body = whole(content, "the content").content(content)
    attributes = signed_attributes(
        SPC_INDIRECT_DATA,
        digest_algorithm(alg).digest(body),
        (opus_info(description, url), _statement_type()),
    )
    return ToSign(content=content, attributes=attributes, digest_alg=alg)


def assemble(to_sign: ToSign, signature: bytes, signer: SignerChain) -> bytes:
    """Return the ContentInfo of a file's signature, from what the key made of `to_sign.attributes`.

    Raises:
        MalformedDerError: the certificate is none, or of a key that signs no code.
    """
    return build_signed_data(
        content=to_sign.content,
        content_type_oid=SPC_INDIRECT_DATA,
        digest_alg=to_sign.digest_alg,
        signed_attrs=to_sign.attributes,
        signature=signature,
        signer=signer,
        key_kind=signer.key_kind,
    )


def read_indirect(signed_data: SignedData) -> Indirect:
    """Return what the signature says that it is of; whether it is so is for `verify_signer`.

    Raises:
        ForeignContentError: no Authenticode signature, or of another kind of file.
        MalformedDerError, ForeignDigestError: it is not of the form it should have.
    """
    content = signed_data.content
    if signed_data.content_type != SPC_INDIRECT_DATA or content is None:
        raise ForeignContentError("not an Authenticode signature")
    what = "what the signature is of"
    parts = walk(content, whole(content, what), what)
    subject = walk(content, parts.take(SEQUENCE), what)
    message = walk(content, parts.take(SEQUENCE), what)
    parts.done()
    dotted = read_oid(content, subject.take(OID))
    value = subject.find(SEQUENCE)
    subject.done()
    algorithm = read_digest_algorithm(content, message.take(SEQUENCE))
    digest = message.take(OCTET_STRING).content(content)
    message.done()
    kind: Kind
    if dotted == SPC_PE_IMAGE_DATA:
        kind = "pe"
    elif dotted == SPC_SIP_INFO and value is not None:
        info = walk(content, value, what)
        info.take(INTEGER)
        if info.take(OCTET_STRING).content(content) != _POWERSHELL_SIP:
            raise ForeignContentError("a signature of a kind of file that is not known here")
        kind = "powershell"
    else:
        raise ForeignContentError("a signature of a kind of file that is not known here")
    if len(digest) != algorithm.size:
        raise ForeignContentError(f"a digest that is none of {algorithm.name}")
    return Indirect(kind=kind, alg=algorithm, digest=digest)


def check_one_digest(signed_data: SignedData, signer: SignerInfo, alg: DigestAlgorithm) -> None:
    """Look whether one hash algorithm alone is spoken of: of the file, by the signer and in the list.

    Raises:
        SignatureAlgorithmError: there are several.
    """
    if signer.digest.oid != alg.oid:
        raise SignatureAlgorithmError("the digest of the file is of another algorithm than the signature")
    check_listed(signed_data.digest_oids, alg, alone=True)


def nested_signatures(signed_data: SignedData) -> tuple[bytes, ...]:
    """Return the further signatures of the same file, each a ContentInfo."""
    return signed_data.signer.unsigned_values(NESTED_SIGNATURE)


def timestamp_tokens(signed_data: SignedData) -> tuple[bytes, ...]:
    """Return the RFC 3161 tokens over the signature of the first signer."""
    return signed_data.signer.unsigned_values(RFC3161_TIMESTAMP)


def add_nested(der: bytes, nested_der: bytes) -> bytes:
    """Return the signature with one more inside. Raises MalformedCmsError, MalformedDerError: it is none."""
    return add_unsigned_attribute(der, NESTED_SIGNATURE, nested_der)


def add_timestamp(der: bytes, token_der: bytes) -> bytes:
    """Return the signature with this time-stamp instead of any it had.

    The token is over `parse_signed_data(der).signer.signature`.

    Raises:
        MalformedCmsError, MalformedDerError: it is no signature.
    """
    return add_unsigned_attribute(der, RFC3161_TIMESTAMP, token_der, replace=True)


@lru_cache(maxsize=4)
def _subject(kind: Kind) -> bytes:
    """Return the SpcAttributeTypeAndOptionalValue of a kind of file."""
    if kind == "pe":
        # Flags that are not used, and the link to a file that nobody follows any more: as everybody writes it.
        link = tag(2, tag(0, _OBSOLETE.encode("utf-16-be"), constructed=False))
        return seq(oid(SPC_PE_IMAGE_DATA), seq(tlv(BIT_STRING, b"\0"), tag(0, link)))
    numbers = [integer(0)] * 5
    return seq(oid(SPC_SIP_INFO), seq(integer(_SIP_VERSION), octets(_POWERSHELL_SIP), *numbers))


@lru_cache(maxsize=1)
def _statement_type() -> bytes:
    return attribute(SPC_STATEMENT_TYPE, seq(oid(SPC_INDIVIDUAL_PURPOSE)))
