"""Any file: the signature stands beside it, as CMS (`.p7s`) or as minisign writes it (`.minisig`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sealstead.codesign.digested import Digested, NewFile, TargetUnreadableError, reading
from sealstead.errors import ConflictError, ParseError
from sealstead.formats.digests import digest_algorithm

BLAKE2B_512 = "BLAKE2b-512"
_BLOCK_BYTES = 1 << 20
_MAX_SIGNATURE_BYTES = 1 << 20


class NotASignatureError(ConflictError):
    """Where the signature of a file belongs stands something else."""

    code = "not-a-signature"


class DetachedHandler:
    """`suffix` is that of the signature, `check` refuses (ParseError) what is none."""

    def __init__(self, suffix: str, check: Callable[[bytes], object]) -> None:
        self._suffix = suffix
        self._check = check

    def digest(self, path: Path, algorithms: Sequence[str]) -> Digested:
        hashes = {name: new_hash(name) for name in algorithms}
        view = memoryview(bytearray(_BLOCK_BYTES))
        with reading(path) as (file, facts):
            while count := file.readinto(view):
                for one in hashes.values():
                    one.update(view[:count])
        return Digested(
            path=path,
            facts=facts,
            digests={name: one.digest() for name, one in hashes.items()},
            existing=self._existing(path),
        )

    def prepared(self, digested: Digested, signature: bytes) -> NewFile:
        return NewFile(
            path=self._beside(digested.path),
            content=signature,
            source=digested.path,
            facts=digested.facts,
        )

    def _beside(self, path: Path) -> Path:
        return path.with_name(path.name + self._suffix)

    def _existing(self, path: Path) -> bytes | None:
        beside = self._beside(path)
        try:
            with beside.open("rb") as file:
                content = file.read(_MAX_SIGNATURE_BYTES)
            self._check(content)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise TargetUnreadableError(f"{beside} cannot be read: {exc.strerror}") from exc
        except ParseError as exc:
            raise NotASignatureError(
                f"{beside} is not a signature, and would be replaced by one", hint="move it away"
            ) from exc
        return content


def new_hash(name: str) -> Any:  # noqa: ANN401 - hashlib's objects have no common type
    return hashlib.blake2b() if name == BLAKE2B_512 else digest_algorithm(name).new()
