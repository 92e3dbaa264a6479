"""Private keys of signing at rest: PKCS#8 under the master key, bound to row, profile, certificate and chain.

Who can write the database but lacks the key ring cannot move a key to another row, make it sign under another profile, put
another certificate beside it or take its issuers away, or pass the test authority off as a signer: the seal no longer opens. What the row
says of people (grants, label, enabled) is not bound: those are changed without touching the key (docs/adr/0019-signing.md).
"""

from __future__ import annotations

import hashlib
import json

from django.conf import settings

from sealstead.custody.sealed import SealBrokenError
from sealstead.secret import Secret
from sealstead.server.signing.models import Certificate


def seal_key(row: Certificate, pkcs8: Secret[bytes]) -> None:
    """Set `row.sealed_key` for the row as it is now; the caller saves."""
    row.sealed_key = settings.SEALSTEAD.ring.seal(pkcs8.reveal(), context=_context(row))


def open_key(row: Certificate) -> Secret[bytes]:
    """Return the key.

    Raises:
        SealBrokenError: none there, or a bound column was changed behind the server's back.
        UnknownMasterKeyError: the ring lacks the master key.
    """
    ring, sealed, context = settings.SEALSTEAD.ring, bytes(row.sealed_key or b""), _context(row)
    try:
        return Secret(ring.open(sealed, context=context))
    except SealBrokenError:
        # Sealed before the chain was bound. A seal that binds it does not open so.
        return Secret(ring.open(sealed, context=context[:-1]))


def _context(row: Certificate) -> tuple[str, ...]:
    # The text is a format: changing it would lose every key.
    if row.certificate is not None:
        speaks_for = bytes(row.certificate)
    else:
        speaks_for = bytes(row.csr or b"") or row.public_key.encode()
    return (
        "signing_certificate",
        "sealed_key",
        str(row.id),
        row.profile,
        "root" if row.is_root else "leaf",
        hashlib.sha256(speaks_for).hexdigest(),
        hashlib.sha256(json.dumps(row.chain).encode()).hexdigest(),
    )
