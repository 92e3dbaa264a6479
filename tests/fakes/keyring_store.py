"""A keyring in memory, with the rules of the real one."""

from __future__ import annotations

from sealstead.custody.os_keyring import KeyringChangedError


class MemoryKeyring:
    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}

    def get(self, identity: str) -> bytes | None:
        return self.entries.get(identity)

    def put(self, identity: str, blob: bytes, *, expected: bytes | None) -> None:
        if self.entries.get(identity) not in (blob, expected):
            raise KeyringChangedError("another key than expected")
        self.entries[identity] = blob

    def delete(self, identity: str, *, expected: bytes) -> None:
        if self.entries.get(identity, expected) != expected:
            raise KeyringChangedError("another key than expected")
        self.entries.pop(identity, None)
