"""From a row and its root key to the token text: which caveats a scope becomes.

Account scope is caveat 3 (the owner). Project scope is caveat 1 (names) and 2 (ids) together, so that a
name registered again does not revive old tokens. An expiry is embedded too (caveat 0): it holds even for
somebody who can write the database and has the key ring open it.
"""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from django.conf import settings

from sealstead.secret import Secret
from sealstead.server.credentials import macaroons
from sealstead.server.credentials.models import Credential


def token_text(row: Credential, root: bytes) -> Secret[str]:
    """Return the token of `row`: shown once, at issue and at rotation."""
    return macaroons.mint(root, location=_location(), identifier=str(row.id), caveats=_issued_caveats(row))


def _issued_caveats(row: Credential) -> list[list[object]]:
    caveats: list[list[object]] = []
    if row.scope.get("all_projects") is True:
        caveats.append([3, str(row.owner_id)])
    else:
        projects = sorted(row.scope["projects"].items())
        caveats.append([1, [name for name, _ in projects]])
        caveats.append([2, [project_id for _, project_id in projects]])
    if row.expires_at is not None:
        # Without a beginning the caveat has none either: two servers' clocks need not agree on a fresh token.
        begins = math.floor(row.not_before.timestamp()) if row.not_before else 0
        caveats.append([0, int(row.expires_at.timestamp()), begins])
    return caveats


def _location() -> str:
    # Informational: the signature does not cover it.
    return urlsplit(getattr(settings.SEALSTEAD, "public_url", "")).hostname or "localhost"
