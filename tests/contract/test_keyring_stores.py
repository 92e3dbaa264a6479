"""What every keyring store must do: one suite on the fake in memory, the file behind `keyring`, and a real keyring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.desktop import session_with_keyring
from tests.fakes.keyring_backend import BACKEND
from tests.fakes.keyring_store import MemoryKeyring
from tests.keys import key_file

from sealstead.custody.os_keyring import KeyringChangedError, KeyringStore

ONE, TWO, THREE = key_file(1), key_file(2, "pass"), key_file(3)

SCRIPT = """
import json, sys, base64
from sealstead.custody.os_keyring import KeyringChangedError, SystemKeyring, open_keyring
store = open_keyring(disabled=False, seconds=30)
assert isinstance(store, SystemKeyring), store
for line in sys.stdin:
    name, identity, *blobs = json.loads(line)
    blobs = [None if blob is None else base64.b64decode(blob) for blob in blobs]
    try:
        if name == "get":
            found = store.get(identity)
            answer = ["ok", None if found is None else base64.b64encode(found).decode()]
        elif name == "put":
            answer = ["ok", store.put(identity, blobs[0], expected=blobs[1])]
        else:
            answer = ["ok", store.delete(identity, expected=blobs[0])]
    except KeyringChangedError:
        answer = ["changed", None]
    print(json.dumps(answer), flush=True)
"""


class FarStore:
    """A store in a process of its own, with the environment that its keyring needs."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": "src:."} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def get(self, identity: str) -> bytes | None:
        import base64

        found = self._ask("get", identity)
        return None if found is None else base64.b64decode(found)

    def put(self, identity: str, blob: bytes, *, expected: bytes | None) -> None:
        self._ask("put", identity, blob, expected)

    def delete(self, identity: str, *, expected: bytes) -> None:
        self._ask("delete", identity, expected)

    def _ask(self, name: str, identity: str, *blobs: bytes | None) -> Any:
        import base64

        assert self.process.stdin
        assert self.process.stdout
        texts = [None if blob is None else base64.b64encode(blob).decode() for blob in blobs]
        self.process.stdin.write(json.dumps([name, identity, *texts]) + "\n")
        self.process.stdin.flush()
        outcome, value = json.loads(self.process.stdout.readline())
        if outcome == "changed":
            raise KeyringChangedError("changed")
        return value

    def close(self) -> None:
        self.process.communicate(timeout=60)


def _far(environment: dict[str, str]) -> Iterator[KeyringStore]:
    store = FarStore(environment)
    try:
        yield cast("KeyringStore", store)
    finally:
        store.close()


@pytest.fixture(params=["memory", "file", pytest.param("gnome-keyring", marks=pytest.mark.interop)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyringStore]:
    if request.param == "memory":
        yield MemoryKeyring()
    elif request.param == "file":
        entries = str(tmp_path / "entries.json")
        yield from _far(
            {"HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": BACKEND, "SEALSTEAD_TEST_KEYRING": entries}
        )
    else:
        with session_with_keyring(tmp_path) as environment:
            yield from _far(environment | {"HOME": str(tmp_path)})


def test_it_keeps_replaces_and_removes(store: KeyringStore) -> None:
    assert store.get("work") is None
    store.put("work", ONE, expected=None)
    store.put("J\u00f6rg", THREE, expected=None)
    assert store.get("work") == ONE
    store.put("work", TWO, expected=ONE)
    assert (store.get("work"), store.get("J\u00f6rg")) == (TWO, THREE)
    store.delete("work", expected=TWO)
    assert (store.get("work"), store.get("J\u00f6rg")) == (None, THREE)


def test_it_changes_nothing_for_who_expected_something_else(store: KeyringStore) -> None:
    store.put("work", ONE, expected=None)
    for expected in (None, TWO):
        with pytest.raises(KeyringChangedError):
            store.put("work", THREE, expected=expected)
    with pytest.raises(KeyringChangedError):
        store.delete("work", expected=TWO)
    with pytest.raises(KeyringChangedError):
        store.put("other", THREE, expected=ONE)
    assert (store.get("work"), store.get("other")) == (ONE, None)


def test_a_repeated_command_finds_it_done(store: KeyringStore) -> None:
    store.put("work", ONE, expected=None)
    store.put("work", ONE, expected=None)
    store.put("work", TWO, expected=ONE)
    store.put("work", TWO, expected=ONE)
    store.delete("work", expected=TWO)
    store.delete("work", expected=TWO)
    assert store.get("work") is None
