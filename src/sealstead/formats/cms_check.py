"""Check the signature inside signed data (RFC 5652, sections 5.4 to 5.6).

Steps, in this order:
  1. the hash algorithm is one that still means something, and listed;
  2. the content type among the signed attributes is that of the content (it must be there: RFC 5652, section 11.1);
  3. the message digest among them is that of the content;
  4. the signature over the attributes is by the key of the certificate that the signer names, in the way it says.

Not here: whether the certificate is to be trusted, and when it was signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sealstead.errors import VerificationError
from sealstead.formats.cms_read import CONTENT_TYPE, MESSAGE_DIGEST, SignedData, SignerInfo
from sealstead.formats.der import OCTET_STRING, OID, read_oid, whole
from sealstead.formats.digests import DigestAlgorithm, same
from sealstead.formats.signature_algorithms import RSASSA_PSS, check_algorithm, check_listed, pss_salt

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes


class WeakDigestError(VerificationError):
    """Made with a hash algorithm for which collisions can be bought."""

    code = "weak-digest"


class SignedDigestError(VerificationError):
    """The signature is of other content than this."""

    code = "signed-digest-differs"


class SignerMissingError(VerificationError):
    """The certificate of the signer did not come along."""

    code = "signer-certificate-missing"


class ForeignKeyError(VerificationError):
    """A kind of key or padding that is not known here."""

    code = "unknown-signature-algorithm"


class BadCmsSignatureError(VerificationError):
    """The signature does not fit the key, or what it should be of."""

    code = "bad-cms-signature"


def verify_signer(
    signed_data: SignedData, signer: SignerInfo | None = None, *, content_digest: bytes | None = None
) -> bytes:
    """Return the certificate (DER) whose key signed; `content_digest` is that of the file beside the signature.

    A signature may carry the file's content as well, as `openssl cms -sign -stream` has it; another content is refused.

    Raises:
        WeakDigestError, SignatureAlgorithmError, SignedDigestError, SignerMissingError, ForeignKeyError,
        BadCmsSignatureError: by step.
        MalformedCmsError, MalformedDerError: an attribute or the certificate is not what it should be.
    """
    signer = signer or signed_data.signer
    if not signer.digest.strong:
        raise WeakDigestError(f"signed with {signer.digest.name}, which no longer proves anything")
    check_listed(signed_data.digest_oids, signer.digest)
    if signer.signed_attrs is None:
        # Allowed for id-data alone; a signature of attributes would otherwise do as one of a content.
        raise SignedDigestError("a signature without signed attributes")
    body = signed_data.content_body
    carried = None if body is None else signer.digest.digest(body)
    digest = carried if content_digest is None else content_digest
    if digest is None:
        raise SignedDigestError("the signature is detached, and what it is of is not here")
    if carried is not None and not same(carried, digest):
        raise SignedDigestError("the signature carries a content of its own, which is not the file's")
    _check_attributes(signed_data, signer, digest)
    certificate = signed_data.certificate_of(signer)
    if certificate is None:
        raise SignerMissingError("the certificate of the signer is not in the signature")
    _check_key(certificate, signer, signer.signed_attrs)
    return certificate


def _check_attributes(signed_data: SignedData, signer: SignerInfo, digest: bytes) -> None:
    kind = signer.find_signed(CONTENT_TYPE)
    if kind is None or read_oid(kind, whole(kind, "the content type", tag=OID)) != signed_data.content_type:
        raise SignedDigestError("the signature is of another type of content")
    stated = signer.find_signed(MESSAGE_DIGEST)
    if stated is None:
        raise SignedDigestError("the signature says of no digest that it is signed")
    value = whole(stated, "the message digest", tag=OCTET_STRING).content(stated)
    if not same(value, digest):
        raise SignedDigestError("the signature is of other content than this")


def _check_key(certificate: bytes, signer: SignerInfo, signed: bytes) -> None:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        algorithm = _hash(signer.digest)
        if isinstance(key, rsa.RSAPublicKey):
            check_algorithm(signer, "rsa")
            scheme: padding.AsymmetricPadding = padding.PKCS1v15()
            if signer.signature_oid == RSASSA_PSS:
                salt = pss_salt(signer)
                scheme = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO if salt is None else salt)
            key.verify(signer.signature, signed, scheme, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            check_algorithm(signer, "ec")
            key.verify(signer.signature, signed, ec.ECDSA(algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            check_algorithm(signer, "ed25519")
            key.verify(signer.signature, signed)
        else:
            raise ForeignKeyError("signed with a kind of key that is not known here")
    except InvalidSignature:
        raise BadCmsSignatureError("the signature does not fit the key of its certificate") from None
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise ForeignKeyError("the certificate of the signer, or its key, cannot be read") from exc


def _hash(digest: DigestAlgorithm) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    return {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}[digest.name]
