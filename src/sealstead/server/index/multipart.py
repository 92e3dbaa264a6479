"""The request body of an upload: multipart/form-data -> fields in memory, content on disk.

Django's parser does the parsing; this module decides where the bytes go. Rules:
  * memory is bounded: the content goes to an incoming file in pieces, hashed on the way, and the fields
    together stay below Django's DATA_UPLOAD_MAX_MEMORY_SIZE;
  * the gate is asked as soon as the content begins, with the fields so far, and again by the caller with all
    of them; it raises for a foreign project and returns the size limit;
  * a body is whole or refused: every announced byte arrived, and the closing boundary is the last thing in it.
    Without that, a cut connection would look like a shorter file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from sealstead.server.index.blobs import BlobStore, IncomingFile
from sealstead.server.index.upload_errors import (
    LengthRequiredError,
    UploadBodyError,
    UploadCutError,
    UploadFieldError,
    UploadTooLargeError,
)

CHUNK_BYTES = 256 * 1024
MAX_FIELD_BYTES = 8 * 1024 * 1024
"""What a body may hold beside its content: headers of parts, and fields (bounded again by Django)."""
_TAIL_BYTES = 256
"""Longer than the longest closing boundary: RFC 2046 allows 70 characters."""

Fields = dict[str, list[str]]
Gate = Callable[[Fields, str], int]
"""Judge the scope by the fields so far, told the file's name, and return the largest acceptable content in bytes."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class BodyReader:
    """Counts and bounds what is read of a body, and remembers how it ends."""

    def __init__(self, stream: Readable, length: int) -> None:
        self._stream = stream
        self.length = length
        self.received = 0
        self.tail = b""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, nothing at the end.

        Raises:
            UploadCutError: the connection ended or idled before the announced length.
        """
        size = min(size, self.length - self.received)
        if size <= 0:
            return b""
        try:
            data = self._stream.read(size)
        except OSError as exc:
            raise UploadCutError("The connection was cut before the upload was complete.") from exc
        if not data:
            raise UploadCutError("The connection was cut before the upload was complete.")
        self.received += len(data)
        self.tail = (self.tail + data)[-_TAIL_BYTES:]
        return data

    def drain(self, limit: int) -> bool:
        """Read and drop what is left if that is at most `limit` bytes; return whether the body is used up.

        A client that is still sending does not read: an answer to half a body would reach it as a
        broken connection.
        """
        if self.length - self.received > limit:
            return False
        try:
            while self.read(CHUNK_BYTES):
                pass
        except UploadCutError:
            return False
        return True


@dataclass(kw_only=True)
class Content:
    """The part named `content`. `file` belongs to the receiver, who closes it."""

    filename: str
    content_type: str
    file: IncomingFile


@dataclass(kw_only=True)
class Body:
    fields: Fields
    content: Content | None
    file_fields: list[str]
    """Names of fields other than the content that came as files."""


class _ContentHandler(FileUploadHandler):
    """Takes the content part into the blob store and skips every other file."""

    chunk_size = CHUNK_BYTES

    def __init__(self, blobs: BlobStore, gate: Gate) -> None:
        super().__init__()
        self._blobs = blobs
        self._gate = gate
        self._limit = 0
        self.fields_so_far: Callable[[], Fields] = dict
        self.content: Content | None = None
        self.file_fields: list[str] = []

    def new_file(  # what Django adds beside is passed on unread
        self,
        field_name: str,
        file_name: str,
        content_type: str,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().new_file(field_name, file_name, content_type, *args, **kwargs)
        if field_name != "content":
            self.file_fields.append(field_name)
            raise SkipFile
        if self.content is not None:
            raise UploadFieldError("Invalid value for content. Error: Use the field once.")
        self._limit = self._gate(self.fields_so_far(), str(file_name))
        self.content = Content(
            filename=str(file_name), content_type=str(content_type or ""), file=self._blobs.receive()
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.content is None:
            return
        if self.content.file.size + len(raw_data) > self._limit:
            raise _OverLimitError
        self.content.file.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        return


class _OverLimitError(Exception):
    """The content passed the limit that the gate gave."""


class _Parser(MultiPartParser):
    """Keeps file names as they were sent: what is wrong with one is said, not mended."""

    def sanitize_file_name(self, file_name: str) -> str:
        return file_name

    def fields_so_far(self) -> Fields:
        # The parser's own dictionary: handlers get no other view of the fields that came before a file.
        post = cast("QueryDict | None", getattr(self, "_post", None))
        return {} if post is None else dict(post.lists())

    def closing_boundary(self) -> bytes:
        return b"--" + cast("bytes", getattr(self, "_boundary")) + b"--"  # noqa: B009 - not in the stubs


def read_body(
    meta: dict[str, str],
    body: BodyReader,
    *,
    blobs: BlobStore,
    gate: Gate,
    too_large: Callable[[Fields], UploadTooLargeError],
) -> Body:
    """Read a whole upload.

    Raises:
        LengthRequiredError, UploadBodyError, UploadTooLargeError, UploadCutError, OSError, and what `gate`
        raises. The incoming file is gone then.
    """
    if body.length <= 0:
        raise LengthRequiredError("Send the upload with a Content-Length.")
    if not meta.get("CONTENT_TYPE", "").lower().startswith("multipart/form-data"):
        raise UploadBodyError("Use multipart/form-data for the upload, with the file in the field 'content'.")
    handler = _ContentHandler(blobs, gate)
    try:
        parser = _Parser(meta, body, [handler], "utf-8")  # type: ignore[arg-type]
        handler.fields_so_far = parser.fields_so_far
        fields = _parse(parser, body)
    except BaseException as exc:
        if handler.content is not None:
            handler.content.file.close()
        if isinstance(exc, _OverLimitError):
            raise too_large(handler.fields_so_far()) from None
        if isinstance(exc, MultiPartParserError):
            raise UploadBodyError("The upload is not valid multipart/form-data.") from exc
        raise
    return Body(fields=fields, content=handler.content, file_fields=handler.file_fields)


def _parse(parser: _Parser, body: BodyReader) -> Fields:
    try:
        post, _ = parser.parse()
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as exc:
        raise UploadTooLargeError("The fields of the upload are too many or too large.") from exc
    while body.read(CHUNK_BYTES):
        pass
    if not body.tail.rstrip(b"\r\n").endswith(parser.closing_boundary()):
        raise UploadBodyError("The upload does not end with its closing boundary.")
    return dict(post.lists())
