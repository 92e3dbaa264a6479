"""Sign the proofs that a profile lacks, or that do not hold any more, and write them into it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sealstead.errors import InputError
from sealstead.formats.minisign import PublicKey, SecretKey
from sealstead.formats.profile_edit import edit_profile
from sealstead.formats.profile_schema import Profile, ProfileLink
from sealstead.formats.proof_text import Form
from sealstead.identity.profile import ProfileFile
from sealstead.identity.proofs import (
    ClaimError,
    Standing,
    check_clock,
    check_stored,
    check_url,
    check_username,
    package_of,
    sign_link,
    suggested_form,
)
from sealstead.identity.sign_claim import check_not_revoked
from sealstead.identity.statements import Believed, believed


class NotInProfileError(InputError):
    """A page was named that the profile does not list."""

    code = "not-in-profile"


class Due(NamedTuple):
    """A page whose proof is to be signed."""

    position: int
    link: ProfileLink
    reason: str
    soon: bool
    """Good still, and ending within the asked window."""


class Renewal(NamedTuple):
    """A page with its new proof."""

    due: Due
    token: str
    form: Form
    package: str


class Renewed(NamedTuple):
    text: str
    """The whole profile as it is to be written; as it was when nothing was due."""
    renewals: tuple[Renewal, ...]
    key_written: bool


def due_proofs(
    profile: Profile,
    key: PublicKey,
    *,
    at: datetime,
    every: bool = False,
    within: timedelta | None = None,
    urls: Collection[str] = (),
    package: str | None = None,
) -> tuple[list[Due], list[tuple[str, str]]]:
    """Return the pages whose proofs are due, and those that nobody can sign, with the reason.

    `every`: also those that hold; `within`: also those that end in this time; `urls`: none but these.

    Raises:
        ClaimError: the profile names no user.
        NotInProfileError: one of `urls` is not in it.
    """
    check_username(profile.identity.pypi_username)
    listed = {link.url for link in profile.profiles}
    for url in urls:
        if url not in listed:
            raise NotInProfileError(f"{url} is not in the profile", hint="add it as [[profiles]] first")
    # Without a key of its own the profile is going to have this one.
    keys = believed(profile, at) or [Believed(key, None)]
    due, impossible = [], []
    for position, link in enumerate(profile.profiles):
        if urls and link.url not in urls:
            continue
        try:
            check_url(link.url)
        except ClaimError as exc:
            impossible.append((link.url, exc.message))
            continue
        stored = check_stored(profile, link, keys, at=at, package=package)
        soon = within is not None and stored.ends_at is not None and stored.ends_at <= at + within
        if stored.standing is not Standing.GOOD or soon or every:
            reason = f"ends on {stored.ends_at:%Y-%m-%d}" if stored.ends_at else stored.reason
            due.append(Due(position, link, reason, soon))
    return due, impossible


def renew(
    file: ProfileFile,
    key: SecretKey,
    due: Collection[Due],
    *,
    at: datetime,
    expires: datetime,
    package: str | None = None,
) -> Renewed:
    """Return the profile with new proofs for all that is `due`; an empty public key is filled in.

    Raises:
        ClockError: the clock cannot be right.
        RevokedKeyError: the profile says that the key is revoked.
        ProfileEditError: there is no safe place for one of them.
    """
    profile = file.profile
    check_clock(at)
    check_not_revoked(profile, key.public, at)
    renewals = []
    for each in due:
        form = suggested_form(each.link)
        named = package_of(each.link, profile, package=package)
        token = sign_link(profile, key, each.link, at=at, expires=expires, form=form, package=named)
        renewals.append(Renewal(each, token, form, named))
    missing = not profile.verification.public_key.strip()
    text = edit_profile(
        file.text,
        table=file.table,
        public_key=key.public.line if missing else None,
        proofs={each.due.position: each.token for each in renewals},
        source=file.name,
    )
    return Renewed(text, tuple(renewals), missing)
