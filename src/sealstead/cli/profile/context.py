"""What every command about keys starts from: directory, keyring, identity, local profile, moment, passphrases.

The one place that turns options and environment into values. Looking never writes: a change that was left behind is
told of by commands that look, and finished by commands that write.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealstead.cli import output
from sealstead.cli.profile.passphrases import Passphrases, can_ask
from sealstead.clock import SystemClock
from sealstead.custody.key_dir import JOURNAL_FILE, KeyDir, default_key_dir
from sealstead.custody.os_keyring import open_keyring
from sealstead.errors import InputError, KeyUnavailableError, ParseError
from sealstead.formats.minisign_key import PublicKey, SecretKey, parse_public_key
from sealstead.identity.keyslots import (
    IDENTITY_VARIABLE,
    FoundKey,
    KeyPlaces,
    NoKeyError,
    explicit_key,
    find_key,
    resolve_identity,
)

if TYPE_CHECKING:
    from sealstead.identity.journal import Recovered
    from sealstead.identity.profile import ProfileFile

_PROFILES = ("pypi_profile.toml", "pyproject.toml")
"""Where none of them is, what reads them need not even be imported."""


class OtherProfileKeyError(KeyUnavailableError):
    """A key was named that is not the one of the profile."""

    code = "other-profile-key"


class KeyContext(NamedTuple):
    places: KeyPlaces
    identity: str
    identity_named: bool
    """Somebody said so, with the option or in the environment; else it follows from the profile."""
    profile: ProfileFile | None
    explicit: Path | None
    """A secret key file that was named, with `--key` or in the environment."""
    at: datetime
    interactive: bool
    passphrases: Passphrases
    recovered: Recovered | None
    """What an interrupted command had left behind, and this one has ended."""

    @property
    def wanted(self) -> PublicKey | None:
        """The key that the profile names.

        Raises:
            MinisignFormatError: it names something that is no public key.
        """
        line = self.profile.profile.verification.public_key if self.profile else ""
        try:
            return parse_public_key(line) if line.strip() else None
        except ParseError as exc:
            raise _in_profile(exc, self.profile) from exc

    @property
    def wanted_or_none(self) -> PublicKey | None:
        """As `wanted`; None also for what is no public key."""
        try:
            return self.wanted
        except ParseError:
            return None

    def find(self, *, wanted: PublicKey | None = None) -> FoundKey:
        """Return the secret key that all commands use here; raises as `find_key`."""
        found = find_key(
            self.places,
            self.identity,
            wanted=wanted,
            explicit=self.explicit,
            anywhere=not self.identity_named,
        )
        for warning in found.warnings:
            output.warning(warning)
        return found

    def signing_key(self) -> FoundKey:
        """Return the key that makes the profile's proofs: the one that it names, wherever it is, if it names one.

        Raises:
            NoKeyError: the profile names a key that is not here; what else `find_key` raises.
            OtherProfileKeyError: the key file that was named is not the profile's.
        """
        wanted = self.wanted
        found = self.find(wanted=wanted)
        if wanted is not None and found.public is not None and found.public != wanted:
            raise OtherProfileKeyError(
                f"{found.path} is key {found.public.id}, and the profile names {wanted.id}",
                hint="a proof made with it would prove nothing; leave --key and PYPI_PROFILE_KEY_PATH out",
            )
        return found

    def current_key(self) -> FoundKey:
        """Return the key that `sign` would use here; where that is none, still the identity's own."""
        try:
            return self.find(wanted=self.wanted)
        except NoKeyError as exc:
            if self.wanted is None:
                raise
            try:
                return self.find()
            except NoKeyError:
                raise exc from None  # it says what to do about the profile's key

    def open(self, found: FoundKey) -> SecretKey:
        """Return the key, asking for its passphrase only if it has one; raises as `FoundKey.open`."""
        return found.open(lambda: self.passphrases.current(f"Passphrase of key {found.identity}"))


