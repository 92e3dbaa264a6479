"""What every command about keys starts from: directory, keyring, identity, local profile, moment, passphrases.

The one place that turns options and environment into values. Looking never writes: a change that was left behind is
told of by commands that look, and finished by commands that write.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sealstead.cli import output
from sealstead.cli.profile.passphrases import Passphrases, can_ask
from sealstead.clock import SystemClock
from sealstead.custody.key_dir import KeyDir, default_key_dir
from sealstead.custody.os_keyring import open_keyring
from sealstead.formats.minisign_key import PublicKey, SecretKey, parse_public_key
from sealstead.identity.keyslots import (
    IDENTITY_VARIABLE,
    FoundKey,
    KeyPlaces,
    explicit_key,
    find_key,
    resolve_identity,
)
from sealstead.identity.profile import ProfileFile, find_local, find_profile


@dataclass(frozen=True, kw_only=True)
class KeyContext:
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

    @property
    def wanted(self) -> PublicKey | None:
        """The key that the profile names.

        Raises:
            MinisignFormatError: it names something that is no public key.
        """
        line = self.profile.profile.verification.public_key if self.profile else ""
        return parse_public_key(line) if line.strip() else None

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

    def open(self, found: FoundKey) -> SecretKey:
        """Return the key, asking for its passphrase only if it has one; raises as `FoundKey.open`."""
        return found.open(lambda: self.passphrases.current(f"Passphrase of key {found.identity}"))


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
    writes: bool = False,
) -> KeyContext:
    """Return what the options, the environment and the profile here come to.

    `source` names the profile; without it, the one in the current directory counts, if there is one. `writes`: the
    command is going to change keys, so what an interrupted one left behind is ended first.

    Raises:
        IdentityError, KeyDirError, NoProfileError, ProfileUnreadableError, ProfileError: as they say.
    """
    cwd = Path.cwd()
    profile = find_local(cwd) if source is None else find_profile(source, cwd)
    for warning in profile.warnings if profile else ():
        output.warning(str(warning.message))
    asks = can_ask(interactive)
    context = KeyContext(
        places=KeyPlaces(
            KeyDir(cwd / (key_dir or default_key_dir())), opener=lambda: open_keyring(disabled=no_keyring)
        ),
        identity=resolve_identity(keyring_identity, os.environ, profile.profile if profile else None),
        identity_named=keyring_identity is not None or bool(os.environ.get(IDENTITY_VARIABLE)),
        profile=profile,
        explicit=explicit_key(key, os.environ),
        at=SystemClock().now(),
        interactive=asks,
        passphrases=Passphrases(
            environ=os.environ, interactive=asks, from_stdin=password_stdin, file=password_file
        ),
    )
    settle(context.places, writes=writes)
    return context


def settle(places: KeyPlaces, *, writes: bool) -> None:
    """End, or tell of, a change that an interrupted command left behind."""
