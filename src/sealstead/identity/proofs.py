"""Sign the claims of a profile, and say how the proofs it stores stand. No file, no network.

Rules:
  * a proof is for the package that publishes the profile, `pypi-profile-<user>` unless somebody says otherwise;
  * a proof that is signed again keeps its form and its package, for the page it stands on keeps its shape too;
  * only addresses that a reader may be sent to are signed: no `javascript:`, no `file:`, nothing with a password in it.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from sealstead.durations import one_year_after, parse_duration
from sealstead.errors import ConflictError, ExpiredError, InputError, ParseError, VerificationError
from sealstead.formats.minisign import SecretKey
from sealstead.formats.profile_schema import Profile, ProfileLink
from sealstead.formats.proof_text import (
    NONCE_BYTES,
    TINY_PREFIX,
    ExpiredProofError,
    Form,
    ProofContext,
    VerifiedProof,
    make_proof,
    parse_proof,
    verify_proof,
)
from sealstead.identity.package import PACKAGE_PREFIX, stored_package
from sealstead.identity.statements import Believed
from sealstead.net.urls import BadUrlError, parse_url

LONGEST_URL = 2000
NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
"""When this program began. No clock that is right says anything earlier."""
_WEB = ("https", "http")
_NAMED = ("dns", "matrix", "xmpp", "acct", "openpgp4fpr", "aspe")
"""Schemes of claims that are no web page; what follows is a name, not a place."""
_LETTERS = "letters a to z, digits, and . _ - between them"
_USERNAME = _PACKAGE = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?"


class ClaimError(InputError):
    """Nothing that a proof can be made for."""

    code = "claim"


class ExpiryError(InputError):
    """Not a moment at which a proof can end."""

    code = "expiry"


class ClockError(ConflictError):
    """The machine's clock cannot be right: what is signed now would be dated wrongly, and believed by nobody."""

    code = "clock"


class Standing(enum.StrEnum):
    """How a stored proof stands, by itself: whether the page shows it is another question."""

    MISSING = "missing"
    GOOD = "good"
    EXPIRED = "expired"
    INVALID = "invalid"


class StoredProof(NamedTuple):
    standing: Standing
    proved: VerifiedProof | None
    reason: str
    """Why it is not good; empty when it is."""
    ends_at: datetime | None = None
    """Of a good one: when it ends, or the key that made it retires."""


def check_url(url: str) -> str:
    """Return `url` if a claim can be made for it.

    Raises:
        ClaimError: it cannot.
    """
    if not url.isprintable() or " " in url or not url or len(url) > LONGEST_URL:
        raise ClaimError(f"{url[:80]!a} is no address of a page")
    scheme, colon, rest = url.partition(":")
    if colon and scheme.lower() in _NAMED and rest:
        return url
    if not colon or scheme.lower() not in _WEB:
        raise ClaimError(
            f"{url[:80]!a} is no address of a page", hint="write https://… , or dns:example.org for a domain"
        )
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError:
        raise ClaimError(f"{url[:80]!a} is no address of a page") from None
    if not host:
        raise ClaimError(f"{url[:80]!a} names no host")
    if user is not None:
        raise ClaimError("an address with a user name or password in it is not published")
    if not host.isascii():
        try:
            parse_url(url)
        except BadUrlError as exc:
            raise ClaimError(exc.message, hint=exc.hint) from None
    return url


def check_clock(at: datetime) -> None:
    """Raises ClockError if it cannot be that early."""
    if at < NOT_BEFORE:
        raise ClockError(
            f"the clock says {at:%Y-%m-%d}, and a proof of that day would be worthless", hint="set the clock"
        )


def check_username(name: str) -> str:
    """Return `name` if an index can have such a user.

    Raises:
        ClaimError: it cannot.
    """
    if re.fullmatch(_USERNAME, name) is None:
        if not name:
            raise ClaimError(
                "the profile has no identity.pypi_username", hint="a proof says whose page it is: fill it in"
            )
        raise ClaimError(f"{name[:60]!a} is not a name that a user of an index can have", hint=_LETTERS)
    return name


def context_of(profile: Profile, url: str, *, package: str | None = None) -> ProofContext:
    """Return what a proof of this profile for `url` claims.

    Raises:
        ClaimError: the profile names no user, or nothing can be claimed of that URL.
    """
    username = check_username(profile.identity.pypi_username)
    return ProofContext(package=package or PACKAGE_PREFIX + username, username=username, url=check_url(url))


