from __future__ import annotations

import io
from pathlib import Path

import pytest
from tests.uploads import CLOSING, CONTENT_TYPE, part

from sealstead.errors import SealsteadError
from sealstead.server.index.blobs import LocalBlobs
from sealstead.server.index.multipart import Body, BodyReader, Fields, read_body
from sealstead.server.index.upload_errors import UploadTooLargeError

FIELDS = part("name", b"example") + part("classifiers", b"a") + part("classifiers", b"b")
CONTENT = part("content", b"x" * 1000, filename="a.whl", content_type="application/octet-stream")


class RefusedError(SealsteadError):
    code = "refused-by-the-gate"


class Wire:
    """Reads of a few bytes at a time, as a network gives them."""

    def __init__(self, data: bytes, step: int = 37) -> None:
        self._stream = io.BytesIO(data)
        self._step = step

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, self._step))


class Receiver:
    def __init__(self, root: Path, *, limit: int = 10_000, refuse: bool = False) -> None:
        self.blobs = LocalBlobs(root)
        self.limit = limit
        self.refuse = refuse
        self.asked: list[Fields] = []

    def gate(self, fields: Fields, filename: str) -> int:
        self.asked.append(fields)
        if self.refuse:
            raise RefusedError("no")
        return self.limit

    def read(self, body: bytes, *, length: int | None = None, content_type: str = CONTENT_TYPE) -> Body:
        self.reader = BodyReader(Wire(body), len(body) if length is None else length)
        return read_body(
            {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(self.reader.length)},
            self.reader,
            blobs=self.blobs,
            gate=self.gate,
            too_large=lambda _: UploadTooLargeError("too large"),
        )

    def nothing_left(self) -> bool:
        return not self.blobs.incoming.exists() or not list(self.blobs.incoming.iterdir())


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(tmp_path)


def test_fields_and_content_arrive(receiver: Receiver) -> None:
    body = receiver.read(FIELDS + CONTENT + CLOSING)
    assert body.fields == {"name": ["example"], "classifiers": ["a", "b"]}
    assert receiver.asked == [body.fields]
    content = body.content
    assert content is not None
    assert (content.filename, content.content_type) == ("a.whl", "application/octet-stream")
    with content.file as file:
        assert file.path.read_bytes() == b"x" * 1000
    assert receiver.nothing_left()


def test_content_may_come_before_the_fields(receiver: Receiver) -> None:
    body = receiver.read(CONTENT + FIELDS + CLOSING)
    assert receiver.asked == [{}]
    assert body.fields["name"] == ["example"]
    assert body.content is not None
    body.content.file.close()


def test_the_gate_is_asked_before_the_content_is_read(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, refuse=True)
    huge = part("content", b"x" * 2_000_000, filename="a.whl")
    with pytest.raises(RefusedError):
        receiver.read(FIELDS + huge + CLOSING)
    assert receiver.reader.received < 1_000_000
    assert receiver.nothing_left()
    assert receiver.reader.drain(3_000_000)
    assert receiver.reader.received == receiver.reader.length


def test_more_than_the_limit_is_refused_while_it_comes(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, limit=999)
    with pytest.raises(UploadTooLargeError) as refused:
        receiver.read(FIELDS + CONTENT + CLOSING)
    assert refused.value.code == "upload-too-large"
    assert receiver.nothing_left()


def test_exactly_the_limit_passes(tmp_path: Path) -> None:
    body = Receiver(tmp_path, limit=1000).read(FIELDS + CONTENT + CLOSING)
    assert body.content is not None
    body.content.file.close()


def test_other_files_are_named_and_not_kept(receiver: Receiver) -> None:
    body = receiver.read(FIELDS + part("summary", b"x", filename="s.txt") + CLOSING)
    assert body.file_fields == ["summary"]
    assert body.content is None
    assert receiver.nothing_left()


def test_file_names_are_not_mended(receiver: Receiver) -> None:
    body = receiver.read(FIELDS + part("content", b"x", filename="../a&amp;b.whl") + CLOSING)
    assert body.content is not None
    assert body.content.filename == "../a&amp;b.whl"
    body.content.file.close()


@pytest.mark.parametrize(
    ("body", "length", "content_type", "code"),
    [
        (b"{}", None, "application/json", "invalid-upload-body"),
        (b"", None, CONTENT_TYPE, "length-required"),
        (FIELDS + CONTENT + CLOSING, None, "multipart/form-data", "invalid-upload-body"),
        (FIELDS + CONTENT + CLOSING, None, "multipart/form-data; boundary=" + "ä", "invalid-upload-body"),
        # Cut by the sender: fewer bytes than announced.
        (FIELDS + CONTENT[:500], 5000, CONTENT_TYPE, "upload-cut"),
        # Announced short: what lies inside the length has no end.
        (FIELDS + CONTENT + CLOSING, 700, CONTENT_TYPE, "invalid-upload-body"),
        (FIELDS + CONTENT, None, CONTENT_TYPE, "invalid-upload-body"),
        (FIELDS + CONTENT + CLOSING + b"more", None, CONTENT_TYPE, "invalid-upload-body"),
        (FIELDS + CONTENT + CONTENT + CLOSING, None, CONTENT_TYPE, "invalid-upload-field"),
        (part("x" * 2000, b"v") + CLOSING, None, CONTENT_TYPE, "invalid-upload-body"),
        (part("summary", b"x" * 3_000_000) + CLOSING, None, CONTENT_TYPE, "upload-too-large"),
        (part("classifiers", b"x") * 1100 + CLOSING, None, CONTENT_TYPE, "upload-too-large"),
        (part("f", b"x", filename="f") * 110 + CLOSING, None, CONTENT_TYPE, "upload-too-large"),
        (b"nonsense" * 100, None, CONTENT_TYPE, "invalid-upload-body"),
    ],
)
def test_what_is_no_whole_form_is_refused(
    receiver: Receiver, body: bytes, length: int | None, content_type: str, code: str
) -> None:
    with pytest.raises(SealsteadError) as refused:
        receiver.read(body, length=length, content_type=content_type)
    assert refused.value.code == code
    assert receiver.nothing_left()


def test_draining_stops_at_its_limit() -> None:
    reader = BodyReader(io.BytesIO(b"x" * 100), 100)
    assert not reader.drain(99)
    assert reader.received == 0
    assert reader.drain(100)
