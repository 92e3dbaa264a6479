"""What differs between the kinds of credential where a verb is the same for all: event tags, mails, the word for one."""

from __future__ import annotations

from dataclasses import dataclass

from sealstead.server.audit import tags
from sealstead.server.credentials.models import Credential, Kind


@dataclass(frozen=True, kw_only=True)
class KindFacts:
    word: str
    """For messages to programs and operators; pages have their own texts."""
    mails: str
    """`mail/<mails>-rotated.txt` and so on."""
    rotated: str
    rotation_refused: str
    revoked: str
    removed: str


_TOKEN = KindFacts(
    word="token",
    mails="token",
    rotated=tags.TOKEN_ROTATED,
    rotation_refused=tags.TOKEN_ROTATION_REFUSED,
    revoked=tags.TOKEN_REVOKED,
    removed=tags.TOKEN_REMOVED,
)
_API_KEY = KindFacts(
    word="API key",
    mails="api-key",
    rotated=tags.API_KEY_ROTATED,
    rotation_refused=tags.API_KEY_ROTATION_REFUSED,
    revoked=tags.API_KEY_REVOKED,
    removed=tags.API_KEY_REMOVED,
)


def facts_of_kind(row: Credential) -> KindFacts:
    return _API_KEY if row.kind == Kind.API_KEY else _TOKEN
