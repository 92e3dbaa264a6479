"""Which key: the one place where an identity becomes a secret key. Every command asks here, so all agree.

Rules:
  * identity: the option, else the environment, else the user name in the profile, else `default`;
  * a profile's public key, where one is wanted, decides among active, staged and archived keys (DESIGN §2, rule 3);
  * the disk answers before the keyring, which may be slow, locked or of another key directory;
  * nothing is opened or written here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from sealstead.custody.files import MissingFileError
from sealstead.custody.key_dir import DEFAULT_IDENTITY, JOURNAL_FILE, check_identity
from sealstead.custody.os_keyring import KeyringRefusedError, KeyringTimeoutError
from sealstead.errors import KeyUnavailableError, ParseError, SealsteadError
from sealstead.formats.minisign_key import PublicKey, parse_public_key, parse_secret_key
from sealstead.identity.places import (
    FoundKey,
    KeyPlaces,
    NoKeyError,
    OtherKeyError,
    Source,
    index_entries,
    public_beside,
    read_public,
)
from sealstead.record import replace

__all__ = [
    "FoundKey",
    "KeyPlaces",
    "NoKeyError",
    "OtherKeyError",
    "archives",
    "explicit_key",
    "find_key",
    "index_entries",
    "public_beside",
    "resolve_identity",
]

IDENTITY_VARIABLE = "PYPI_PROFILE_KEYRING_USERNAME"
KEY_PATH_VARIABLE = "PYPI_PROFILE_KEY_PATH"

Look = Callable[[], FoundKey | None]


class _Identity(Protocol):
    @property
    def pypi_username(self) -> str: ...


class NamesIdentity(Protocol):
    """As much of a profile as is asked for here."""

    @property
    def identity(self) -> _Identity: ...


def resolve_identity(option: str | None, environ: Mapping[str, str], profile: NamesIdentity | None) -> str:
    """Return whose key is meant.

    Raises:
        IdentityError: what names it cannot be an identity.
    """
    if option is not None:
        return check_identity(option)
    username = profile.identity.pypi_username if profile is not None else ""
    return check_identity(environ.get(IDENTITY_VARIABLE) or username or DEFAULT_IDENTITY)


def explicit_key(option: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the secret key file that was named, with the option or in the environment."""
    named = environ.get(KEY_PATH_VARIABLE)
    return option or (Path(named) if named else None)


def find_key(
    places: KeyPlaces,
    identity: str,
    *,
    wanted: PublicKey | None = None,
    explicit: Path | None = None,
    anywhere: bool = False,
) -> FoundKey:
    """Return the secret key of `identity`, still closed; with `wanted`, the one with that public half.

    `anywhere`: nobody named the identity; so a wanted key may be another identity's, and one may fall back to
    `default`. An encrypted key whose public half is not known is returned only when nothing else fits.

    Raises:
        AmbiguousKeyError: several encrypted keys may be the wanted one.
        NoKeyError: there is none, or none that fits.
        ParseError, KeyUnavailableError: there is one, and it is damaged or cannot be read.
    """
    if explicit is not None:
        return _from_file(places, identity, "explicit", explicit)
    search = _Search(wanted)
    for look in _looks(places, identity, thorough=wanted is not None, anywhere=anywhere):
        if (found := search.tried(look)) is not None:
            return found
    if search.unknown:
        from sealstead.identity.candidates import the_one

        if (found := the_one(search.unknown, wanted)) is not None:
            return search.told(found)
    if search.failures:
        raise search.failures[0]
    raise _none(places, identity, wanted, search.other, search.warnings, named=not anywhere)


class _Search:
    """What was met on the way to the key."""

    def __init__(self, wanted: PublicKey | None) -> None:
        self.wanted = wanted
        self.warnings: list[str] = []
        self.failures: list[SealsteadError] = []
        self.unknown: list[FoundKey] = []
        """Encrypted, and nothing tells which key it is."""
        self.other: FoundKey | None = None

    def tried(self, look: Look) -> FoundKey | None:
        try:
            found = look()
        except (KeyringTimeoutError, KeyringRefusedError) as exc:
            self.warnings.append(exc.message)
            return None
        except MissingFileError:
            return None
        except (ParseError, KeyUnavailableError) as exc:
            self.failures.append(exc)
            return None
        if found is None:
            return None
        if self.wanted is None or found.public == self.wanted:
            return self.told(found)
        if found.public is None:
            self.unknown.append(found)
        elif found.source in ("disk", "keyring"):
            self.other = self.other or found
        return None

    def told(self, found: FoundKey) -> FoundKey:
        failures = [failure.message for failure in self.failures]
        return replace(found, warnings=(*found.warnings, *self.warnings, *failures))


