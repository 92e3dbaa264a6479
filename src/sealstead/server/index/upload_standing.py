"""How an upload stands against what the index holds already. Only reads.

Checked twice: before the archive is looked at, because most refusals end here, and again inside the transaction
that writes, because others write too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from packaging.utils import canonicalize_version

from sealstead.server.config import Config
from sealstead.server.index import upload_rows
from sealstead.server.index.blobs import Digests
from sealstead.server.index.forms import FileType
from sealstead.server.index.models import File, Project, Release
from sealstead.server.index.upload_errors import (
    FileExistsAlreadyError,
    FileNameBurnedError,
    ReleaseClosedError,
    SecondSdistError,
    UploadTooLargeError,
)

ONE_MB = 1024 * 1024
ONE_GB = 1024 * ONE_MB


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """The file that came: what it is called, what it is, what it holds."""

    filename: str
    filetype: FileType
    version: str
    size: int
    digests: Digests


@dataclass(frozen=True, kw_only=True)
class Standing:
    release: Release | None
    identical: bool
    """The very file is there already: nothing is to be done."""


def find_release(project: Project | None, version: str) -> Release | None:
    return None if project is None else upload_rows.find_release(project, canonicalize_version(version))


def file_limit(project: Project | None, config: Config) -> int:
    own = project.max_file_bytes if project is not None else None
    return max(config.max_file_bytes, own or 0)


def too_large(name: str, limit: int) -> UploadTooLargeError:
    return UploadTooLargeError(
        f"File too large. Limit for project {name!r} is {limit // ONE_MB} MB."
        if limit >= ONE_MB
        else f"File too large. Limit for project {name!r} is {limit} bytes."
    )


def check_standing(
    project: Project | None, release: Release | None, facts: FileFacts, config: Config, at: datetime
) -> Standing:
    """Return where the file would go, `release` being the one of its version.

    Raises:
        UploadTooLargeError: the project is full.
        FileExistsAlreadyError, FileNameBurnedError, ReleaseClosedError, SecondSdistError
    """
    if _is_there(facts):
        return Standing(release=release, identical=True)
    if project is not None:
        _check_project_size(project, facts.size, config)
    if release is not None:
        _check_release(release, facts, config, at)
    return Standing(release=release, identical=False)


def _check_project_size(project: Project, size: int, config: Config) -> None:
    if upload_rows.project_bytes(project) + size > config.max_project_bytes:
        limit = config.max_project_bytes
        text = f"{limit // ONE_GB} GB" if limit >= ONE_GB else f"{limit} bytes"
        raise UploadTooLargeError(
            f"Project size too large. Limit for project {project.name!r} total size is {text}."
        )


def _is_there(facts: FileFacts) -> bool:
    """Whether the very file is there.

    Raises:
        FileExistsAlreadyError: its name with other content, or its content under another name.
        FileNameBurnedError: its name was a deleted file's.
    """
    digests = facts.digests
    rows = upload_rows.find_same_files(facts.filename, digests.blake2b)
    same_name = next((row for row in rows if row.filename == facts.filename), None)
    if same_name is not None and same_name.deleted_at is not None:
        raise FileNameBurnedError(
            "This filename was previously used by a file that has since been deleted. Use a different version."
        )
    if same_name is not None and (same_name.blake2b, same_name.sha256) == (digests.blake2b, digests.sha256):
        return True
    if rows:
        # Clients look for the beginning of this text.
        raise FileExistsAlreadyError(
            f"File already exists ('{facts.filename}', with blake2_256 hash '{digests.blake2b}')."
        )
    return False


def _check_release(release: Release, facts: FileFacts, config: Config, at: datetime) -> None:
    closes_after = config.release_closed_after
    if closes_after is not None and at >= release.created_at + closes_after:
        raise ReleaseClosedError(
            f"Uploading new files to releases older than {closes_after.days} days is not allowed."
        )
    if (
        facts.filetype is FileType.SDIST
        and File.objects.filter(release=release, filetype=FileType.SDIST, deleted_at__isnull=True).exists()
    ):
        raise SecondSdistError("Only one sdist may be uploaded per release.")
