"""For which package a proof is: the one that publishes the profile."""

from __future__ import annotations

from sealstead.errors import ParseError
from sealstead.formats.profile_schema import ProfileLink
from sealstead.formats.proof_text import parse_proof

PACKAGE_PREFIX = "pypi-profile-"


def stored_package(link: ProfileLink, username: str) -> str | None:
    """Return the package that the stored proof of `link` is for, if all else in it is right."""
    if not link.stored_proof:
        return None
    try:
        stored = parse_proof(link.stored_proof).context
    except ParseError:
        return None
    return stored.package if (stored.username, stored.url) == (username, link.url) else None
