"""Small commands on which the harness itself is tested: one that survives anything, others with one flaw each."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path

NEW = b"new content, long enough to be torn\n"


def main(arguments: list[str]) -> int:
    action, name = arguments
    path = Path(name)
    try:
        {
            "safe": _safe,
            "in-place": _in_place,
            "removes-first": _removes_first,
            "unsynced": _unsynced,
            "leaves-temporary": _leaves_temporary,
            "gives-up": _gives_up,
            "text": _text,
        }[action](path)
    except OSError as exc:
        print(f"error: {exc.strerror}", file=sys.stderr)
        return 1
    return 0


def _safe(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        left.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(NEW)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _in_place(path: Path) -> None:
    path.write_bytes(NEW)
    descriptor = os.open(path, os.O_RDWR)
    os.fsync(descriptor)
    os.close(descriptor)


def _removes_first(path: Path) -> None:
    path.unlink(missing_ok=True)
    _safe(path)


def _unsynced(path: Path) -> None:
    temporary = path.with_name("temporary")
    temporary.write_bytes(NEW)
    temporary.replace(path)


def _leaves_temporary(path: Path) -> None:
    _safe(path)
    path.with_name(f".{path.name}.left.tmp").write_bytes(b"")


def _gives_up(path: Path) -> None:
    if any(path.parent.glob(".*.tmp")):
        raise OSError(0, "somebody left a temporary file")
    _safe(path)


def _text(path: Path) -> None:
    """Each way in which Python code writes a file, for the comparison with strace."""
    with path.open("w", encoding="utf-8") as file:
        file.write("a" * 20_000)
        file.write("b")
    with open(path, "a") as file:
        file.write("c")
    with path.open("r+b") as both:
        both.seek(3)
        both.write(b"d")
        both.truncate()
    path.chmod(0o640)
    path.with_name("folder").mkdir()
    os.link(path, path.with_name("folder") / "linked")
    path.with_name("folder").joinpath("linked").unlink()
    path.with_name("folder").rmdir()
    path.with_name("symbolic").symlink_to(path)
    path.with_name("symbolic").rename(path.with_name("other"))
    path.with_name("touched").touch()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
