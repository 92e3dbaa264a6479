# ruff: noqa: PLR2004 - gives way to formats/macaroon.py
"""Stand-in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sealstead.server.credentials.errors import CaveatNotMetError, TokenExpiredError


def parse_caveats(raw: Sequence[bytes]) -> list[list[object]]:
    out = []
    for one in raw:
        try:
            value = json.loads(one)
        except ValueError:
            raise CaveatNotMetError("unknown error") from None
        if not isinstance(value, list) or not value:
            raise CaveatNotMetError("caveat must be an array")
        if value[0] not in (0, 1, 2, 3):
            raise CaveatNotMetError("caveat has unknown tag")
        out.append(value)
    return out


def check_caveats(caveats, *, at: datetime, owner_id: UUID, project=None, have_project=False) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    for caveat in caveats:
        if caveat[0] == 0 and not caveat[2] <= at.timestamp() < caveat[1]:
            raise TokenExpiredError
        if caveat[0] == 3 and caveat[1] != str(owner_id):
            raise CaveatNotMetError("current user does not match user restriction in token")
        if have_project and (
            (caveat[0] == 1 and project[0] not in caveat[1])
            or (caveat[0] == 2 and str(project[1]) not in caveat[1])
        ):
            raise CaveatNotMetError(f"project-scoped token is not valid for project: {project[0]!r}")
