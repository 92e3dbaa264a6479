"""From a row and its root key to the token text: which caveats a scope becomes.

Account scope is caveat 3 (the owner). Project scope is caveat 1 (names) and 2 (ids) together, so that a
name registered again does not revive old tokens. An expiry is embedded too (caveat 0): it holds even for
somebody who can write the database and has the key ring open it.
"""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from django.conf import settings

from sealstead.formats.caveat_json import serialize_caveat
from sealstead.formats.caveats import Expiration, ProjectIds, ProjectNames, RequestUser
from sealstead.formats.macaroon import mint
from sealstead.formats.token_text import serialize_token
from sealstead.secret import Secret
from sealstead.server.credentials.errors import TooManyProjectsError
from sealstead.server.credentials.models import Credential

MAX_TOKEN_CHARS = 5_800
"""As the password of `Basic` it grows by a third, and servers and proxies stop reading a header line at 8 kB."""


def token_text(row: Credential, root: bytes) -> Secret[str]:
    """Return the token of `row`: shown once, at issue and at rotation.

    Raises:
        TooManyProjectsError: the projects do not fit into one token.
    """
    macaroon = mint(root, location=_location(), identifier=str(row.id).encode(), caveats=_issued_caveats(row))
    text = serialize_token(macaroon)
    if len(text) > MAX_TOKEN_CHARS:
        raise TooManyProjectsError(len(row.scope["projects"]))
    return Secret(text)


def _issued_caveats(row: Credential) -> list[bytes]:
    caveats = []
    if row.scope.get("all_projects") is True:
        caveats.append(serialize_caveat(RequestUser.tag, str(row.owner_id)))
    else:
        projects = sorted(row.scope["projects"].items())
        caveats.append(serialize_caveat(ProjectNames.tag, [name for name, _ in projects]))
        caveats.append(serialize_caveat(ProjectIds.tag, [project_id for _, project_id in projects]))
    if row.expires_at is not None:
        # Without a beginning the caveat has none either: two servers' clocks need not agree on a fresh token.
        begins = math.floor(row.not_before.timestamp()) if row.not_before else 0
        caveats.append(serialize_caveat(Expiration.tag, int(row.expires_at.timestamp()), begins))
    return caveats


def _location() -> bytes:
    # Informational: the signature does not cover it.
    return (urlsplit(settings.SEALSTEAD.public_url).hostname or "").encode()[:255]
