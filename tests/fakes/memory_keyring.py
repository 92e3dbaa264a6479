"""A keyring in memory that can be silent, or lose its answers."""

from __future__ import annotations

from sealstead.custody.os_keyring import KeyringChangedError, KeyringTimeoutError


class MemoryKeyring:
    """`KeyringStore`. `silent`: no answer at all; `deaf`: writes are made, and their answer is lost."""

    def __init__(self, **entries: bytes) -> None:
        self.entries = dict(entries)
        self.silent = False
        self.deaf = False
        self.refuses_writes = False

    def get(self, identity: str) -> bytes | None:
        if self.silent:
            raise KeyringTimeoutError("the keyring did not answer")
        return self.entries.get(identity)

    def put(self, identity: str, blob: bytes, *, expected: bytes | None) -> None:
        if self.get(identity) != expected:
            raise KeyringChangedError("the entry holds something else")
        if self.refuses_writes:
            raise KeyringTimeoutError("the keyring did not answer")
        self.entries[identity] = blob
        if self.deaf:
            raise KeyringTimeoutError("the keyring did not answer")

    def delete(self, identity: str, *, expected: bytes) -> None:
        if self.get(identity) not in (None, expected):
            raise KeyringChangedError("the entry holds something else")
        self.entries.pop(identity, None)
