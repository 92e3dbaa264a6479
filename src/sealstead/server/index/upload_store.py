"""Write an accepted upload: blobs first, then all rows in one transaction.

Rules:
  * everything that another writer may have changed since it was read is judged again inside the transaction;
  * two writers of the same file: the unique file name lets one through, the other looks again and is told what
    it then finds (identical: done; else: exists already);
  * the first upload claims the name: project, owner role and event are part of the same transaction.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, OperationalError, transaction
from packaging.utils import canonicalize_version

from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.index.blobs import BlobStore, IncomingFile
from sealstead.server.index.forms import UploadForm
from sealstead.server.index.metadata import CoreMetadata
from sealstead.server.index.models import File, Project, Release, Role, RoleName
from sealstead.server.index.names import confusable_name, find_confusable, normalize_name
from sealstead.server.index.serial import bump
from sealstead.server.index.upload_errors import IndexBusyError, ProjectNameError, StorageFullError
from sealstead.server.index.upload_gate import Gate
from sealstead.server.index.upload_standing import FileFacts, Standing, check_standing, find_release
from sealstead.server.table_rows import insert

ATTEMPTS = 5
"""Losing a race to write the same name five times in a row is a fault, not a race."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A checked upload on its way into the index."""

    form: UploadForm
    metadata: CoreMetadata
    facts: FileFacts
    project: Project | None
    """As it was when `standing` was found."""
    standing: Standing
    description_html: str
    metadata_file: bytes | None
    """METADATA of a wheel, served beside it (PEP 658)."""
    notes: dict[str, str]
    """What the event says beside the facts."""


def store(
    parcel: Parcel, incoming: IncomingFile, *, gate: Gate, blobs: BlobStore, at: datetime, origin: Origin
) -> bool:
    """Return whether anything was written; `False`: the very file was there.

    Raises:
        UploadConflictError and its kin: somebody else was first.
        StorageFullError, IndexBusyError: nothing was written; trying again may help.
    """
    with blobs.writing():
        blobs.store(incoming)
        metadata_blob = blobs.put(parcel.metadata_file) if parcel.metadata_file is not None else None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    return _write(
                        parcel, metadata_blob, gate=gate, at=at, origin=origin, first_try=attempt == 1
                    )
            except (IntegrityError, OperationalError) as exc:
                _raise_unless_race(exc, last=attempt == ATTEMPTS)
    raise IndexBusyError(_BUSY_TEXT)


_BUSY_TEXT = "The index is busy. Try again."


def database_trouble(exc: OperationalError) -> IndexBusyError | StorageFullError | None:
    """What the database's complaint means to a client; None if it means nothing to one."""
    text = str(exc).lower()
    if "full" in text or "no space" in text or "disk i/o" in text:
        return StorageFullError("The server has no room for this file.")
    if "locked" in text or "deadlock" in text or "serialize" in text or "timeout" in text:
        return IndexBusyError(_BUSY_TEXT)
    return None


def _raise_unless_race(exc: IntegrityError | OperationalError, *, last: bool) -> None:
    if isinstance(exc, OperationalError):
        trouble = database_trouble(exc)
        deadlock = "deadlock" in str(exc).lower() or "serialize" in str(exc).lower()
        if not deadlock or last:
            raise trouble or exc from exc
        return
    if last:
        raise IndexBusyError(_BUSY_TEXT) from exc


def _write(
    parcel: Parcel, metadata_blob: str | None, *, gate: Gate, at: datetime, origin: Origin, first_try: bool
) -> bool:
    project = gate.readmit(parcel.form.name)
    standing = parcel.standing
    if not first_try or not _unchanged(parcel.project, project):
        release = find_release(project, parcel.facts.version)
        standing = check_standing(project, release, parcel.facts, gate.config, at)
        if standing.identical:
            return False
    if project is None:
        project = _claim(parcel, gate=gate, at=at, origin=origin)
    release = standing.release or _make_release(project, parcel, at)
    digests = parcel.facts.digests
    insert(
        File(
            release=release,
            filename=parcel.facts.filename,
            filetype=parcel.facts.filetype,
            python_version=parcel.form.pyversion,
            requires_python=parcel.metadata.requires_python,
            size=parcel.facts.size,
            sha256=digests.sha256,
            blake2b=digests.blake2b,
            md5=digests.md5,
            metadata_sha256=_sha256(parcel.metadata_file),
            metadata_blake2b=metadata_blob or "",
            comment=parcel.form.comment,
            uploaded_at=at,
            uploaded_by=gate.grant.owner,
            credential_id=gate.grant.credential_id,
        )
    )
    record(
        tags.FILE_UPLOADED,
        at=at,
        origin=origin,
        actor_id=gate.grant.owner.pk,
        actor_name=gate.grant.owner.get_username(),
        credential_id=gate.grant.credential_id,
        project=project.normalized_name,
        details={
            "filename": parcel.facts.filename,
            "version": release.version,
            "size": parcel.facts.size,
            "sha256": digests.sha256,
            **parcel.notes,
        },
    )
    bump(project)
    return True


def _unchanged(then: Project | None, now: Project | None) -> bool:
    """Whether what was found about the project's releases and files still holds: each change has its serial.

    Another project's file of the same name is caught by the unique name; of the same content, seldom, by nothing.
    """
    if then is None or now is None:
        return then is now
    return then.pk == now.pk and then.serial == now.serial


def _claim(parcel: Parcel, *, gate: Gate, at: datetime, origin: Origin) -> Project:
    """Make the project and its first owner."""
    name = parcel.form.name
    if find_confusable(name) is not None:
        raise ProjectNameError(f"The name {name!r} is too similar to an existing project.")
    project = Project.objects.create(
        name=name,
        normalized_name=normalize_name(name),
        confusable_name=confusable_name(name),
        created_at=at,
        summary=parcel.metadata.raw.get("summary", ""),
    )
    owner = gate.grant.owner
    Role.objects.create(project=project, user=owner, role=RoleName.OWNER, added_at=at)
    record(
        tags.PROJECT_CREATED,
        at=at,
        origin=origin,
        actor_id=owner.pk,
        actor_name=owner.get_username(),
        credential_id=gate.grant.credential_id,
        project=project.normalized_name,
    )
    return project


def _make_release(project: Project, parcel: Parcel, at: datetime) -> Release:
    summary = parcel.metadata.raw.get("summary", "")
    if project.summary != summary:
        project.summary = summary
        project.save(update_fields=["summary"])
    return insert(
        Release(
            project=project,
            version=str(parcel.metadata.version),
            canonical_version=canonicalize_version(parcel.metadata.version),
            created_at=at,
            metadata=parcel.metadata.raw,
            description_html=parcel.description_html,
        )
    )


def _sha256(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()
