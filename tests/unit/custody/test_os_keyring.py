"""The keyring behind its time-out, on the real `keyring` with a back end of ours in a file."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.fakes.keyring_backend import FileKeyring

from sealstead.custody import os_keyring
from sealstead.custody.os_keyring import (
    KeyringChangedError,
    KeyringRefusedError,
    KeyringTimeoutError,
    SystemKeyring,
    Unusable,
    open_keyring,
)


@pytest.fixture(autouse=True)
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEALSTEAD_TEST_KEYRING", str(tmp_path / "entries.json"))
    monkeypatch.setenv("SEALSTEAD_TEST_KEYRING_MODE", "ok")
    return tmp_path / "entries.json"


@pytest.fixture
def store() -> SystemKeyring:
    return SystemKeyring(FileKeyring(), seconds=60)


def test_an_entry_is_what_the_other_tool_would_write(store: SystemKeyring, entries: Path) -> None:
    store.put("work", b"the key file\n", expected=None)
    assert json.loads(entries.read_text()) == {
        "pypi-profile/work": base64.b64encode(b"the key file\n").decode()
    }
    assert store.get("work") == b"the key file\n"
    assert store.get("other") is None


def test_only_who_knows_what_is_there_replaces_it(store: SystemKeyring) -> None:
    store.put("work", b"one", expected=None)
    for expected in (None, b"two"):
        with pytest.raises(KeyringChangedError) as caught:
            store.put("work", b"three", expected=expected)
        assert caught.value.code == "keyring-changed"
    with pytest.raises(KeyringChangedError):
        store.delete("work", expected=b"two")
    assert store.get("work") == b"one"
    store.put("work", b"one", expected=None)  # it is there already: a repeated command
    store.put("work", b"three", expected=b"one")
    store.delete("work", expected=b"three")
    store.delete("work", expected=b"three")
    assert store.get("work") is None


def test_an_entry_that_went_away_is_a_change_too(store: SystemKeyring) -> None:
    with pytest.raises(KeyringChangedError):
        store.put("work", b"two", expected=b"one")


def test_what_others_put_there_can_be_compared(store: SystemKeyring, entries: Path) -> None:
    entries.write_text('{"pypi-profile/work": "n\u00f6t base64"}')
    assert store.get("work") == "n\u00f6t base64".encode()


def test_a_keyring_that_forgets_is_noticed(store: SystemKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALSTEAD_TEST_KEYRING_MODE", "forgets")
    with pytest.raises(KeyringRefusedError, match="did not keep"):
        store.put("work", b"one", expected=None)


@pytest.mark.parametrize(("mode", "says"), [("raises", "RuntimeError"), ("locked", "it is locked")])
def test_what_a_back_end_raises_is_told_in_one_line(
    store: SystemKeyring, monkeypatch: pytest.MonkeyPatch, mode: str, says: str
) -> None:
    monkeypatch.setenv("SEALSTEAD_TEST_KEYRING_MODE", mode)
    with pytest.raises(KeyringRefusedError, match=says):
        store.get("work")


class CountingKeyring(FileKeyring):
    """`asked` can be acquired once for each question."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Semaphore(0)

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.release()
        return super().get_password(service, username)


def test_a_blocking_back_end_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALSTEAD_TEST_KEYRING_MODE", "blocks")
    back_end = CountingKeyring()
    store = SystemKeyring(back_end, seconds=0.1)
    with pytest.raises(KeyringTimeoutError, match="did not answer"):
        store.get("work")
    with pytest.raises(KeyringTimeoutError, match="stopped answering"):
        store.put("work", b"one", expected=None)
    assert back_end.asked.acquire(timeout=60)
    assert not back_end.asked.acquire(blocking=False)


def test_a_blocking_back_end_does_not_hang_the_process_at_its_end(tmp_path: Path) -> None:
    script = (
        "from sealstead.custody.os_keyring import *\n"
        "store = open_keyring(disabled=False, seconds=60)\n"
        "store._seconds = 0.2\n"
        "try: store.get('work')\n"
        "except KeyringTimeoutError: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            "PYTHON_KEYRING_BACKEND": "tests.fakes.keyring_backend.FileKeyring",
            "SEALSTEAD_TEST_KEYRING": str(tmp_path / "entries.json"),
            "SEALSTEAD_TEST_KEYRING_MODE": "blocks",
            "HOME": str(tmp_path),
            "PYTHONPATH": ".:src",
        },
        timeout=100,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_why_there_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_keyring(disabled=True) == Unusable("left alone, as asked: --no-keyring")
    import keyring
    from keyring.backends import fail, null

    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    assert open_keyring(disabled=False) == Unusable("no keyring service runs here (no desktop session?)")
    monkeypatch.setattr(keyring, "get_keyring", null.Keyring)
    assert isinstance(open_keyring(disabled=False), Unusable)
    monkeypatch.setattr(keyring, "get_keyring", lambda: 1 / 0)
    assert open_keyring(disabled=False) == Unusable("the keyring cannot be found: ZeroDivisionError")
    monkeypatch.setitem(sys.modules, "keyring", None)
    unusable = open_keyring(disabled=False)
    assert isinstance(unusable, Unusable)
    assert "not installed" in unusable.reason


def test_a_slow_import_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(os_keyring, "_find_backend", over.wait)
    assert isinstance(open_keyring(disabled=False, seconds=0.05), Unusable)
    over.set()


class TalkativeKeyring(FileKeyring):
    """As back ends do that ask for a password of their own."""

    def get_password(self, service: str, username: str) -> str | None:
        print("Password for keyring: ", end="")  # noqa: T201
        return super().get_password(service, username)


def test_what_a_back_end_says_is_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert SystemKeyring(TalkativeKeyring(), seconds=60).get("work") is None
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Password for keyring: ")