def _looks(places: KeyPlaces, identity: str, *, thorough: bool, anywhere: bool) -> Iterator[Look]:
    directory = places.directory
    path = directory.secret_path(identity)
    yield lambda: _from_file(places, identity, "disk", path)
    yield lambda: _from_keyring(places, identity)
    if thorough:
        yield lambda: _from_file(places, identity, "staged", directory.staged_path(path))
        for old in archives(places, identity):
            yield lambda old=old: _from_file(places, identity, "archive", old)  # type: ignore[misc]
    if anywhere:
        for name in directory.identities() if thorough else [DEFAULT_IDENTITY]:
            if name != identity:
                yield lambda name=name: _from_file(  # type: ignore[misc]
                    places, name, "disk", directory.secret_path(name)
                )


def archives(places: KeyPlaces, identity: str) -> list[Path]:
    """Return the files of an identity's replaced keys, the newest first."""
    pattern = places.directory.archive_path(identity, "0" * 16).name
    front, _, back = pattern.partition("0" * 16)
    try:
        found = [
            Path(entry.path)
            for entry in os.scandir(places.directory.path)
            if entry.name.startswith(front)
            and entry.name.endswith(back)
            and len(entry.name) == len(pattern)
            and entry.is_file(follow_symlinks=False)
        ]
        return sorted(found, key=lambda path: (-path.stat().st_mtime, path.name))
    except OSError:
        return []


def _from_file(places: KeyPlaces, identity: str, source: Source, path: Path) -> FoundKey:
    blob, warning = places.directory.load_secret(path)
    try:
        file = parse_secret_key(blob)
    except ParseError as exc:
        raise type(exc)(f"{path}: {exc.message}", hint=exc.hint) from exc
    return FoundKey(
        identity=identity,
        source=source,
        path=path,
        file=file,
        blob=blob,
        public=file.public or _promised(places, path, blob),
        warnings=(warning,) if warning else (),
    )


def _from_keyring(places: KeyPlaces, identity: str) -> FoundKey | None:
    blob = places.keyring.get(identity) if places.keyring is not None else None
    if blob is None:
        return None
    try:
        file = parse_secret_key(blob)
    except ParseError as exc:
        raise type(exc)(f"keyring entry {identity}: {exc.message}", hint=exc.hint) from exc
    public = file.public or _promised(places, places.directory.secret_path(identity), blob)
    return FoundKey(identity=identity, source="keyring", path=None, file=file, blob=blob, public=public)


def _promised(places: KeyPlaces, path: Path, blob: bytes) -> PublicKey | None:
    """Return the public half of an encrypted key as others tell it."""
    if os.path.lexists(places.directory.path / JOURNAL_FILE):
        from sealstead.identity.interrupted import promised_by_journal

        if (making := promised_by_journal(places.directory, path, blob)) is not None:
            return making
    if (told := read_public(path.with_suffix(".pub"))) is not None:
        return told
    for entry in index_entries(places):
        if places.directory.path / entry.file == path:
            try:
                return parse_public_key(entry.public_key)
            except ParseError:
                return None
    return None


def _none(
    places: KeyPlaces,
    identity: str,
    wanted: PublicKey | None,
    other: FoundKey | None,
    warnings: list[str],
    *,
    named: bool,
) -> NoKeyError:
    reason = "; ".join(warnings) or places.keyring_reason
    looked = f"in {places.directory.path}" + (
        f"; the keyring was not looked at: {reason}" if reason else " or the keyring"
    )
    if wanted is None and read_public(places.directory.public_path(identity)) is not None:
        return NoKeyError(
            f"no key of {identity} {looked}; only its public half is there",
            hint="bring it with key-import; if it is lost for good, see key-recover, or keygen --force",
        )
    if wanted is None:
        return NoKeyError(
            f"no key of {identity} {looked}", hint="make one with keygen, or bring one with key-import"
        )
    if other is not None and other.public is not None:
        return NoKeyError(
            f"the profile names key {wanted.id}, the key of {other.identity} is {other.public.id}",
            hint=f"name the profile's own identity, or use the key of {identity} away from this profile"
            if named
            else "bring the key with key-import, choose another with --keyring-identity, or see key-recover",
        )
    return NoKeyError(
        f"no key {wanted.id}, which the profile names, {looked}",
        hint="bring it with key-import; if it is lost for good, see key-recover",
    )
