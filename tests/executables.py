"""Windows programs for tests: real ones that others made, and small ones made here with any fault asked for."""

from __future__ import annotations

import importlib.metadata
import struct
from pathlib import Path

import pytest

DOS_HEADER = 0x80
_OPTIONAL = {False: 224, True: 240}


def launchers() -> dict[str, Path]:
    """Return the launchers that installed wheels carry, by name (`t64.exe`, `w64-arm.exe`, …)."""
    files = importlib.metadata.files("pip") or []
    return {Path(file).name: Path(str(file.locate())) for file in files if file.suffix == ".exe"}


def launcher(name: str = "t64.exe") -> bytes:
    found = launchers()
    if name not in found:
        pytest.skip(f"needs the launcher {name} in the installed pip, which has none")
    return found[name].read_bytes()


def tiny_pe(
    *,
    plus: bool = True,
    machine: int = 0x8664,
    checksum: int = 0,
    sections: tuple[tuple[int, int], ...] = ((0x400, 0x200),),
    size: int = 0x600,
    security: tuple[int, int] = (0, 0),
    directories: int = 16,
    optional_magic: int | None = None,
    start: int = DOS_HEADER,
    signature: bytes = b"PE\0\0",
) -> bytes:
    """Return a program of `size` bytes with sections at these (offset, length) in the file."""
    head = bytearray(b"MZ" + bytes(start - 2))
    head[0x3C:0x40] = struct.pack("<I", start)
    optional = _OPTIONAL[plus]
    coff = struct.pack("<HHIIIHH", machine, len(sections), 0, 0, 0, optional, 0x22)
    body = bytearray(optional)
    magic = (0x20B if plus else 0x10B) if optional_magic is None else optional_magic
    body[0:2] = struct.pack("<H", magic)
    body[64:68] = struct.pack("<I", checksum)
    at = 112 if plus else 96
    body[at - 4 : at] = struct.pack("<I", directories)
    body[at + 32 : at + 40] = struct.pack("<II", *security)
    table = b"".join(
        struct.pack("<8sIIIIIIHHI", b".text", length, 0x1000, length, offset, 0, 0, 0, 0, 0x60000020)
        for offset, length in sections
    )
    data = bytes(head) + signature + coff + bytes(body) + table
    filler = bytes(index * 7 & 0xFF for index in range(256)) * (size // 256 + 1)
    return (data + filler)[: max(size, len(data))] if size > len(data) else data[:size]
