"""The order of a project's versions, and which of them is meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from sealstead.server.index.models import Release


def version_key(version: str) -> tuple[int, Version | str]:
    """Order versions as installers do; one that is none of theirs comes first."""
    try:
        return (1, Version(version))
    except InvalidVersion:
        return (0, version)


def newest(releases: Iterable[Release]) -> Release | None:
    """Return the release that an installer would choose: final before pre-release, yanked ones only if alone."""

    def rank(release: Release) -> tuple[Any, ...]:
        key = version_key(release.version)
        final = isinstance(key[1], Version) and not key[1].is_prerelease
        return (release.yanked_at is None, final, key)

    return max(releases, key=rank, default=None)


def find_version(releases: Iterable[Release], version: str) -> Release | None:
    """Return the release of `version`, however it is spelled."""
    wanted = canonicalize_version(version, strip_trailing_zero=True)
    return next(
        (
            release
            for release in releases
            if canonicalize_version(release.version, strip_trailing_zero=True) == wanted
        ),
        None,
    )
