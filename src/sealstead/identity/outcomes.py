"""What may become of a claim, and how a site's answer is understood.

The outcomes are never confused, for each asks for something else: `missing` for the owner to put the proof there,
`invalid` for a look at what does, `expired` for a new signature, `unreachable` for another try, and `refused` for
another page, since the site lets nobody look.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sealstead.formats.profile_schema import ProfileLink
from sealstead.formats.proof_text import VerifiedProof
from sealstead.net.pages import Page

_GONE = frozenset({404, 410})
_REFUSED = frozenset({401, 402, 403, 405, 406, 418, 423, 429, 430, 451, 999})
"""How sites say that they do not answer strangers or programs; 999 is LinkedIn's own."""
_DOORS = ("login", "signin", "sign_in", "sign-in", "accounts/login", "captcha", "challenge", "consent")
_DOORKEEPERS = ("accounts", "auth", "consent", "idp", "login", "signin", "sso")
"""How hosts are called that do nothing else, often for several sites."""
SUCCESS = range(200, 300)


class Outcome(StrEnum):
    VERIFIED = "verified"
    MISSING = "missing"
    """The page was read, and no proof stands there; or there is no such page (404)."""
    INVALID = "invalid"
    """What stands there is for something else, damaged, or by another key; or nothing could prove the claim."""
    EXPIRED = "expired"
    """There is an authentic proof, whose time is over."""
    UNREACHABLE = "unreachable"
    """Nobody can say: no answer, or none that could be read to its end."""
    REFUSED = "refused-by-site"
    """The site lets no program look."""


_FIRST = (
    Outcome.VERIFIED,
    Outcome.EXPIRED,
    Outcome.INVALID,
    Outcome.REFUSED,
    Outcome.UNREACHABLE,
    Outcome.MISSING,
)
"""Of several answers the one that tells most; `missing` only when all places were seen."""


class Result(NamedTuple):
    link: ProfileLink
    outcome: Outcome
    provider: str = ""
    by: str = ""
    """`signature`, or `link` for a rel=me link back."""
    proof: VerifiedProof | None = None
    ends_at: datetime | None = None
    """When the proof counts no more: its own end, or that of the retiring key that made it."""
    retiring: bool = False
    """The proof is by a key that the profile is taking over from."""
    contradicted: bool = False
    """A proof for this very page stands there, and counts for nothing."""
    steps: tuple[str, ...] = ()
    me_links: frozenset[str] = frozenset()
    """Links with rel=me on the page: they may lead to a page that is verified by signature."""


def most_telling(outcomes: Iterable[Outcome]) -> Outcome:
    return min(outcomes, key=_FIRST.index, default=Outcome.MISSING)


def understood(page: Page, claimed: str) -> tuple[Outcome | None, str]:
    """Return what the answer says before its content is looked at, in words too; None: it may hold a proof."""
    said = f"{page.url} answers {page.status}"
    if page.hops:
        said += f" after {len(page.hops)} redirect{'s' if len(page.hops) > 1 else ''}"
    if page.status in _GONE:
        return Outcome.MISSING, f"{said}: there is no such page"
    if page.status in _REFUSED or "cf-mitigated" in page.fields:
        return Outcome.REFUSED, f"{said}: the site does not let a program look"
    if page.hops and is_door(page.url) and not is_door(claimed):
        return Outcome.REFUSED, f"{said}: the site asks its visitors to sign in"
    if page.status not in SUCCESS:
        return Outcome.UNREACHABLE, said
    return None, said + ("" if page.complete else ", and is longer than is read")


def is_door(url: str) -> bool:
    """Return whether a page is where a site asks its visitors who they are, by its host or by its path."""
    host, _, path = url.partition("//")[2].lower().partition("/")
    if host.partition(".")[0] in _DOORKEEPERS:
        return True
    return any(door in path.partition("?")[0].split("/") for door in _DOORS)
