"""What a source distribution must hold (PEP 625, 643): one top directory, and in it a PKG-INFO for this
name and version.
"""

from __future__ import annotations

from sealstead.server.index.archives.members import invalid
from sealstead.server.index.archives.tar_walk import walk_tar_gz
from sealstead.server.index.archives.wheel import Expected, check_identity
from sealstead.server.index.upload_errors import InvalidArchiveError

_PKG_INFO_DEPTH = 1


def _is_pkg_info(path: str) -> bool:
    return path.count("/") == _PKG_INFO_DEPTH and path.endswith("/PKG-INFO")


def check_sdist(fd: int, size: int, expected: Expected) -> None:
    """Check the `.tar.gz` in the open file `fd` of `size` bytes.

    Raises:
        InvalidArchiveError: with the first thing that is wrong.
    """
    tops: set[str] = set()
    paths: set[str] = set()
    metadata: bytes | None = None
    wanted = set(expected.license_files)
    for path, content in walk_tar_gz(fd, size, _is_pkg_info):
        top, _, rest = path.partition("/")
        if not rest:
            raise invalid(f"Member {path!r} is outside the top directory")
        tops.add(top)
        if len(tops) > 1:
            raise invalid("Multiple top-level directories")
        if rest in wanted:
            paths.add(rest)
        if content is not None:
            metadata = content
    if metadata is None:
        raise invalid("PKG-INFO not found at the top of the source distribution")
    check_identity(metadata, expected)
    missing = sorted(wanted - paths)
    if missing:
        raise InvalidArchiveError(
            f"License-File {missing[0]} does not exist in distribution file {expected.filename} "
            f"at {tops.pop()}/{missing[0]}."
        )
