"""The state of a row at a moment, derived by `lifecycle` from the row's moments."""

from __future__ import annotations

import enum
from datetime import datetime

from sealstead.server.credentials.models import Credential


class State(enum.StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"
    EXPIRED = "expired"
    REVOKED = "revoked"


LIVING = frozenset({State.PENDING, State.ACTIVE, State.RETIRING})


def state_of(row: Credential, at: datetime) -> State:
    if row.revoked_at is not None:
        return State.REVOKED
    if row.expires_at is not None and at >= row.expires_at:
        return State.EXPIRED
    if row.retires_at is not None:
        return State.RETIRED if at >= row.retires_at else State.RETIRING
    if row.not_before is not None and at < row.not_before:
        return State.PENDING
    return State.ACTIVE
