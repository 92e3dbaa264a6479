"""Where secret keys can be, and what is known of one before it is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from sealstead.custody.key_dir import KeyDir
from sealstead.custody.key_index import ForeignIndexError, IndexEntry, load_index
from sealstead.custody.os_keyring import KeyringStore, Unusable
from sealstead.errors import InputError, KeyUnavailableError, ParseError
from sealstead.formats.minisign_key import PublicKey, SecretKey, SecretKeyFile, parse_public_key
from sealstead.formats.minisign_text import PassphraseNeededError, WrongPassphraseError
from sealstead.record import Record
from sealstead.secret import Secret

Source = Literal["explicit", "disk", "keyring", "staged", "archive"]


class NoKeyError(KeyUnavailableError):
    """No secret key is where one is looked for."""

    code = "no-key"


class AmbiguousKeyError(InputError):
    """Two keys may be the one that is meant: an id is only a name, and an encrypted key does not tell which it is."""

    code = "ambiguous-key"


class OtherKeyError(KeyUnavailableError):
    """The secret key that was opened is not the one that its public half promised."""

    code = "other-key"


class KeyPlaces:
    """Where keys are: a directory, and the keyring, which is opened when it is first asked."""

    def __init__(
        self,
        directory: KeyDir,
        keyring: KeyringStore | None = None,
        keyring_reason: str = "",
        *,
        opener: Callable[[], KeyringStore | Unusable] | None = None,
    ) -> None:
        self.directory = directory
        self._keyring = keyring
        self._reason = keyring_reason
        self._opener = opener

    @property
    def keyring(self) -> KeyringStore | None:
        self._open()
        return self._keyring

    @property
    def keyring_reason(self) -> str:
        """Why there is no keyring, in one line; empty when there is one."""
        self._open()
        return self._reason

    def _open(self) -> None:
        if self._opener is None:
            return
        opened = self._opener()
        self._opener = None
        if isinstance(opened, Unusable):
            self._reason = opened.reason
        else:
            self._keyring = opened


class FoundKey(Record, hidden=("blob",)):
    identity: str
    source: Source
    path: Path | None
    """None: from the keyring."""
    file: SecretKeyFile
    blob: bytes
    """The content of its file, as the keyring holds it too."""
    public: PublicKey | None
    """Of an encrypted key, what the `.pub` beside it or the index says; None: nobody knows before it is opened."""
    warnings: tuple[str, ...] = ()

    def open(self, passphrase: Callable[[], Secret[str] | None]) -> SecretKey:
        """Return the key; `passphrase` is called only when it is needed.

        Raises:
            PassphraseNeededError, WrongPassphraseError, DamagedKeyError: as `SecretKeyFile.open`.
            OtherKeyError: it is another key than its `.pub` file or the index says.
        """
        try:
            key = self.file.open(passphrase() if self.file.encrypted else None)
        except PassphraseNeededError as exc:
            name = f"{self.public.id} of {self.identity}" if self.public else f"of {self.identity}"
            raise PassphraseNeededError(
                f"the secret key {name} is encrypted ({self.path or 'in the keyring'})",
                hint="give its passphrase: --password-stdin, --password-file or PYPI_PROFILE_KEY_PASSWORD",
            ) from exc
        except WrongPassphraseError as exc:
            name = f"{self.public.id} of {self.identity}" if self.public else f"of {self.identity}"
            raise WrongPassphraseError(
                f"the passphrase does not open the secret key {name} ({self.path or 'in the keyring'})",
                hint=exc.hint,
            ) from exc
        if self.public is not None and key.public != self.public:
            raise OtherKeyError(
                f"the secret key of {self.identity} is {key.public.id}, its public key file says {self.public.id}",
                hint="one of the two files was replaced alone",
            )
        return key


def public_beside(places: KeyPlaces, identity: str) -> PublicKey | None:
    """Return what the `.pub` file of an identity says, if it is there and readable."""
    return read_public(places.directory.public_path(identity))


def index_entries(places: KeyPlaces) -> list[IndexEntry]:
    """Return the index as far as it can be read; to know why it cannot, ask `load_index`.

    Revocations that stand in files of their own are added: they outlive an index that was lost.
    """
    try:
        entries = load_index(places.directory)
    except (ForeignIndexError, KeyUnavailableError):
        entries = []
    if stated := places.directory.revocations():
        from sealstead.identity.revocation_files import with_revocations

        return with_revocations(entries, stated)
    return entries


def read_public(path: Path) -> PublicKey | None:
    """Return the key in a `.pub` file, if it is there and readable."""
    try:
        return parse_public_key(path.read_bytes())
    except (OSError, ParseError):
        return None
