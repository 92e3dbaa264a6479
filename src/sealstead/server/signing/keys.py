"""Keys in memory, ready to sign. Loading one opens its seal and checks it against its certificate, which takes a while.

A loaded key is found by everything it was loaded from. A row that was changed, re-sealed or given another chain is therefore
loaded anew, in every worker, without anybody being told.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from sealstead.custody.locate import locate_signer
from sealstead.custody.signers import Signer
from sealstead.errors import KeyUnavailableError, ParseError, VerificationError
from sealstead.formats.cms import SignerChain
from sealstead.formats.minisign import parse_public_key
from sealstead.formats.signing_certificate import (
    BrokenChainError,
    CertificateKeyMismatchError,
    chain_period,
    check_signing_certificate,
    order_chain,
)
from sealstead.server.signing.create import chain_of
from sealstead.server.signing.models import Certificate, Profile
from sealstead.server.signing.seal import open_key
from sealstead.server.table_rows import kept

_MOST: Final = 256

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class LoadedKey:
    signer: Signer
    chain: SignerChain | None
    """None for minisign, which knows no certificates."""
    period: tuple[datetime | None, datetime | None] = (None, None)
    """When the certificate and its issuers are valid, as they say themselves: to be looked at with each use, as time goes on."""


class SigningKeyDamagedError(KeyUnavailableError):
    """Key and certificate in the database do not fit each other any more. The log says why, the client learns only that."""

    code = "signing-key-damaged"


_loaded: OrderedDict[Hashable, LoadedKey] = OrderedDict()
_lock = threading.Lock()


def load_key(row: Certificate) -> LoadedKey:
    """Return the key of `row`.

    Raises:
        SigningKeyDamagedError: key, profile or certificate was changed behind the server's back.
        KeyUnavailableError: it cannot be reached.
    """
    name = kept(row, _loaded_from)
    with _lock:
        found = _loaded.get(name)
        if found is not None:
            _loaded.move_to_end(name)
            return found
    loaded = _load(row)
    with _lock:
        _loaded[name] = loaded
        while len(_loaded) > _MOST:
            _loaded.popitem(last=False)
    return loaded


def _loaded_from(row: Certificate) -> Hashable:
    return (
        row.pk,
        row.profile,
        row.is_root,
        row.key_uri,
        bytes(row.sealed_key or b""),
        bytes(row.certificate or b""),
        row.public_key,
        repr(row.chain),
    )


def _load(row: Certificate) -> LoadedKey:
    try:
        return _checked(row, locate_signer(row.key_uri, open_sealed=lambda: open_key(row)))
    except (VerificationError, ParseError) as exc:
        _log.error("a signing key cannot be used", certificate=str(row.pk), alias=row.alias, code=exc.code)
        raise SigningKeyDamagedError(
            "the signing key cannot be used", hint="the server's log says why; ask its operator"
        ) from exc


def _checked(row: Certificate, signer: Signer) -> LoadedKey:
    if row.profile == Profile.MINISIGN:
        if parse_public_key(row.public_key.encode()).key != signer.public_key_der[-32:]:
            raise CertificateKeyMismatchError("the minisign public key does not belong to the private key")
        return LoadedKey(signer=signer, chain=None)
    certificate = bytes(row.certificate or b"")
    check_signing_certificate(certificate, public_key_der=signer.public_key_der)
    # Of a key that was sealed before its chain was part of the seal, whoever writes the database could exchange the chain.
    try:
        chain = chain_of(row)
    except (TypeError, ValueError) as exc:
        raise BrokenChainError("the chain beside the certificate is none") from exc
    period = chain_period((certificate, *chain))
    if chain and period[0] is not None and order_chain(certificate, chain, at=period[0]) != chain:
        raise BrokenChainError("the chain beside the certificate is not its own")
    return LoadedKey(signer=signer, chain=SignerChain(certificate, chain), period=period)
