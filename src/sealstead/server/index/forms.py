"""The upload form: fields that describe the file, before its core metadata (`metadata.py`).

Reference: the public index's legacy upload API. Fields may come in any order; unknown ones are ignored;
the value `UNKNOWN` counts as absent; NUL, which no database column takes, is shown escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sealstead.server.index.names import is_project_name
from sealstead.server.index.upload_errors import UploadActionGoneError, UploadFieldError

Fields = Mapping[str, list[str]]


class FileType(StrEnum):
    SDIST = "sdist"
    WHEEL = "bdist_wheel"


DIGEST_FIELDS = ("md5_digest", "sha256_digest", "blake2_256_digest")
MAX_LENGTHS = {"version": 200, "pyversion": 100, "comment": 400, "requires_python": 400}
"""Widths of the columns; the name has its own rule."""
_HEX = {
    "md5_digest": re.compile(r"[0-9a-f]{32}", re.IGNORECASE),
    "sha256_digest": re.compile(r"[0-9a-f]{64}", re.IGNORECASE),
    "blake2_256_digest": re.compile(r"[0-9a-f]{64}", re.IGNORECASE),
}
_HEX_TEXT = {
    "md5_digest": "Use a valid, hex-encoded, MD5 message digest.",
    "sha256_digest": "Use a valid, hex-encoded, SHA256 message digest.",
    "blake2_256_digest": "Use a valid, hex-encoded, BLAKE2 message digest.",
}
_NAME_TEXT = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
_GONE = {
    "submit": "Project pre-registration is no longer required or supported, upload your files instead.",
    "submit_pkg_info": "Project pre-registration is no longer required or supported, upload your files instead.",
    "doc_upload": (
        "Uploading documentation is no longer supported, we recommend using https://readthedocs.org/."
    ),
}


@dataclass(frozen=True, kw_only=True)
class UploadForm:
    """The checked fields. Digests are lower hex, keyed by field name, and hold every one that was sent."""

    name: str
    version: str
    filetype: FileType
    pyversion: str
    digests: dict[str, str]
    comment: str


def clean_fields(fields: Fields) -> dict[str, list[str]]:
    """Drop `UNKNOWN`, strip list items and escape NUL."""
    cleaned: dict[str, list[str]] = {}
    for key, values in fields.items():
        kept = [value.replace("\x00", "\\x00") for value in values if value.strip() != "UNKNOWN"]
        if kept:
            cleaned[key] = kept
    return cleaned


def single(fields: Fields, key: str) -> str:
    """The value of a field that may be given once, or the empty string.

    Raises:
        UploadFieldError: given more than once. Taking either value would let the one that was checked
            differ from the one that is used.
    """
    values = fields.get(key, [])
    if len(values) > 1:
        raise _invalid(key, "Use the field once.")
    return values[0] if values else ""


def check_action(fields: Fields, query_action: str) -> None:
    """Return if the action, from the query or the form, is the upload of a file."""
    action = query_action or (fields.get(":action") or [""])[0]
    if action in _GONE:
        raise UploadActionGoneError(_GONE[action])
    if action != "file_upload":
        raise UploadFieldError("Unknown or missing ':action', use 'file_upload'.")


def parse_form(fields: Fields) -> UploadForm:
    """Check the fields in the reference's order and return them.

    Raises:
        UploadFieldError: one problem, the first.
    """
    if single(fields, "protocol_version") != "1":
        raise UploadFieldError("Unknown protocol version.")
    name = _required(fields, "name")
    if not is_project_name(name):
        raise _invalid("name", _NAME_TEXT)
    version = _required(fields, "version")
    filetype, pyversion = _parse_filetype(fields)
    digests = _parse_digests(fields)
    for key, limit in MAX_LENGTHS.items():
        if len(single(fields, key)) > limit:
            raise _invalid(key, f"Use {limit} characters or less.")
    return UploadForm(
        name=name,
        version=version,
        filetype=filetype,
        pyversion=pyversion,
        digests=digests,
        comment=single(fields, "comment"),
    )


def _parse_filetype(fields: Fields) -> tuple[FileType, str]:
    filetype = single(fields, "filetype")
    if filetype not in set(FileType):
        raise _invalid("filetype", "Use a known file type.")
    pyversion = single(fields, "pyversion")
    if filetype != FileType.SDIST and not pyversion:
        raise UploadFieldError("Python version is required for binary distribution uploads.")
    if filetype == FileType.SDIST and pyversion not in {"", "source"}:
        raise UploadFieldError("Use 'source' as Python version for an sdist.")
    return FileType(filetype), pyversion or "source"


def _parse_digests(fields: Fields) -> dict[str, str]:
    digests = {key: value.lower() for key in DIGEST_FIELDS if (value := single(fields, key))}
    if not digests:
        raise UploadFieldError("Include at least one message digest.")
    for key, value in digests.items():
        if not _HEX[key].fullmatch(value):
            raise _invalid(key, _HEX_TEXT[key])
    return digests


def _required(fields: Fields, key: str) -> str:
    value = single(fields, key)
    if not value:
        raise _invalid(key, "This field is required.")
    return value


def _invalid(field: str, text: str) -> UploadFieldError:
    return UploadFieldError(f"Invalid value for {field}. Error: {text}")
