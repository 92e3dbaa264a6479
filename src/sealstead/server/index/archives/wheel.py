"""What a wheel must hold (binary distribution format, PEP 427, 491, 639, 658; entry points specification).

Steps, after the ZIP structure (`zip_framing.py`): 1. one `.dist-info`, the file name's; 2. METADATA, for this name
and version; 3. WHEEL of version 1; 4. licence files; 5. RECORD; 6. entry points. Every member is inflated once, in one pass, for
its checksum, its hash and, for the few that are read, its text.
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from sealstead.server.index.archives.members import MAX_TEXT_BYTES, invalid
from sealstead.server.index.archives.zip_framing import Member, inflate
from sealstead.server.index.upload_errors import InvalidArchiveError

_TEXTS = ("METADATA", "WHEEL", "RECORD", "entry_points.txt")
_UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_ENTRY_POINT = re.compile(r"[\w.]+(\s*:\s*[\w.]+)?\s*(\[[^\]]*\])?")
MAX_NAMED = 3
"""Members named in one message."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the upload says the archive is."""

    filename: str
    name: str
    version: Version
    license_files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WheelFacts:
    metadata: bytes
    record_problem: str
    """Where RECORD and the members differ, or blank. The caller decides what follows."""


def check_wheel(fd: int, framing: Iterable[Member], expected: Expected) -> WheelFacts:
    """Check the wheel in the open file `fd`, whose `framing` has been read.

    Raises:
        InvalidArchiveError: with the first step that fails.
    """
    members = {member.path: member for member in framing if not member.is_directory}
    info = _info_directory(members, expected)
    texts: dict[str, bytes] = {}
    hashes: dict[str, bytes] = {}
    for path, member in members.items():
        keep = path.startswith(info + "/") and path.removeprefix(info + "/") in _TEXTS
        hashes[path] = _read(fd, member, texts if keep else None)
    metadata = _required(texts, f"{info}/METADATA", expected)
    check_identity(metadata, expected)
    _check_wheel_file(_required(texts, f"{info}/WHEEL", expected))
    for license_file in expected.license_files:
        # PEP 639 moved them below `licenses/`; older build tools put them beside METADATA.
        if not {f"{info}/licenses/{license_file}", f"{info}/license_files/{license_file}"} & members.keys():
            raise InvalidArchiveError(
                f"License-File {license_file} does not exist in distribution file {expected.filename} "
                f"at {info}/licenses/{license_file}."
            )
    record = _required(texts, f"{info}/RECORD", expected)
    if f"{info}/entry_points.txt" in texts:
        _check_entry_points(texts[f"{info}/entry_points.txt"])
    return WheelFacts(metadata=metadata, record_problem=_record_problem(record, info, members, hashes))


def check_identity(metadata: bytes, expected: Expected) -> None:
    """Return if the archive's own metadata names the project and version it was uploaded as."""
    name = _header(metadata, b"name")
    version = _header(metadata, b"version")
    if canonicalize_name(name) != canonicalize_name(expected.name):
        raise invalid(f"Its metadata names the project {name!r}, not {expected.name!r}")
    try:
        same = Version(version) == expected.version
    except InvalidVersion:
        same = False
    if not same:
        raise invalid(f"Its metadata gives the version {version!r}, not {str(expected.version)!r}")


def _header(metadata: bytes, key: bytes) -> str:
    """The value of a header that must be there once: of two, readers would take different ones.

    Not `email.parser`: it costs as much as every other check of a small wheel together.
    """
    head = re.split(rb"\r?\n\r?\n", metadata, maxsplit=1)[0]
    if re.search(rb"\r(?!\n)", head.removesuffix(b"\r")):
        # `email.parser`, which installers use, ends a line here too, and would see headers that we do not.
        raise invalid("Its metadata has a carriage return within a line")
    values = re.findall(rb"^%s[ \t]*:[ \t]*(.*?)[ \t]*\r?$" % key, head, re.MULTILINE | re.IGNORECASE)
    if len(values) != 1:
        raise invalid(f"Its metadata does not give {key.decode()!r} once")
    return str(values[0].decode("utf-8", "replace"))


def _info_directory(members: Mapping[str, Member], expected: Expected) -> str:
    info = "-".join(expected.filename.split("-")[:2]) + ".dist-info"
    found = {path.partition("/")[0] for path in members if path.partition("/")[0].endswith(".dist-info")}
    if info not in found:
        raise InvalidArchiveError(
            f"Wheel '{expected.filename}' does not contain the required METADATA file: {info}/METADATA."
        )
    if len(found) > 1:
        raise invalid("The wheel has more than one .dist-info directory")
    return info


def _read(fd: int, member: Member, texts: dict[str, bytes] | None) -> bytes:
    """Inflate a member; return its SHA-256 and keep its bytes in `texts` if wanted."""
    if texts is not None and member.size > MAX_TEXT_BYTES:
        raise invalid(f"Member {member.path!r} is too large")
    digest = hashlib.sha256()
    kept = []
    for piece in inflate(fd, member):
        digest.update(piece)
        if texts is not None:
            kept.append(piece)
    if texts is not None:
        texts[member.path] = b"".join(kept)
    return digest.digest()


def _required(texts: Mapping[str, bytes], path: str, expected: Expected) -> bytes:
    if path not in texts:
        kind = path.rpartition("/")[2]
        raise InvalidArchiveError(
            f"Wheel '{expected.filename}' does not contain the required {kind} file: {path}."
        )
    return texts[path]


def _check_wheel_file(data: bytes) -> None:
    match = re.search(rb"^Wheel-Version:\s*(\d+)\.(\d+)\s*$", data, re.MULTILINE | re.IGNORECASE)
    if match is None or match[1] != b"1":
        raise invalid("WHEEL does not say Wheel-Version 1.x")


def _check_entry_points(data: bytes) -> None:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(data.decode("utf-8"))
    except (configparser.Error, UnicodeDecodeError):
        raise invalid("entry_points.txt cannot be parsed") from None
    for section in parser.sections():
        for name, value in parser.items(section):
            if not _ENTRY_POINT.fullmatch(value.strip()):
                raise invalid(f"entry_points.txt has an invalid value for {name!r} in [{section}]")


def _record_problem(
    record: bytes, info: str, members: Mapping[str, Member], hashes: Mapping[str, bytes]
) -> str:
    try:
        rows = [
            row for row in csv.reader(io.StringIO(record.decode("utf-8"), newline=""), strict=True) if row
        ]
    except (csv.Error, UnicodeDecodeError):
        return "RECORD cannot be parsed"
    listed: set[str] = set()
    for row in rows:
        path = row[0]
        if len(row) != 3 or path not in members or path in listed:  # noqa: PLR2004 - path, hash, size
            return f"RECORD lists {path!r}, which is not in the wheel or listed before"
        listed.add(path)
        if path in {f"{info}/{name}" for name in _UNHASHED}:
            continue
        sha256 = "sha256=" + base64.urlsafe_b64encode(hashes[path]).rstrip(b"=").decode()
        if not row[1].startswith(("sha256=", "sha384=", "sha512=")):
            return f"RECORD has no strong hash for {path!r}"
        if row[1].startswith("sha256=") and row[1] != sha256:
            return f"RECORD has another hash for {path!r}"
        if row[2] and row[2] != str(members[path].size):
            return f"RECORD has another size for {path!r}"
    missing = sorted(members.keys() - listed - {f"{info}/{name}" for name in _UNHASHED})
    if missing:
        return f"RECORD does not list {', '.join(missing[:MAX_NAMED])}"
    return ""
