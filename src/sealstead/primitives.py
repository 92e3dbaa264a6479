"""BLAKE2b, SHA-256 and a comparison in constant time, as `hashlib` and `hmac` give them.

Those two modules load the system's cryptographic library first, for others of their functions: a twentieth of the time
of a short command. What CPython has of its own is the same, if slower for long texts; another Python is asked as usual.
"""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False  # `typing` takes longer to import than all of this
if TYPE_CHECKING:
    from hashlib import blake2b, sha256
    from hmac import compare_digest
else:
    try:
        from _blake2 import blake2b
        from _operator import _compare_digest as compare_digest

        sha256 = importlib.import_module("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256
    except ImportError:
        from hashlib import blake2b, sha256
        from hmac import compare_digest

__all__ = ["blake2b", "compare_digest", "sha256"]
