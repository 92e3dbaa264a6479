"""From the URI of a key to the back end that signs with it.

A back end is a file in this package and a row in `BACK_ENDS`. `sealed:` is the one whose key lies in the row of the
database that names it, under the master key; the caller opens it, for this package knows no database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sealstead.custody.signers import Signer, load_signer
from sealstead.errors import KeyUnavailableError
from sealstead.secret import Secret

SEALED: Final = "sealed:"

OpenSealed = Callable[[], Secret[bytes]]
BackEnd = Callable[[str, OpenSealed], Signer]


class UnknownKeyUriError(KeyUnavailableError):
    """No back end of this installation reaches keys of this kind."""

    code = "unknown-key-uri"


def _sealed(_uri: str, open_sealed: OpenSealed) -> Signer:
    return load_signer(open_sealed())


BACK_ENDS: Final[dict[str, BackEnd]] = {"sealed": _sealed}


def locate_signer(uri: str, *, open_sealed: OpenSealed) -> Signer:
    """Return the signer of the key at `uri`. `open_sealed` is asked only for a `sealed:` one.

    Raises:
        UnknownKeyUriError: no back end for its scheme.
        KeyUnavailableError, VerificationError: the key cannot be reached, or is not what was sealed.
    """
    scheme = uri.partition(":")[0]
    back_end = BACK_ENDS.get(scheme)
    if back_end is None:
        raise UnknownKeyUriError(f"no back end for keys of the kind {scheme[:40]!r}")
    return back_end(uri, open_sealed)
