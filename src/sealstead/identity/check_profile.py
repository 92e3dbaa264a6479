"""Judge a profile beyond its shape: does its key parse, do its proofs verify, do its addresses lead anywhere?

Everything is found in the file itself: no key is opened, no page fetched, nothing written. What a page shows is for
`verify`; whether the secret key is at hand, for `doctor`.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from sealstead.errors import ParseError
from sealstead.formats.minisign import PublicKey, parse_public_key
from sealstead.formats.profile_places import places_of
from sealstead.formats.profile_schema import Profile
from sealstead.identity.profile import ProfileFile
from sealstead.identity.proofs import (
    ClaimError,
    Standing,
    StoredProof,
    check_stored,
    check_url,
    check_username,
)
from sealstead.identity.statements import believed, find_revocation, read_statements

PLACEHOLDERS = frozenset(
    {
        "your-pypi-username",
        "you@example.com",
        "your-package",
        "https://github.com/your-github-username",
    }
)
"""What `init` writes for a person to replace, and what the existing tool writes."""

KEY_HINT = "keygen makes a key and writes it there; one that you have, update-proofs writes there"


class Level(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
    level: Level
    where: str
    """The key in the profile; empty: the file."""
    fact: str
    hint: str | None = None
    line: int = 0
    """As editors count, with `column`; 0 where there is no place to name."""
    column: int = 0

    def told(self, source: str) -> str:
        """Return the finding with its place; the fact about a text as a whole names its place itself."""
        if not self.where:
            return self.fact
        place = f"{source}:{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.where}: {self.fact}"


class LinkReport(NamedTuple):
    position: int
    url: str
    stored: StoredProof


class ProfileReport(NamedTuple):
    findings: tuple[Finding, ...]
    key: PublicKey | None
    links: tuple[LinkReport, ...]

    @property
    def good(self) -> bool:
        return all(finding.level is not Level.ERROR for finding in self.findings)

    def expiring(self, at: datetime, window: timedelta) -> list[LinkReport]:
        """Return the links whose good proof ends within `window` from `at`, or whose key retires then."""
        return [
            link
            for link in self.links
            if link.stored.ends_at is not None and link.stored.ends_at <= at + window
        ]


def check_profile(
    file: ProfileFile, *, at: datetime, package: str | None = None, key_hint: str = KEY_HINT
) -> ProfileReport:
    """Return everything that is wrong or odd about a profile that has been read.

    `key_hint`: what to do if it names no key, where more is known than the file says.
    """
    profile = file.profile
    findings = [
        Finding(Level.WARNING, "", warning.message, warning.hint, warning.line, warning.column)
        for warning in file.warnings
    ]
    key = _key(profile, findings, key_hint)
    findings += _identity(profile)
    findings += _statements(profile, key, at)
    findings += _links(profile)
    findings += _lists(profile)
    keys = believed(profile, at)
    links = tuple(
        LinkReport(index, link.url, check_stored(profile, link, keys, at=at, package=package))
        for index, link in enumerate(profile.profiles)
    )
    findings += _proofs(links, has_key=bool(keys))
    return ProfileReport(tuple(_placed(findings, file)), key, links)


def _placed(findings: list[Finding], file: ProfileFile) -> list[Finding]:
    names = {finding.where for finding in findings if finding.where}
    if not names:
        return findings
    places = places_of(file.text, names, table=file.table)
    return [
        finding._replace(line=line, column=column)
        for finding in findings
        for line, column in [places.get(finding.where, (finding.line, finding.column))]
    ]


def _key(profile: Profile, findings: list[Finding], key_hint: str) -> PublicKey | None:
    line = profile.verification.public_key
    if not line.strip():
        findings.append(
            Finding(Level.WARNING, "verification.public_key", "empty: nobody can check a proof", key_hint)
        )
        return None
    try:
        return parse_public_key(line)
    except ParseError as exc:
        hint = "it is the second line of the .pub file; key-info prints it"
        findings.append(Finding(Level.ERROR, "verification.public_key", exc.message, hint))
        return None


def _identity(profile: Profile) -> Iterator[Finding]:
    name = profile.identity.pypi_username
    if name in PLACEHOLDERS:
        yield Finding(Level.WARNING, "identity.pypi_username", f"still says {name}", "fill in your user name")
        return
    try:
        check_username(name)
    except ClaimError as exc:
        yield Finding(Level.ERROR if name else Level.WARNING, "identity.pypi_username", exc.message, exc.hint)


def _statements(profile: Profile, key: PublicKey | None, at: datetime) -> Iterator[Finding]:
    for problem in read_statements(profile).problems:
        yield Finding(
            Level.ERROR, "verification.statements", problem, "take it out, or put back what was there"
        )
    revocation = find_revocation(profile, key, at) if key else None
    if key and revocation:
        yield Finding(
            Level.ERROR,
            "verification.public_key",
            f"key {key.id} was revoked on {revocation.revoked_at:%Y-%m-%d}",
            "key-rotate gives the profile another key",
        )


def _links(profile: Profile) -> Iterator[Finding]:
    for index, link in enumerate(profile.profiles, start=1):
        where = f"profiles[{index}]"
        try:
            check_url(link.url)
        except ClaimError as exc:
            yield Finding(Level.ERROR, f"{where}.url", exc.message, exc.hint)
        if link.url in PLACEHOLDERS:
            yield Finding(Level.WARNING, f"{where}.url", f"still says {link.url}", "fill in your page")
        if link.verification == "verified":
            yield Finding(
                Level.WARNING,
                f"{where}.verification",
                "written by hand, and believed by nobody",
                "a stored proof says it; take this key out",
            )
    for url, count in Counter(link.url for link in profile.profiles).items():
        if count > 1:
            yield Finding(Level.WARNING, "profiles", f"{url[:200]!a} stands there {count} times")


def _lists(profile: Profile) -> Iterator[Finding]:
    rows = [(f"packages[{number}]", each.name, each.url) for number, each in enumerate(profile.packages, 1)]
    rows += [(f"projects[{number}]", each.name, each.url) for number, each in enumerate(profile.projects, 1)]
    for where, name, url in rows:
        try:
            if url:
                check_url(url)
        except ClaimError as exc:
            yield Finding(Level.ERROR, f"{where}.url", exc.message, exc.hint)
        if name in PLACEHOLDERS:
            yield Finding(Level.WARNING, f"{where}.name", f"still says {name}", "fill in a project of yours")
    for index, contact in enumerate(profile.contact_methods, start=1):
        if contact.value in PLACEHOLDERS:
            yield Finding(Level.WARNING, f"contact_methods[{index}].value", f"still says {contact.value}")


def _proofs(links: tuple[LinkReport, ...], *, has_key: bool) -> Iterator[Finding]:
    for link in links:
        where = f"profiles[{link.position + 1}].stored_proof"
        if link.stored.standing is Standing.EXPIRED:
            yield Finding(Level.ERROR, where, link.stored.reason, "update-proofs signs it again")
        elif link.stored.standing is Standing.INVALID and not has_key:
            yield Finding(Level.WARNING, where, "cannot be checked without a public key")
        elif link.stored.standing is Standing.INVALID:
            yield Finding(Level.ERROR, where, link.stored.reason, "update-proofs signs it again")
