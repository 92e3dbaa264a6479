"""Makers of the things tests need. Each takes facts and returns the finished thing; defaults are dull and valid."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

ZIP_EPOCH = (2026, 1, 1, 0, 0, 0)


def normalized(name: str) -> str:
    """PEP 503, with the underscore of file names."""
    return re.sub(r"[-_.]+", "_", name).lower()


def metadata_text(
    name: str,
    version: str,
    *,
    fields: Mapping[str, str | list[str]] | None = None,
    description: str = "",
) -> str:
    """Core metadata as a build tool writes it. `fields` are headers such as `Summary` or `Classifier`."""
    headers: dict[str, str | list[str]] = {
        "Metadata-Version": "2.3",
        "Name": name,
        "Version": version,
        "Summary": "An example",
    } | dict(fields or {})
    if description:
        headers.setdefault("Description-Content-Type", "text/markdown")
    lines = [
        f"{key}: {item}"
        for key, value in headers.items()
        for item in ([value] if isinstance(value, str) else value)
    ]
    return "\n".join(lines) + "\n\n" + description


def record_line(path: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}"


def wheel_members(
    name: str,
    version: str,
    *,
    tag: str = "py3-none-any",
    files: Mapping[str, bytes] | None = None,
    fields: Mapping[str, str | list[str]] | None = None,
    description: str = "",
) -> dict[str, bytes]:
    """The members of a valid wheel by path, RECORD last: change the dictionary to make a bad one."""
    package = normalized(name)
    info = f"{package}-{version}.dist-info"
    members = dict(files) if files is not None else {f"{package}/__init__.py": b"answer = 42\n"}
    members[f"{info}/METADATA"] = metadata_text(
        name, version, fields=fields, description=description
    ).encode()
    members[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: factories\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    )
    record = "".join(record_line(path, data) + "\n" for path, data in members.items())
    members[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    return members


def zip_bytes(members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for path, data in members.items():
            info = zipfile.ZipInfo(path, ZIP_EPOCH)
            info.compress_type = compression
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def make_wheel(
    directory: Path,
    name: str = "example",
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    files: Mapping[str, bytes] | None = None,
    fields: Mapping[str, str | list[str]] | None = None,
    description: str = "",
    compression: int = zipfile.ZIP_DEFLATED,
) -> Path:
    """Write a valid wheel into `directory` and return its path. Same arguments, same bytes."""
    members = wheel_members(name, version, tag=tag, files=files, fields=fields, description=description)
    path = directory / f"{normalized(name)}-{version}-{tag}.whl"
    path.write_bytes(zip_bytes(members, compression=compression))
    return path


def tar_bytes(members: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """A gzipped tar. A `TarInfo` instead of bytes is written as it is, without content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in members.items():
            if isinstance(data, tarfile.TarInfo):
                archive.addfile(data)
                continue
            info = tarfile.TarInfo(path)
            info.size = len(data)
            info.mtime = 1767225600
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0)


def sdist_members(
    name: str,
    version: str,
    *,
    files: Mapping[str, bytes] | None = None,
    fields: Mapping[str, str | list[str]] | None = None,
    description: str = "",
) -> dict[str, bytes]:
    """The members of a valid sdist by path."""
    top = f"{normalized(name)}-{version}"
    contents = files if files is not None else {f"src/{normalized(name)}/__init__.py": b"answer = 42\n"}
    members = {f"{top}/{path}": data for path, data in contents.items()}
    members[f"{top}/pyproject.toml"] = (
        f'[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n'.encode()
    )
    text = metadata_text(name, version, fields=fields, description=description)
    members[f"{top}/PKG-INFO"] = text.encode()
    return members


def make_sdist(
    directory: Path,
    name: str = "example",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes] | None = None,
    fields: Mapping[str, str | list[str]] | None = None,
    description: str = "",
) -> Path:
    """Write a valid `.tar.gz` sdist into `directory` and return its path. Same arguments, same bytes."""
    members = sdist_members(name, version, files=files, fields=fields, description=description)
    path = directory / f"{normalized(name)}-{version}.tar.gz"
    path.write_bytes(tar_bytes(members))
    return path
