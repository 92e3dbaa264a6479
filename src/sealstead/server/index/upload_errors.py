"""What an upload can be refused for, apart from its credential (`credentials/`) and its role (`permissions.py`).

    UploadError                      the upload is not acceptable as it is
    ├── UploadFieldError             a form field
    ├── UploadMetadataError          core metadata
    ├── UploadDescriptionError       a description that does not render
    ├── UploadFileNameError          the file's name, against its metadata
    ├── UploadTooLargeError          file, project or form beyond a limit
    ├── UploadBodyError              not the multipart form that a client sends
    └── UploadActionGoneError        an action that no index offers any more
    InvalidArchiveError (ParseError) the archive is not what its name says
    DigestMismatchError (VerificationError)
    ProjectNameError                 a new project may not be called so
    UploadConflictError              the file, file name, release or name is taken
    StorageFullError, IndexBusyError (UpstreamError)  the server's own trouble
    UploadCutError (UpstreamError)   the client went away

Messages are sentences with a full stop: clients print them as they are, after the status code.
"""

from __future__ import annotations

from sealstead.errors import (
    ConflictError,
    InputError,
    ParseError,
    UpstreamError,
    VerificationError,
)


class UploadError(InputError):
    """The upload is not acceptable; the subclasses say why."""

    code = "invalid-upload"


class UploadFieldError(UploadError):
    """A field of the form is missing, doubled, too long, or not allowed."""

    code = "invalid-upload-field"


class UploadMetadataError(UploadError):
    """The core metadata in the archive is not valid, or says something else than the form."""

    code = "invalid-metadata"


class UploadDescriptionError(UploadError):
    """The description does not render as the type that it claims."""

    code = "invalid-description"


class UploadFileNameError(UploadError):
    """The file name is not the one that its name, version and type ask for."""

    code = "invalid-file-name"


class UploadTooLargeError(UploadError):
    """The file, or the project with it, is larger than the limit."""

    code = "upload-too-large"


class UploadBodyError(UploadError):
    """The body is no multipart form, or was cut short."""

    code = "invalid-upload-body"


class LengthRequiredError(UploadBodyError):
    """Without a length neither a cut connection nor the limit can be told before the end."""

    code = "length-required"


class UploadActionGoneError(UploadError):
    """An action of the old interface that is no upload."""

    code = "upload-action-gone"


class InvalidArchiveError(ParseError):
    """The file is no sound wheel or sdist."""

    code = "invalid-archive"


class DigestMismatchError(VerificationError):
    """A digest of the form is not that of the file that came."""

    code = "digest-mismatch"


class ProjectNameError(InputError):
    """The name cannot be claimed: not a name, reserved, or too like one that exists."""

    code = "project-name-refused"


class UploadConflictError(ConflictError):
    """Another upload of the same file or project is being written; try again."""

    code = "upload-conflict"


class FileExistsAlreadyError(UploadConflictError):
    """The file name has other content, or the content another name. Clients know status and text of it."""

    code = "file-exists"


class FileNameBurnedError(UploadConflictError):
    """A file of this name existed and was deleted: the name takes nothing else, ever."""

    code = "file-name-burned"


class ReleaseClosedError(UploadConflictError):
    """The release is too old to take further files."""

    code = "release-closed"


class SecondSdistError(UploadConflictError):
    """The release has an sdist, and takes one only."""

    code = "second-sdist"


class StorageFullError(UpstreamError):
    """The server has no room for the file."""

    code = "storage-full"


class IndexBusyError(UpstreamError):
    """Other writers held the database longer than the server waits. Trying again is right."""

    code = "index-busy"


class UploadCutError(UpstreamError):
    """Fewer bytes came than were announced. Nobody may be left to read the answer."""

    code = "upload-cut"
