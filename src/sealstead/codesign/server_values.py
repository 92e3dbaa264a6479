"""What a signing server answers, as values: read strictly where we depend on it, tolerant of members to come."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sealstead.errors import ParseError
from sealstead.record import Record


class AnswerFormatError(ParseError):
    """An answer of the signing server lacks something, or it is of another kind than promised."""

    code = "answer-format"


class Uses(Record):
    """From where the predecessor of a key has been used since the rotation."""

    address: str
    count: int
    last_at: datetime


class Predecessor(Record):
    id: str
    name: str
    state: str
    retires_at: datetime | None
    rotated_at: datetime | None
    uses_since_rotation: tuple[Uses, ...]


class Successor(Record):
    id: str
    state: str
    used: bool
    created_at: datetime | None


class KeyInfo(Record, hidden=("document",)):
    """What the server says about an API key (`GET /api/v1/key`)."""

    id: str
    name: str
    owner: str
    roles: tuple[str, ...]
    state: str
    created_at: datetime | None
    expires_at: datetime | None
    retires_at: datetime | None
    overdue_at: datetime | None
    expires_in_seconds: int | None
    """By the server's clock; None: it does not expire."""
    labels: tuple[str, ...] | None
    networks: tuple[str, ...] | None
    rate: str | None
    predecessor: Predecessor | None
    successor: Successor | None
    document: Mapping[str, Any]
    """The answer as it came but for its moments, which are to the second; for `--json`."""


class Rotated(Record):
    key: KeyInfo
    repeated: bool
    """This rotation had been carried out already; the answer is the same."""


class ServerCertificate(Record):
    id: str
    alias: str
    label: str
    profile: str
    """authenticode, cms-detached or minisign."""
    subject: str
    issuer: str
    serial: str
    thumbprint: str
    thumbprint_sha256: str
    not_before: datetime | None
    not_after: datetime | None
    algorithm: str
    is_test: bool
    enabled: bool
    certificate: bytes | None
    """DER; None where the profile has none."""
    chain: tuple[bytes, ...]
    public_key: str | None
    """The line of a minisign public key."""


class SignItem(Record):
    kind: str
    """pe, powershell or file."""
    digest: bytes
    file_name: str | None = None
    file_size: int | None = None
    file_version: str | None = None


class SignRequest(Record):
    """Exactly one of label, thumbprint and subject says with which certificate."""

    items: Sequence[SignItem]
    """1 to 256."""
    profile: str
    algorithm: str
    label: str | None = None
    thumbprint: str | None = None
    subject: str | None = None
    description: str | None = None
    description_url: str | None = None


class SignAnswer(Record):
    certificate: ServerCertificate
    signatures: tuple[bytes, ...]
    """In the order of the items: DER of a ContentInfo, or the text of a `.minisig` file."""
    request_id: str


class Reader:
    """Reads members of one JSON object; each refusal names the member."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise AnswerFormatError(f"the server's answer holds no object at {where}")
        self.value: dict[str, Any] = value
        self._where = where

    def _wrong(self, name: str) -> AnswerFormatError:
        return AnswerFormatError(f"the server's answer has no proper {self._where}.{name}")

    def text(self, name: str) -> str:
        found = self.value.get(name)
        if not isinstance(found, str):
            raise self._wrong(name)
        return found

    def text_or_none(self, name: str) -> str | None:
        return None if self.value.get(name) is None else self.text(name)

    def number_or_none(self, name: str) -> int | None:
        found = self.value.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self._wrong(name)
        return int(found)

    def flag(self, name: str) -> bool:
        found = self.value.get(name)
        if not isinstance(found, bool):
            raise self._wrong(name)
        return found

    def moment_or_none(self, name: str) -> datetime | None:
        text = self.text_or_none(name)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise self._wrong(name) from None
        if at.tzinfo is None:
            raise self._wrong(name)
        return at.astimezone(UTC)

    def texts_or_none(self, name: str) -> tuple[str, ...] | None:
        found = self.value.get(name)
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise self._wrong(name)
        return tuple(found)

    def list(self, name: str) -> Sequence[object]:
        found = self.value.get(name)
        if not isinstance(found, list):
            raise self._wrong(name)
        return found

    def bytes_or_none(self, name: str) -> bytes | None:
        text = self.text_or_none(name)
        return None if text is None else self._decoded(text, name)

    def bytes_list(self, name: str) -> tuple[bytes, ...]:
        texts = self.texts_or_none(name)
        if texts is None:
            raise self._wrong(name)
        return tuple(self._decoded(text, name) for text in texts)

    def _decoded(self, text: str, name: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise self._wrong(name) from None

    def inner(self, name: str) -> Reader:
        return Reader(self.value.get(name), f"{self._where}.{name}")

    def inner_or_none(self, name: str) -> Reader | None:
        return None if self.value.get(name) is None else self.inner(name)
