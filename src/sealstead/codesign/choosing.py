"""Which certificates a selector means, and in which form a file is signed with them.

A key is bound to one profile, so the certificate decides: with one for programs, programs and scripts carry their
signatures; with one for detached signatures, any file gets a signature beside it, a program too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sealstead.codesign.kinds import AUTHENTICODE, Kind, detached_kind, kind_of
from sealstead.codesign.server_errors import ServerNotFoundError
from sealstead.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from sealstead.codesign.outcomes import Selector
    from sealstead.codesign.server_api import ServerApi
    from sealstead.codesign.server_values import ServerCertificate
    from sealstead.codesign.targets import Target


class UnsupportedFileError(InputError):
    """A kind of file into which we cannot put a signature."""

    code = "unsupported-file-type"


class NoCertificateError(NotFoundError):
    """The server has no certificate of that name for this key."""

    code = "no-certificate"


def find_certificates(api: ServerApi, selector: Selector) -> tuple[ServerCertificate, ...]:
    """Return the certificates that the selector means, the best first.

    Raises:
        NoCertificateError: there is none for this key.
    """
    try:
        found = api.certificates(
            label=selector.label, thumbprint=selector.thumbprint, subject=selector.subject
        )
    except ServerNotFoundError:
        found = ()
    if not found:
        raise NoCertificateError(
            f"no certificate with the {selector} for this API key",
            hint="`certificates` lists those that it may sign with; on the server, My certificates shows its owner's",
        )
    return found


def choose_kind(
    target: Target, certificates: Sequence[ServerCertificate], *, unsupported: str
) -> Kind | None:
    """Return how to sign a file; None means to leave it out.

    Raises:
        UnsupportedFileError: there is no way.
    """
    detached = next((kind for one in certificates if (kind := detached_kind(one.profile))), None)
    if all(one.profile != AUTHENTICODE for one in certificates):
        if detached is None:
            raise UnsupportedFileError("the certificate is of a profile that this version does not know")
        return detached
    if (kind := kind_of(target.path)) is not None:
        return kind
    match unsupported:
        case "skip":
            return None
        case "detached" if detached is not None:
            return detached
        case "detached":
            raise UnsupportedFileError(
                f"{target.name}: the certificate signs programs and scripts, not files of other kinds",
                hint="a detached signature needs a certificate of the profile cms-detached or minisign",
            )
        case _:
            raise UnsupportedFileError(
                f"{target.name}: not a kind of file into which a signature can be put",
                hint="--unsupported-file-types skip leaves such files out; with the label of a certificate for detached "
                "signatures any file can be signed",
            )
