"""Begin a profile: the text of the file, and the file where there is none."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sealstead.custody.files import FileExistsConflictError, replace_content, write_atomically
from sealstead.formats.minisign import PublicKey
from sealstead.formats.profile_schema import Package, Profile, ProfileLink
from sealstead.formats.profile_toml import PYPROJECT_TABLE, parse_profile
from sealstead.formats.profile_write import serialize_profile
from sealstead.identity.profile import (
    PROFILE_NAME,
    PYPROJECT_NAME,
    ProfileShadowedError,
    ProfileUnreadableError,
    has_table,
)
from sealstead.identity.profile_lock import profile_lock
from sealstead.identity.proofs import ClaimError, check_url, check_username
from sealstead.record import replace

_PUBLIC_FILE = 0o644
_HEAD = (
    "Who you are, and which pages are yours.",
    "pypi-profile validate checks this file, update-proofs signs its pages, verify looks whether they show it.",
)
_PAGES = (
    "One entry for each page that is yours. After update-proofs each has its proof here, to be put on the page.",
    "",
    "[[profiles]]",
    'kind = "github"',
    'label = "GitHub"',
    'url = "https://github.com/…"',
)
_MORE_PAGES = ("One entry for each page that is yours; update-proofs signs those that have no proof.",)
_KEY = ("keygen writes the public key here.",)


def link_to(url: str) -> ProfileLink:
    """Return an entry for a page, named after the site that it is on.

    Raises:
        ClaimError: it is not an address that can be claimed.
    """
    from sealstead.identity.providers import instructions

    provider, _ = instructions(check_url(url))
    plain = provider.name in ("page", "well-known")
    return ProfileLink(
        kind="website" if plain else provider.name, label="Website" if plain else provider.title, url=url
    )


def draft(profile: Profile, *, key: PublicKey | None) -> str:
    """Return the text of a new profile file. It parses to what was given, and leaves room for the rest.

    Raises:
        ClaimError: the user name is none.
    """
    if profile.identity.pypi_username:
        check_username(profile.identity.pypi_username)
    if key is not None:
        profile = replace(profile, verification=replace(profile.verification, public_key=key.line))
    text = serialize_profile(
        profile,
        head=_HEAD,
        notes={
            "profiles": _MORE_PAGES if profile.profiles else _PAGES,
            "verification": () if key else _KEY,
        },
        always={
            "profile": ("kind", "display_name", "summary"),
            "identity": ("pypi_username",),
            "verification": ("public_key",),
        },
    )
    parse_profile(text.encode())
    return text


def check_absent(path: Path) -> None:
    """Find out whether a profile can begin at `path`.

    Raises:
        FileExistsConflictError: there is something.
        ProfileShadowedError: the profile beside it, in pyproject.toml, would count no more.
        ProfileError, ProfileUnreadableError: there may be one in it, and it cannot be read.
    """
    if path.exists() or path.is_symlink():
        raise FileExistsConflictError(f"{path} exists already", hint="--force replaces all of it")
    if path.name == PROFILE_NAME and has_table(path.with_name(PYPROJECT_NAME)):
        raise ProfileShadowedError(
            f"there is a profile already: [{PYPROJECT_TABLE}] in {path.with_name(PYPROJECT_NAME)}",
            hint=f"it would count no more beside a {PROFILE_NAME}; if that is meant: --force",
        )


def write_new(path: Path, text: str, *, replace: bool) -> None:
    """Write a new profile file, whole or not at all.

    Raises:
        FileExistsConflictError: there is one, and it is not to be replaced.
        ProfileUnreadableError: the system does not let us write it.
    """
    try:
        if replace and path.exists():
            if not stat.S_ISREG(path.stat().st_mode):
                raise ProfileUnreadableError(f"{path} is not a regular file")
            target = path.resolve()
            with profile_lock(target):
                replace_content(target, text.encode())
        else:
            write_atomically(path, text.encode(), mode=_PUBLIC_FILE, replace=False)
    except FileExistsConflictError as exc:
        raise FileExistsConflictError(f"{path} exists already", hint="--force replaces all of it") from exc
    except OSError as exc:
        missing = None if path.parent.is_dir() else f"make the directory {path.parent} first"
        raise ProfileUnreadableError(f"{path} cannot be written: {exc.strerror}", hint=missing) from exc


def packages_of(roles: Iterable[Mapping[str, str]]) -> tuple[Package, ...]:
    """Return the packages of a user, each once; of two roles the greater."""
    ranked = sorted(roles, key=lambda each: (each["name"].lower(), each["role"] != "owner"))
    first = {each["name"]: each["role"] for each in reversed(ranked)}
    return tuple(
        Package(name=name, role="owner" if role == "owner" else "maintainer")
        for name, role in sorted(first.items())
    )


def claimable(profile: Profile) -> tuple[Profile, list[str]]:
    """Return the profile without the pages that nobody could claim, and why each was left out."""
    kept, reasons = [], []
    for link in profile.profiles:
        try:
            check_url(link.url)
        except ClaimError as exc:
            reasons.append(exc.message)
        else:
            kept.append(link)
    return replace(profile, profiles=tuple(kept)), reasons


def merged(profile: Profile, links: Sequence[ProfileLink]) -> Profile:
    """Return the profile with these pages after its own, each once."""
    known = {link.url for link in profile.profiles}
    more = tuple(link for link in links if link.url not in known)
    return replace(profile, profiles=(*profile.profiles, *more))
