"""The system's keyring, behind a time-out: a locked one may wait for ever for somebody to type.

Entries as the tool whose names we share writes them: service `pypi-profile`, user = identity, value = base64 of the
key file. Every call runs in a thread of its own that nobody waits for at the end: a back end that blocks hangs
neither the command nor its exit.

Rules:
  * an entry is replaced only by who knew what it held (read, compare, set, read back), under a lock of this user's
    that all key directories share;
  * after a time-out nothing is known about the outcome, and the keyring is not asked again.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

from sealstead.custody.key_dir import KeyDir, KeyDirError, default_key_dir
from sealstead.custody.locks import LockBusyError, locked
from sealstead.errors import ConflictError, KeyUnavailableError
from sealstead.primitives import compare_digest

T = TypeVar("T")

SERVICE = "pypi-profile"
SECONDS = 5.0


class KeyringTimeoutError(KeyUnavailableError):
    """The keyring did not answer in time. Whether it did what it was asked is unknown."""

    code = "keyring-timeout"


class KeyringRefusedError(KeyUnavailableError):
    """The keyring answered that it cannot or will not, or did not keep what it was given."""

    code = "keyring-refused"


class KeyringChangedError(ConflictError):
    """The entry does not hold what it was expected to: somebody else wrote it. Nothing was changed."""

    code = "keyring-changed"


class KeyringStore(Protocol):
    """Keeps one blob for each identity."""

    def get(self, identity: str) -> bytes | None:
        """Return what is kept; raises KeyringTimeoutError, KeyringRefusedError."""

    def put(self, identity: str, blob: bytes, *, expected: bytes | None) -> None:
        """Keep `blob` if `expected` (or `blob` already) is what is there.

        Raises:
            KeyringChangedError: something else is there.
            KeyringTimeoutError: the outcome is unknown.
            KeyringRefusedError: it was not kept.
        """

    def delete(self, identity: str, *, expected: bytes) -> None:
        """Remove the entry if it holds `expected`; an entry that is not there is fine. Raises as `put`."""


class Unusable(NamedTuple):
    """Why there is no keyring here, in one line."""

    reason: str


def open_keyring(*, disabled: bool, seconds: float = SECONDS) -> KeyringStore | Unusable:
    """Return the system's keyring, or why it cannot be used. Nothing is read yet."""
    if disabled:
        return Unusable("left alone, as asked: --no-keyring")
    try:
        backend = _within(seconds, _find_backend, "be found")
    except (KeyringTimeoutError, KeyringRefusedError) as exc:
        return Unusable(exc.message)
    return backend if isinstance(backend, Unusable) else SystemKeyring(backend, seconds=seconds)


def _find_backend() -> Any:  # noqa: ANN401 - a back end of keyring's, or Unusable
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return Unusable("keyring is not installed (pip install 'sealstead[keyring]')")
    backend = keyring.get_keyring()
    if isinstance(backend, fail.Keyring):
        return Unusable("no keyring service runs here (no desktop session?)")
    if isinstance(backend, null.Keyring):
        return Unusable("keyring is switched off in its own settings")
    return backend


class SystemKeyring:
    """`KeyringStore` on the back end that keyring chose."""

    def __init__(self, backend: Any, *, seconds: float) -> None:  # noqa: ANN401 - keyring's KeyringBackend
        self._backend = backend
        self._seconds = seconds
        self._silent = False

    def get(self, identity: str) -> bytes | None:
        text = self._ask(lambda: self._backend.get_password(SERVICE, identity), "be read")
        if text is None:
            return None
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            # Not written by us, and yet to be compared and reported like any other content.
            return str(text).encode("utf-8", "replace")

    def put(self, identity: str, blob: bytes, *, expected: bytes | None) -> None:
        with self._entry_lock():
            found = self.get(identity)
            if found is not None and compare_digest(found, blob):
                return
            _check_unchanged(identity, found, expected)
            text = base64.b64encode(blob).decode("ascii")
            self._ask(lambda: self._backend.set_password(SERVICE, identity, text), "be written")
            kept = self.get(identity)
            if kept is None or not compare_digest(kept, blob):
                raise KeyringRefusedError("the keyring did not keep what it was given")

    def delete(self, identity: str, *, expected: bytes) -> None:
        with self._entry_lock():
            found = self.get(identity)
            if found is None:
                return
            _check_unchanged(identity, found, expected)
            self._ask(lambda: self._backend.delete_password(SERVICE, identity), "be changed")
            if self.get(identity) is not None:
                raise KeyringRefusedError("the keyring did not remove the entry")

    def _ask(self, call: Callable[[], T], what: str) -> T:
        if self._silent:
            raise KeyringTimeoutError("the keyring has stopped answering")
        try:
            return _within(self._seconds, call, what)
        except KeyringTimeoutError:
            self._silent = True
            raise

    @contextlib.contextmanager
    def _entry_lock(self) -> Iterator[None]:
        # In the user's own directory, whatever key directory is in use: two of them share one keyring entry.
        try:
            home = KeyDir(default_key_dir())
            home.make()
            with locked(home.path / ".keyring.lock", seconds=self._seconds * 4):
                yield
        except LockBusyError as exc:
            raise KeyringTimeoutError("another command is at work on the keyring") from exc
        except (KeyDirError, OSError) as exc:
            raise KeyringRefusedError("the keyring cannot be locked against other commands") from exc


def _check_unchanged(identity: str, found: bytes | None, expected: bytes | None) -> None:
    if found is None and expected is None:
        return
    if found is None or expected is None or not compare_digest(found, expected):
        raise KeyringChangedError(
            f"the keyring holds another key for {identity} than expected",
            hint="it was left as it is; key-list --check shows it",
        )


def _within(seconds: float, call: Callable[[], T], what: str) -> T:
    """Return what `call` returns, if it does so in time.

    Raises:
        KeyringTimeoutError: it did not; the thread is left to itself.
        KeyringRefusedError: it raised. Its message is not repeated: nobody knows what a back end puts in there.
    """
    answer: list[T] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            answer.append(call())
        except BaseException as exc:  # noqa: BLE001 - a back end may raise anything, also SystemExit
            failure.append(exc)

    thread = threading.Thread(target=work, daemon=True, name="keyring")
    # Standard output is for what was asked for, JSON perhaps: a back end's notes and questions go to the other one.
    with contextlib.redirect_stdout(sys.stderr):
        thread.start()
        thread.join(seconds)
    if answer:
        return answer[0]
    if failure:
        raise KeyringRefusedError(f"the keyring cannot {what}: {_reason(failure[0])}") from failure[0]
    raise KeyringTimeoutError(f"the keyring did not answer within {seconds:g} seconds (is it locked?)")


_REASONS = {
    "KeyringLocked": "it is locked",
    "InitError": "it cannot be opened",
    "NoKeyringError": "there is none",
}


def _reason(exc: BaseException) -> str:
    return _REASONS.get(type(exc).__name__, type(exc).__name__)
