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
    code = "invalid-upload"


class UploadFieldError(UploadError):
    code = "invalid-upload-field"


class UploadMetadataError(UploadError):
    code = "invalid-metadata"


class UploadDescriptionError(UploadError):
    code = "invalid-description"


class UploadFileNameError(UploadError):
    code = "invalid-file-name"


class UploadTooLargeError(UploadError):
    code = "upload-too-large"


class UploadBodyError(UploadError):
    code = "invalid-upload-body"


class LengthRequiredError(UploadBodyError):
    """Without a length neither a cut connection nor the limit can be told before the end."""

    code = "length-required"


class UploadActionGoneError(UploadError):
    code = "upload-action-gone"


class InvalidArchiveError(ParseError):
    code = "invalid-archive"


class DigestMismatchError(VerificationError):
    code = "digest-mismatch"


class ProjectNameError(InputError):
    code = "project-name-refused"


class UploadConflictError(ConflictError):
    code = "upload-conflict"


class FileExistsAlreadyError(UploadConflictError):
    """Text and status are what `twine upload --skip-existing` looks for."""

    code = "file-exists"


class FileNameBurnedError(UploadConflictError):
    code = "file-name-burned"


class ReleaseClosedError(UploadConflictError):
    code = "release-closed"


class SecondSdistError(UploadConflictError):
    code = "second-sdist"


class StorageFullError(UpstreamError):
    code = "storage-full"


class IndexBusyError(UpstreamError):
    """Other writers held the database longer than the server waits. Trying again is right."""

    code = "index-busy"


class UploadCutError(UpstreamError):
    """Fewer bytes came than were announced. Nobody may be left to read the answer."""

    code = "upload-cut"