def _in_profile(exc: ParseError, profile: ProfileFile | None) -> ParseError:
    """Return the error with the place in the profile where the public key stands."""
    from sealstead.formats.profile_places import places_of

    where, place = "verification.public_key", ""
    if profile is not None:
        line, column = places_of(profile.text, [where], table=profile.table).get(where, (1, 1))
        place = f"{profile.name}:{line}:{column}: "
    return type(exc)(
        f"{place}{where}: {exc.message}", hint="it is the second line of the .pub file of the profile's key"
    )


def open_context(
    *,
    keyring_identity: str | None,
    key_dir: Path | None,
    no_keyring: bool,
    source: str | None = None,
    key: Path | None = None,
    interactive: bool | None = None,
    password_stdin: bool = False,
    password_file: Path | None = None,
    new_password_file: Path | None = None,
    writes: bool = False,
    tolerant: bool = False,
) -> KeyContext:
    """Return what the options, the environment and the profile here come to.

    `source` names the profile; without it, the one in the current directory counts, if there is one. `writes`: the
    command is going to change keys, so what an interrupted one left behind is ended first. `tolerant`: the command
    can do without the profile here, so a broken one is told of and otherwise ignored.

    Raises:
        IdentityError, KeyDirError, NoProfileError, ProfileUnreadableError, ProfileError: as they say.
    """
    cwd = Path.cwd()
    asks = can_ask(interactive)
    places = KeyPlaces(
        KeyDir(cwd / (key_dir or default_key_dir())), opener=lambda: open_keyring(disabled=no_keyring)
    )
    recovered = settle(places, writes=writes)
    # After that: what was left behind may have been about to change the profile.
    try:
        profile = _profile(source, cwd)
    except (InputError, ParseError) as exc:
        if not tolerant:
            if keyring_identity is not None and source is None:
                raise _in_the_way(exc, keyring_identity) from None
            raise
        output.warning(f"{exc.message} ({exc.hint})" if exc.hint else exc.message)
        profile = None
    for warning in profile.warnings if profile else ():
        output.warning(str(warning))
    return KeyContext(
        places=places,
        recovered=recovered,
        identity=resolve_identity(keyring_identity, os.environ, profile.profile if profile else None),
        identity_named=keyring_identity is not None or bool(os.environ.get(IDENTITY_VARIABLE)),
        profile=profile,
        explicit=explicit_key(key, os.environ),
        at=SystemClock().now(),
        interactive=asks,
        passphrases=Passphrases(
            environ=os.environ,
            interactive=asks,
            from_stdin=password_stdin,
            file=password_file,
            new_file=new_password_file,
        ),
    )


def _in_the_way(exc: InputError | ParseError, identity: str) -> InputError | ParseError:
    """Return the error with what there is to do for somebody who did not ask for this profile."""
    said = type(exc)(
        exc.message,
        hint=f"{f'{exc.hint}; ' if exc.hint else ''}whether it names the key of {identity}, nobody can tell: mend it first, "
        "see validate; or run this in a directory without a profile",
    )
    said.facts = exc.facts
    return said


def _profile(source: str | None, cwd: Path) -> ProfileFile | None:
    if source is None and not any(os.path.lexists(cwd / name) for name in _PROFILES):
        return None
    from sealstead.identity.profile import find_local, find_profile

    return find_local(cwd) if source is None else find_profile(source, cwd)


def settle(places: KeyPlaces, *, writes: bool) -> Recovered | None:
    """End a change that an interrupted command left behind, or just tell of it if this command only looks.

    Raises:
        ChangeConflictError, JournalDamagedError, KeyDirBusyError: as `recover_pending`.
    """
    if not writes and not os.path.lexists(places.directory.path / JOURNAL_FILE):
        return None
    from sealstead.identity.journal import find_pending, recover_pending

    if not writes:
        pending = find_pending(places.directory)
        if pending is not None:
            output.warning(pending)
        return None
    recovered = recover_pending(places)
    if recovered is not None:
        output.note(recovered.message)
        for warning in recovered.warnings:
            output.warning(warning)
    return recovered
