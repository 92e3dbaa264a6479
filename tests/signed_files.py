"""Signed files for tests: put together from digests and signatures, without the commands that are under test."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from tests.executables import tiny_pe
from tests.signers import Holder, detached, leaf, signature

from sealstead.formats import der
from sealstead.formats.pe import MAX_HEADER_BYTES, hash_pe, parse_layout, plan_signature
from sealstead.formats.powershell import hash_script, parse_script, with_signature


def pe_digest(data: bytes, alg: str = "SHA256") -> bytes:
    return hash_pe(io.BytesIO(data), [alg], parse_layout(data[:MAX_HEADER_BYTES], len(data)))[alg]


def embedded(data: bytes, signed: bytes) -> bytes:
    """Return the program with this signature (a ContentInfo) instead of any it had."""
    plan = plan_signature(parse_layout(data[:MAX_HEADER_BYTES], len(data)), signed)
    out = bytearray(data[: plan.final_size].ljust(plan.final_size, b"\0"))
    for offset, written in plan.writes:
        out[offset : offset + len(written)] = written
    return bytes(out)


def signed_pe(data: bytes | None = None, *, holder: Holder | None = None, alg: str = "SHA256") -> bytes:
    data = tiny_pe() if data is None else data
    return embedded(data, signature(pe_digest(data, alg), holder=holder, alg=alg))


def signed_script(text: bytes = b"Write-Host 1\r\n", *, holder: Holder | None = None) -> bytes:
    script = parse_script(text, ".ps1")
    return with_signature(
        script, signature(hash_script(script, "SHA256"), kind="powershell", holder=holder or leaf())
    )


def signed_beside(directory: Path, content: bytes = b"any file") -> Path:
    """Write a file and its detached signature, and return the file."""
    path = directory / "release.zip"
    path.write_bytes(content)
    path.with_name("release.zip.p7s").write_bytes(detached(hashlib.sha256(content).digest()))
    return path


def indefinite(data: bytes, depth: int) -> bytes:
    """Return the value with lengths that are said at its end (BER), `depth` levels deep."""
    found = der.read_tlv(data)
    if not depth or not found.tag & 0x20:
        return data
    inner = b"".join(indefinite(child.raw(data), depth - 1) for child in der.children(data, found))
    return bytes((found.tag, 0x80)) + inner + b"\0\0"
