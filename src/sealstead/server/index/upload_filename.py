"""The name of an uploaded file: is it one, and does it say the same as the metadata (PEP 427, 491, 625)?"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from sealstead.server.index.forms import FileType, UploadForm
from sealstead.server.index.upload_errors import UploadFileNameError

MAX_FILENAME_LENGTH = 300
"""The column's width; file systems stop at 255 bytes."""
REFERENCE_PLATFORMS = (
    "any", "win32", "win_amd64", "win_arm64", "win_ia64", "linux_armv6l", "linux_armv7l", "macosx_*_*",
    "manylinux1_*", "manylinux2010_*", "manylinux2014_*", "manylinux_*_*", "musllinux_*_*", "ios_*_*",
    "android_*_*", "pyodide_*_wasm32", "pyemscripten_*_wasm32",
)  # fmt: skip
"""What the reference index takes: tags that tell an installer enough. `linux_x86_64` says nothing about libc."""

_EXTENSIONS = {".tar.gz": FileType.SDIST, ".zip": FileType.SDIST, ".whl": FileType.WHEEL}


def check_filename(filename: str, content_type: str, filetype: FileType) -> None:
    """Return if the name is a plain one with an extension of its type.

    Raises:
        UploadFileNameError
    """
    if not filename.isprintable():
        raise UploadFileNameError(
            "Cannot upload a file with non-printable characters (ordinals 0-31) in its name."
        )
    if "/" in filename or "\\" in filename:
        raise UploadFileNameError("Cannot upload a file with '/' or '\\' in its name.")
    if len(filename) > MAX_FILENAME_LENGTH or not filename.isascii():
        raise UploadFileNameError(f"Invalid file name: use ASCII characters, {MAX_FILENAME_LENGTH} at most.")
    extension = next((e for e in _EXTENSIONS if filename.endswith(e) and filename != e), "")
    if not extension:
        raise UploadFileNameError(
            "Invalid file extension: Use .tar.gz, .whl or .zip extension. "
            "See https://www.python.org/dev/peps/pep-0527 for more information."
        )
    if _EXTENSIONS[extension] != filetype:
        raise UploadFileNameError(
            f"Invalid file extension: Extension {extension!r} is invalid for filetype {filetype.value!r}. "
            "See https://www.python.org/dev/peps/pep-0527 for more information."
        )
    # No type is text/plain (RFC 7578, section 4.4), and what uv sends.
    if content_type.lower().startswith("image/"):
        raise UploadFileNameError("Invalid distribution file.")


def check_sdist_filename(filename: str, form: UploadForm, version: Version) -> None:
    """Return if the name is exactly what PEP 625 makes of name and version."""
    expected = f"{_component(form.name)}-{version}.tar.gz"
    if filename != expected:
        raise UploadFileNameError(f"Filename {filename!r} is invalid, should be {expected!r}.")


def check_wheel_filename(
    filename: str, form: UploadForm, version: Version, platforms: Iterable[str] = ()
) -> None:
    """Return if the name is a wheel's, of this project and version, for platforms that are accepted."""
    try:
        _, file_version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as exc:
        raise UploadFileNameError(f"{str(exc).rstrip('.')}.") from exc
    accepted = tuple(platforms) or REFERENCE_PLATFORMS
    for tag in sorted(tags, key=str):
        if not any(fnmatchcase(tag.platform, pattern) for pattern in accepted):
            raise UploadFileNameError(
                f"Binary wheel '{filename}' has an unsupported platform tag '{tag.platform}'."
            )
    expected = _component(form.name)
    if filename.partition("-")[0] != expected:
        raise UploadFileNameError(
            f"Filename {filename!r} should contain the normalized project name {expected!r}, "
            f"not {filename.partition('-')[0]!r}."
        )
    if file_version != version:
        raise UploadFileNameError(
            f"Version in filename should be {str(version)!r} not {str(file_version)!r}."
        )


def _component(name: str) -> str:
    return canonicalize_name(name).replace("-", "_")
