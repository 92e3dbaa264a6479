"""The files that every server gets: the same bytes for all of them."""

from __future__ import annotations

import base64
import hashlib
import random
import zipfile
from pathlib import Path

PROJECTS = 50
WHEELS_EACH = 4
BIG_BYTES = 1024 * 1024
EPOCH = (2026, 1, 1, 0, 0, 0)


def make_wheel(directory: Path, name: str, version: str, *, filler: int = 600) -> Path:
    """Write a valid wheel of about `filler` incompressible bytes."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    members = {
        f"{module}/__init__.py": b"",
        f"{module}/data.bin": random.Random(f"{name} {version}").randbytes(filler),
        f"{info}/METADATA": (
            f"Metadata-Version: 2.3\nName: {name}\nVersion: {version}\nSummary: For measurements\n"
            "Requires-Python: >=3.8\nDescription-Content-Type: text/markdown\n\n# Measured\n\nA *short* text.\n"
        ).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for path, data in members.items()
    )
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = directory / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            entry = zipfile.ZipInfo(member, EPOCH)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return path


def make_index(directory: Path) -> list[Path]:
    """Write the wheels of the index that is read: 200 small ones of 50 projects, and one of 1 MB."""
    directory.mkdir()
    wheels = [
        make_wheel(directory, f"measured-{number:02d}", f"1.{minor}")
        for number in range(PROJECTS)
        for minor in range(WHEELS_EACH)
    ]
    return [*wheels, make_wheel(directory, "measured-big", "1.0", filler=BIG_BYTES - 1500)]


def make_uploads(directory: Path, name: str, count: int) -> list[Path]:
    """Write `count` versions of a project that no server has yet."""
    directory.mkdir()
    return [make_wheel(directory, name, f"1.{minor}") for minor in range(count)]