def package_of(link: ProfileLink, profile: Profile, *, package: str | None = None) -> str:
    """Return the package that a proof for `link` is for: as asked, as before, or by the rule.

    Raises:
        ClaimError: what was asked is no name that a distribution can have.
    """
    if package:
        check_package(package)
    return (
        package
        or stored_package(link, profile.identity.pypi_username)
        or PACKAGE_PREFIX + profile.identity.pypi_username
    )


def check_package(name: str) -> None:
    """Look whether a distribution can have this name.

    Raises:
        ClaimError: it cannot.
    """
    if re.fullmatch(_PACKAGE, name) is None:
        raise ClaimError(f"{name[:60]!a} is not a name that a distribution can have", hint=_LETTERS)


def parse_expiry(text: str | None, at: datetime) -> datetime:
    """Return the moment that `text` names: a duration from `at`, a day (its end), or a moment; without text, a year on.

    Raises:
        ExpiryError, InvalidDurationError: it names none, or one that has passed.
    """
    if text is None:
        return one_year_after(at)
    if re.fullmatch(_DATE, text.strip()):
        try:
            ends = datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
            if "T" not in text:
                ends += timedelta(days=1)
        except (ValueError, OverflowError):
            raise ExpiryError(f"{text} is no day that a proof can end on") from None
    else:
        ends = at + parse_duration(text)
    ends = ends.replace(microsecond=0)
    if ends <= at:
        raise ExpiryError(f"{text} is not in the future: the proof would be worthless")
    return ends


def suggested_form(link: ProfileLink) -> Form:
    """Return the form of the proof that `link` stores, else the longest that fits on such a page."""
    if (stored := stored_form(link.stored_proof)) is not None:
        return stored
    from sealstead.identity.providers import instructions

    provider, _ = instructions(link.url, link.kind, rel_me=link.rel_me)
    form: Form = provider.form.value
    return form


def stored_form(token: str) -> Form | None:
    if not token:
        return None
    if token.startswith(TINY_PREFIX):
        return "tiny"
    try:
        return parse_proof(token).form
    except ParseError:
        return None


def sign_link(
    profile: Profile,
    key: SecretKey,
    link: ProfileLink,
    *,
    at: datetime,
    expires: datetime | None = None,
    form: Form | None = None,
    package: str | None = None,
) -> str:
    """Return a new proof for one page.

    Raises:
        ClaimError: as `context_of`.
    """
    context = context_of(profile, link.url, package=package_of(link, profile, package=package))
    return make_proof(
        key,
        context,
        form=form or suggested_form(link),
        at=at,
        expires_at=expires or one_year_after(at),
        nonce=os.urandom(NONCE_BYTES),
    )


def sign_all(
    profile: Profile,
    key: SecretKey,
    *,
    at: datetime,
    expires: datetime | None = None,
    only: Collection[int] | None = None,
    package: str | None = None,
) -> dict[int, str]:
    """Return new proofs by the index of their page: of those in `only`, else of all that store one.

    Raises:
        ClaimError: as `context_of`; then nothing is signed at all.
    """
    chosen = [
        (index, link)
        for index, link in enumerate(profile.profiles)
        if (link.stored_proof if only is None else index in only)
    ]
    for _, link in chosen:
        context_of(profile, link.url)
    return {
        index: sign_link(profile, key, link, at=at, expires=expires, package=package)
        for index, link in chosen
    }


def check_stored(
    profile: Profile,
    link: ProfileLink,
    keys: Sequence[Believed],
    *,
    at: datetime,
    package: str | None = None,
) -> StoredProof:
    """Say how the proof that `link` stores stands under the keys that are believed at `at`."""
    if not link.stored_proof.strip():
        return StoredProof(Standing.MISSING, None, "no proof is stored")
    try:
        context = context_of(profile, link.url, package=package_of(link, profile, package=package))
        proved = verify_proof(link.stored_proof, context, [each.key for each in keys], at=at)
    except ExpiredProofError as exc:
        return StoredProof(Standing.EXPIRED, None, exc.message)
    except (ClaimError, ExpiredError, ParseError, VerificationError) as exc:
        return StoredProof(Standing.INVALID, None, exc.message)
    retires = [each.retires_at for each in keys if each.retires_at and each.key.id == proved.key_id]
    return StoredProof(Standing.GOOD, proved, "", min([proved.expires_at, *retires]))
