"""Accept a distribution file: the reference index's checks, in its order, after the credential's.

Steps (reference: legacy upload; `docs/reference/upload.md` has the texts):
  1. scope and role for the named project, index and project open (`upload_gate.py`);
  2. no field but the content as a file; action; form; metadata; content there; no attestations;
  3. a new project's name;
  4. the description renders;
  5. the file's name, extension and content type;
  6. every digest sent equals the file's;
  7. standing in the index: project size, the file there already, file name burned, release closed, second sdist;
  8. the archive; its file name against the metadata; its contents;
  9. blobs and rows (`upload_store.py`).
The file's size was bounded while it came in (`multipart.py`).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.config import Config
from sealstead.server.index.archives.sdist import check_sdist
from sealstead.server.index.archives.wheel import Expected, check_wheel
from sealstead.server.index.archives.zip_framing import read_framing
from sealstead.server.index.blobs import BlobStore, Digests
from sealstead.server.index.description import render_description
from sealstead.server.index.forms import FileType, UploadForm, check_action, clean_fields, parse_form
from sealstead.server.index.metadata import CoreMetadata, parse_metadata
from sealstead.server.index.models import Project, Release
from sealstead.server.index.multipart import Body, Content
from sealstead.server.index.names import check_new_name, find_confusable, normalize_name
from sealstead.server.index.upload_errors import (
    DigestMismatchError,
    InvalidArchiveError,
    ProjectNameError,
    UploadError,
    UploadFieldError,
)
from sealstead.server.index.upload_filename import (
    check_filename,
    check_sdist_filename,
    check_wheel_filename,
)
from sealstead.server.index.upload_gate import Gate
from sealstead.server.index.upload_standing import FileFacts, check_standing, find_release
from sealstead.server.index.upload_store import Parcel, store

_IGNORED_FILES = {"gpg_signature"}
"""Old clients still send it."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    filename: str
    written: bool
    """False: the very file was there, and nothing was done."""
    warnings: tuple[str, ...] = ()


def accept_upload(
    body: Body, *, query_action: str, gate: Gate, blobs: BlobStore, at: datetime, origin: Origin
) -> Outcome:
    """Check the upload in `body` and put it into the index. The caller closes the content.

    Raises:
        SealsteadError: many kinds, see the steps; nothing was written then but blobs without a row.
    """
    fields = clean_fields(body.fields)
    project = gate.judge(body.fields)
    for name in body.file_fields:
        if name not in _IGNORED_FILES:
            raise UploadFieldError(f"{name}: Should not be a tuple.")
    check_action(fields, query_action)
    form = parse_form(fields)
    metadata = parse_metadata(fields)
    content = body.content
    if content is None:
        raise UploadError("Upload payload does not have a file.")
    if fields.get("attestations"):
        # Taking them without checking would let a publisher believe that they are served.
        raise UploadError(
            "Invalid attestations supplied during upload: this index does not check attestations. "
            "Upload without them."
        )
    if project is None:
        _check_new_project(form.name, gate.config)
    release = find_release(project, form.version)
    description_html = _render(metadata, release)
    check_filename(content.filename, content.content_type, form.filetype)
    digests = content.file.digests()
    _check_digests(form, digests)
    facts = FileFacts(
        filename=content.filename,
        filetype=form.filetype,
        version=form.version,
        size=content.file.size,
        digests=digests,
    )
    standing = check_standing(project, release, facts, gate.config, at)
    if standing.identical:
        return Outcome(filename=facts.filename, written=False)
    metadata_file, problem = _check_archive(content, form, metadata, gate.config)
    parcel = Parcel(
        form=form,
        metadata=metadata,
        facts=facts,
        project=project,
        standing=standing,
        description_html=description_html,
        metadata_file=metadata_file,
        notes={"record_problem": problem} if problem else {},
    )
    written = store(parcel, content.file, gate=gate, blobs=blobs, at=at, origin=origin)
    if problem and written:
        _tell_members(form.name, facts.filename, problem)
    return Outcome(filename=facts.filename, written=written, warnings=(problem,) if problem else ())


def _check_new_project(name: str, config: Config) -> None:
    check_new_name(name, prohibited=config.prohibited_names)
    if find_confusable(name) is not None:
        raise ProjectNameError(f"The name {name!r} is too similar to an existing project.")


def _render(metadata: CoreMetadata, release: Release | None) -> str:
    """The first file's description is the release's; a later one that repeats it has been rendered already."""
    if release is not None and release.metadata.get("description", "") == metadata.description:
        return release.description_html
    return render_description(metadata.description, metadata.description_content_type)


def _check_digests(form: UploadForm, digests: Digests) -> None:
    ours = {
        "md5_digest": digests.md5,
        "sha256_digest": digests.sha256,
        "blake2_256_digest": digests.blake2b,
    }
    if not all(hmac.compare_digest(ours[key], value) for key, value in form.digests.items()):
        raise DigestMismatchError(
            "The digest supplied does not match a digest calculated from the uploaded file."
        )


def _check_archive(
    content: Content, form: UploadForm, metadata: CoreMetadata, config: Config
) -> tuple[bytes | None, str]:
    """Return METADATA of a wheel and what its RECORD has wrong."""
    expected = Expected(
        filename=content.filename,
        name=form.name,
        version=metadata.version,
        license_files=metadata.license_files,
    )
    fd, size = content.file.fileno(), content.file.size
    if form.filetype is FileType.SDIST:
        if content.filename.endswith(".tar.gz"):
            check_sdist(fd, size, expected)
        check_sdist_filename(content.filename, form, metadata.version)
        return None, ""
    framing = read_framing(fd, size)
    check_wheel_filename(content.filename, form, metadata.version, config.wheel_platforms)
    facts = check_wheel(fd, framing, expected)
    if facts.record_problem and config.wheel_record == "refuse":
        raise InvalidArchiveError(f"Invalid distribution file. {facts.record_problem}.")
    return facts.metadata, facts.record_problem


def _tell_members(name: str, filename: str, problem: str) -> None:
    # The file is stored: whatever has changed about the project meanwhile, this is no refusal any more.
    project = Project.objects.get(normalized_name=normalize_name(name))
    members = User.objects.filter(roles__project=project, is_active=True)
    context = {"project": project, "filename": filename, "problem": problem}
    notify(members, "wheel-record", context)
