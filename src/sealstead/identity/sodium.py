"""BLAKE2b-512 by the system's libsodium, where there is one: it uses more of the processor than Python's own does.

For long files only, where a tenth of the time is more than it takes to load it; `minisign` uses the same library. It is
believed once it says of a short text what the specification says.
"""

from __future__ import annotations

import ctypes
import sys

_NAMES = ("libsodium.so.23", "libsodium.so.26") if sys.platform == "linux" else ()
_DIGEST_BYTES = 64
_OF_ABC = bytes.fromhex(
    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
)
"""RFC 7693, appendix A."""
_ALIGNMENT = 64
"""Of its state, which it uses the processor's widest registers for."""


class SodiumDigest:
    """Used as the digests of `hashlib` are."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._room = ctypes.create_string_buffer(library.crypto_generichash_statebytes() + _ALIGNMENT)
        begin = ctypes.addressof(self._room)
        self._state = ctypes.c_void_p(begin + -begin % _ALIGNMENT)
        self._call("init", None, ctypes.c_size_t(0), ctypes.c_size_t(_DIGEST_BYTES))

    def update(self, data: memoryview) -> None:
        """`data` is a part of something that could be written to, though nothing is."""
        piece = (ctypes.c_char * len(data)).from_buffer(data)
        self._call("update", piece, ctypes.c_ulonglong(len(data)))

    def digest(self) -> bytes:
        found = ctypes.create_string_buffer(_DIGEST_BYTES)
        self._call("final", found, ctypes.c_size_t(_DIGEST_BYTES))
        return found.raw

    def _call(self, name: str, *arguments: object) -> None:
        if self._library[f"crypto_generichash_{name}"](self._state, *arguments) != 0:
            raise OSError(f"libsodium cannot {name} a digest")


def sodium_digest() -> SodiumDigest | None:
    """Return a new digest of nothing yet; None where the library is not there, or says something else than it should."""
    for name in _NAMES:
        try:
            library = ctypes.CDLL(name)
            if library.sodium_init() < 0:
                return None
            trial = SodiumDigest(library)
            trial.update(memoryview(bytearray(b"abc")))
            return SodiumDigest(library) if trial.digest() == _OF_ABC else None
        except (OSError, AttributeError):
            continue
    return None
