"""From the JSON of a signing server's answers to the values of `server_values`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sealstead.clock import serialize_moment
from sealstead.codesign.server_values import (
    AnswerFormatError,
    KeyInfo,
    Predecessor,
    Reader,
    Rotated,
    ServerCertificate,
    SignAnswer,
    Successor,
    Uses,
)


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON can say
    """Raises AnswerFormatError for what is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise AnswerFormatError("the server's answer is no JSON") from None


def key_info(value: object) -> KeyInfo:
    """Raises AnswerFormatError: something is missing or of another kind."""
    key = Reader(value, "key")
    before, after = key.inner_or_none("predecessor"), key.inner_or_none("successor")
    return KeyInfo(
        id=key.text("id"),
        name=key.text("name"),
        owner=key.text("owner"),
        roles=key.texts_or_none("roles") or (),
        state=key.text("state"),
        created_at=key.moment_or_none("created_at"),
        expires_at=key.moment_or_none("expires_at"),
        retires_at=key.moment_or_none("retires_at"),
        overdue_at=key.moment_or_none("overdue_at"),
        expires_in_seconds=key.number_or_none("expires_in_seconds"),
        labels=key.texts_or_none("labels"),
        networks=key.texts_or_none("networks"),
        rate=key.text_or_none("rate"),
        predecessor=None if before is None else _predecessor(before),
        successor=None if after is None else _successor(after),
        document=_to_the_second(key.value),
    )


def _to_the_second(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer with its moments as all of ours are written."""
    told = dict(value)
    for name, one in told.items():
        if isinstance(one, dict):
            told[name] = _to_the_second(one)
        elif isinstance(one, list):
            told[name] = [_to_the_second(each) if isinstance(each, dict) else each for each in one]
        elif isinstance(one, str) and name.endswith("_at"):
            with contextlib.suppress(ValueError):
                told[name] = serialize_moment(datetime.fromisoformat(one))
    return told


def _successor(reader: Reader) -> Successor:
    return Successor(
        id=reader.text("id"),
        state=reader.text("state"),
        used=reader.flag("used"),
        created_at=reader.moment_or_none("created_at"),
    )


def _predecessor(reader: Reader) -> Predecessor:
    uses = [Reader(one, "key.predecessor.uses_since_rotation") for one in reader.list("uses_since_rotation")]
    return Predecessor(
        id=reader.text("id"),
        name=reader.text("name"),
        state=reader.text("state"),
        retires_at=reader.moment_or_none("retires_at"),
        rotated_at=reader.moment_or_none("rotated_at"),
        uses_since_rotation=tuple(
            Uses(address=one.text("address"), count=one.number_or_none("count") or 0, last_at=last_at)
            for one in uses
            if (last_at := one.moment_or_none("last_at")) is not None
        ),
    )


def rotated(value: object) -> Rotated:
    answer = Reader(value, "answer")
    return Rotated(key=key_info(answer.value.get("key")), repeated=answer.flag("repeated"))


def certificate(value: object) -> ServerCertificate:
    cert = Reader(value, "certificate")
    return ServerCertificate(
        id=str(cert.value.get("id") or ""),
        alias=cert.text_or_none("alias") or "",
        label=cert.text_or_none("label") or "",
        profile=cert.text("profile"),
        subject=cert.text_or_none("subject") or "",
        issuer=cert.text_or_none("issuer") or "",
        serial=cert.text_or_none("serial") or "",
        thumbprint=cert.text_or_none("thumbprint") or "",
        thumbprint_sha256=cert.text_or_none("thumbprint_sha256") or "",
        not_before=cert.moment_or_none("not_before"),
        not_after=cert.moment_or_none("not_after"),
        algorithm=cert.text("algorithm"),
        is_test=cert.flag("is_test"),
        enabled=cert.value.get("enabled") is not False,
        certificate=cert.bytes_or_none("certificate"),
        chain=cert.bytes_list("chain"),
        public_key=cert.text_or_none("public_key"),
    )


def certificates(value: object) -> tuple[ServerCertificate, ...]:
    return tuple(certificate(one) for one in Reader(value, "answer").list("certificates"))


def sign_answer(value: object, *, items: int) -> SignAnswer:
    """`items`: how many were asked for; fewer or more signatures are no answer."""
    answer = Reader(value, "answer")
    found = [Reader(one, "items").bytes_or_none("signature") for one in answer.list("items")]
    signatures = tuple(one for one in found if one)
    if len(signatures) != items or len(found) != items:
        raise AnswerFormatError(f"the server answered {len(signatures)} signatures for {items} files")
    return SignAnswer(
        certificate=certificate(answer.value.get("certificate")),
        signatures=signatures,
        request_id=answer.text_or_none("request_id") or "",
    )
