"""The request body of an upload: multipart/form-data -> fields in memory, content on disk.

`multipart` does the parsing; this module decides where the bytes go. Rules:
  * memory is bounded: the content goes to an incoming file in pieces, hashed on the way, and the fields
    together stay below `MAX_FIELDS_BYTES`;
  * the gate is asked as soon as the content begins, with the fields so far, and again by the caller with all
    of them; it raises for a foreign project and returns the size limit;
  * a body is whole or refused: every announced byte arrived, and the closing boundary is the last thing in it.
    Without that, a cut connection would look like a shorter file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

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
"""What a body may hold beside its content: headers of parts, and fields."""
MAX_FIELDS_BYTES = 2_621_440
MAX_PARTS = 1000
MAX_FILES = 100
_MAX_HEADER_BYTES = 1024
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
    fields: Fields = field(default_factory=dict)
    content: Content | None = None
    file_fields: list[str] = field(default_factory=list)
    """Names of fields other than the content that came as files."""


class _OverLimitError(Exception):
    """The content passed the limit that the gate gave."""


class _Receiver:
    """Takes the content part into the blob store, fields into memory, and drops every other file."""

    def __init__(self, blobs: BlobStore, gate: Gate) -> None:
        self.body = Body()
        self._blobs = blobs
        self._gate = gate
        self._limit = 0
        self._into_content = False
        self._value: list[bytes] | None = None
        self._name = ""
        self._bytes = 0

    def begin(self, segment: MultipartSegment) -> None:
        self._name = segment.name or ""
        self._bytes += len(self._name)
        if segment.filename is None:
            self._value = []
        elif self._name == "content" and segment.filename:
            if self.body.content is not None:
                raise UploadFieldError("Invalid value for content. Error: Use the field once.")
            self._limit = self._gate(dict(self.body.fields), segment.filename)
            self.body.content = Content(
                filename=segment.filename,
                content_type=segment.content_type or "",
                file=self._blobs.receive(),
            )
            self._into_content = True
        elif self._name != "content":
            if len(self.body.file_fields) == MAX_FILES:
                raise UploadTooLargeError(_TOO_MANY)
            self.body.file_fields.append(self._name)

    def take(self, data: bytes) -> None:
        if self._into_content and self.body.content is not None:
            if self.body.content.file.size + len(data) > self._limit:
                raise _OverLimitError
            self.body.content.file.write(data)
        elif self._value is not None:
            self._bytes += len(data)
            if self._bytes > MAX_FIELDS_BYTES:
                raise UploadTooLargeError(_TOO_MANY)
            self._value.append(data)

    def end(self) -> None:
        if self._value is not None:
            text = b"".join(self._value).decode("utf-8", "replace")
            self.body.fields.setdefault(self._name, []).append(text)
        self._value, self._into_content = None, False


_TOO_MANY = "The fields of the upload are too many or too large."


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
    kind, options = parse_options_header(meta.get("CONTENT_TYPE", ""))
    if kind != "multipart/form-data":
        raise UploadBodyError("Use multipart/form-data for the upload, with the file in the field 'content'.")
    receiver = _Receiver(blobs, gate)
    try:
        _parse(body, options.get("boundary", ""), receiver)
    except BaseException as exc:
        if receiver.body.content is not None:
            receiver.body.content.file.close()
        if isinstance(exc, _OverLimitError):
            raise too_large(receiver.body.fields) from None
        if isinstance(exc, ParserLimitReached) and "count" in str(exc):
            raise UploadTooLargeError(_TOO_MANY) from exc
        if isinstance(exc, MultipartError):
            raise UploadBodyError("The upload is not valid multipart/form-data.") from exc
        raise
    return receiver.body


def _parse(body: BodyReader, boundary: str, receiver: _Receiver) -> None:
    with PushMultipartParser(
        boundary, max_header_size=_MAX_HEADER_BYTES, max_segment_count=MAX_PARTS
    ) as parser:
        while data := body.read(CHUNK_BYTES):
            for event in parser.parse(data):
                if event is None:
                    receiver.end()
                elif isinstance(event, MultipartSegment):
                    receiver.begin(event)
                else:
                    receiver.take(event)
    # What follows the closing boundary is skipped by the parser; it must not be there at all.
    if not body.tail.rstrip(b"\r\n").endswith(b"--" + boundary.encode() + b"--"):
        raise UploadBodyError("The upload does not end with its closing boundary.")
