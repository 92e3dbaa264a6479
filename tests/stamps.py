"""Time-stamps made in process, with any fault asked for; `tests/interop` has real ones from `openssl ts`."""

from __future__ import annotations

from tests.signers import NOW, Holder, authority, chain

from sealstead.formats import der
from sealstead.formats.cms import attribute, build_signed_data, signed_attributes
from sealstead.formats.digests import ALGORITHMS
from sealstead.formats.tsp import ID_TST_INFO

SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"


def tst_info(
    digest: bytes,
    *,
    alg: str = "SHA256",
    nonce: int | None = None,
    at: str = f"{NOW:%Y%m%d%H%M%SZ}",
    accuracy: tuple[int, int, int] | None = None,
) -> bytes:
    parts = [
        der.integer(1),
        der.oid("1.2.3.4"),
        der.seq(ALGORITHMS[alg].identifier, der.octets(digest)),
        der.integer(4711),
        der.tlv(der.GENERALIZED_TIME, at.encode()),
    ]
    if accuracy:
        seconds, millis, micros = accuracy
        parts.append(
            der.seq(
                der.integer(seconds),
                der.tag(0, der.integer(millis)[2:], constructed=False),
                der.tag(1, der.integer(micros)[2:], constructed=False),
            )
        )
    if nonce is not None:
        parts.append(der.integer(nonce))
    return der.seq(*parts)


def stamp(
    digest: bytes,
    *,
    alg: str = "SHA256",
    nonce: int | None = None,
    at: str = f"{NOW:%Y%m%d%H%M%SZ}",
    accuracy: tuple[int, int, int] | None = None,
    holder: Holder | None = None,
    above: tuple[Holder, ...] = (),
    info: bytes | None = None,
    named: Holder | None = None,
) -> bytes:
    """Return a token; `named` is another certificate than the signer's, to be named as his (ESSCertIDv2)."""
    holder = holder or authority()
    content = info or tst_info(digest, alg=alg, nonce=nonce, at=at, accuracy=accuracy)
    sha256 = ALGORITHMS["SHA256"]
    essential = der.seq(der.seq(der.seq(der.octets(sha256.digest((named or holder).der)))))
    attributes = signed_attributes(
        ID_TST_INFO, sha256.digest(content), (attribute(SIGNING_CERTIFICATE_V2, essential),)
    )
    return build_signed_data(
        content=der.octets(content),
        content_type_oid=ID_TST_INFO,
        digest_alg="SHA256",
        signed_attrs=attributes,
        signature=holder.sign(attributes),
        signer=chain(holder, *above),
        key_kind=holder.kind,
    )


def response(
    status: int, *, text: str | None = None, bits: bytes | None = None, token: bytes | None = None
) -> bytes:
    """Return the answer of an authority."""
    info = der.integer(status)
    if text is not None:
        info += der.seq(der.utf8(text))
    if bits is not None:
        info += der.tlv(der.BIT_STRING, bits)
    return der.seq(der.seq(info), token or b"")
