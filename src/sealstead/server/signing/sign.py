"""Sign what was ordered. Everything that a key is handed is built here, from a kind and a digest.

A client chooses a digest, and for Authenticode two texts that are checked. It chooses neither content type nor attribute, so no
signature made here can be taken for one of a mail, a certificate, a time-stamp, a token or a statement:

  * authenticode: the attributes of an SpcIndirectDataContent, whose content type nothing else has;
  * cms-detached: the attributes of a detached signature over data of this digest;
  * minisign: the 64 bytes of the digest, and that signature with a trusted comment of ours. minisign separates no domains:
    the key must not be trusted for anything but files (docs/threat-model.md).

All or nothing: a batch whose last item cannot be signed signs none. The event is durable before anything is returned.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

from sealstead.errors import SealsteadError
from sealstead.formats.authenticode import Kind, assemble, to_be_signed
from sealstead.formats.cms import ID_DATA, build_signed_data, detached_attributes
from sealstead.formats.minisign import (
    DEFAULT_COMMENT,
    PublicKey,
    Signature,
    parse_public_key,
    serialize_signature,
    verify_digest,
)
from sealstead.formats.signing_certificate import check_period
from sealstead.formats.statement import reserved_comment
from sealstead.server.api_request import Document
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.api_keys import ApiGrant
from sealstead.server.signing.describe import document_of, event_facts
from sealstead.server.signing.errors import (
    IdempotencyKeyReusedError,
    InvalidIdempotencyKeyError,
    InvalidItemError,
)
from sealstead.server.signing.events import order_facts, sign_event
from sealstead.server.signing.keys import LoadedKey, load_key
from sealstead.server.signing.models import Certificate, Profile
from sealstead.server.signing.order import Item, Order
from sealstead.server.signing.records import Mark, Seen, SignRecord, commit_record, find_seen, pack
from sealstead.server.signing.select import choose_certificate
from sealstead.server.table_rows import kept

THREADS: Final = min(2, os.cpu_count() or 1)
"""For one batch: a second one of another client must find a core too."""
_WORTH_A_THREAD: Final = 4
MAX_IDEMPOTENCY_KEY: Final = 200

Make = Callable[[int, Item], bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """An answer that may leave once `record` is durable."""

    answer: bytes
    """JSON."""
    record: SignRecord


def sign(order: Order, grant: ApiGrant, *, origin: Origin, idempotency_key: str | None) -> Document:
    """Return the answer: the certificate that signed, and the signatures in the order of the items. Call it outside a transaction.

    A repeat with the same idempotency key gets the same answer, and its event says so.

    Raises:
        SealsteadError: nothing was signed, or it was and does not leave: the event says which.
    """
    mark = _mark(order, grant, idempotency_key)
    if mark is not None and mark.seen is not None:
        return _repeat(order, grant, mark, mark.seen, origin)
    signed = _sign_new(order, grant, mark, origin)
    commit_record(signed.record)
    if mark is None or mark.seen is None:
        return signed.answer
    return _same(mark, mark.seen)


def sign_only(order: Order, grant: ApiGrant, *, origin: Origin, idempotency_key: str | None) -> Signed | None:
    """Sign and write nothing: what `sign` does before its commit. None for a repeat.

    Raises:
        SealsteadError: nothing was signed.
    """
    mark = _mark(order, grant, idempotency_key)
    if mark is not None and mark.seen is not None:
        return None
    return _sign_new(order, grant, mark, origin)


def leaving(signed: Signed) -> Document | None:
    """Return the answer that leaves now that the record was committed; None if the commit wrote nothing of it.

    It is the other's if another request under the same idempotency key came first.
    """
    mark = signed.record.mark
    if mark is None or mark.seen is None:
        return signed.answer
    return None if mark.clashes else mark.seen.answer


def _sign_new(order: Order, grant: ApiGrant, mark: Mark | None, origin: Origin) -> Signed:
    at = grant.at
    row = choose_certificate(
        grant.owner, labels=grant.labels, selector=order.selector, profile=order.profile, at=at
    )
    key = load_key(row)
    check_period(*key.period, at)
    answer = _answer(row, _signatures(order, row, key, at), origin.request_id)
    if mark is not None:
        mark.answer = pack(answer)
    record = SignRecord(
        event=sign_event(tags.SIGNED, grant, origin, {**kept(row, event_facts), **order_facts(order)}),
        use=grant.use(origin),
        certificate=row,
        mark=mark,
    )
    return Signed(answer=answer, record=record)


def _repeat(order: Order, grant: ApiGrant, mark: Mark, seen: Seen, origin: Origin) -> Mapping[str, Any]:
    """Give the answer of before once more, to who might still have it made."""
    answer = _same(mark, seen)
    row = choose_certificate(
        grant.owner,
        labels=grant.labels,
        selector=order.selector,
        profile=order.profile,
        at=grant.at,
        only=answer["certificate"]["id"],
    )
    details = {**event_facts(row), **order_facts(order), "repeated": True}
    commit_record(
        SignRecord(
            event=sign_event(tags.SIGNED, grant, origin, details), use=grant.use(origin), certificate=row
        )
    )
    return answer


def _same(mark: Mark, seen: Seen) -> Mapping[str, Any]:
    if mark.clashes:
        raise IdempotencyKeyReusedError("the Idempotency-Key was used for another request")
    return seen.answer


def record_refusal(exc: SealsteadError, grant: ApiGrant, *, origin: Origin, order: Order | None) -> None:
    """Write the event of a request that was refused after its key had been judged."""
    details: dict[str, Any] = {"reason": exc.message[:400]}
    if order is not None:
        details = {
            order.selector.by: order.selector.value,
            "profile": order.profile,
            **order_facts(order),
            **details,
        }
    event = sign_event(tags.SIGNING_REFUSED, grant, origin, details)
    event.accepted, event.code = False, exc.code
    commit_record(SignRecord(event=event))


def _signatures(order: Order, row: Certificate, key: LoadedKey, at: datetime) -> list[bytes]:
    make = _MAKERS[order.profile](order, row, key, at)
    items = list(enumerate(order.items))
    if THREADS == 1 or len(items) < _WORTH_A_THREAD or not key.signer.algorithm.startswith("RSA"):
        return [make(index, item) for index, item in items]
    # Every other item each: the lock of the interpreter is free while a key signs.
    others = [_threads().submit(_each, make, items[part::THREADS]) for part in range(1, THREADS)]
    parts = [_each(make, items[::THREADS]), *(other.result() for other in others)]
    found: list[bytes] = [b""] * len(items)
    for part, made in enumerate(parts):
        found[part::THREADS] = made
    return found


def _each(make: Make, items: list[tuple[int, Item]]) -> list[bytes]:
    return [make(index, item) for index, item in items]


def _authenticode(order: Order, _row: Certificate, key: LoadedKey, _at: datetime) -> Make:
    chain = key.chain
    assert chain is not None  # noqa: S101 - only minisign has none; for the type checker

    def make(_index: int, item: Item) -> bytes:
        ordered = to_be_signed(
            cast("Kind", item.kind),
            order.algorithm,
            item.digest,
            order.description or None,
            order.description_url or None,
        )
        return assemble(ordered, key.signer.sign(ordered.attributes, order.algorithm), chain)

    return make


def _cms(order: Order, _row: Certificate, key: LoadedKey, _at: datetime) -> Make:
    chain = key.chain
    assert chain is not None  # noqa: S101 - as above
    kind = chain.key_kind

    def make(_index: int, item: Item) -> bytes:
        attributes = detached_attributes(order.algorithm, item.digest)
        return build_signed_data(
            content=None,
            content_type_oid=ID_DATA,
            digest_alg=order.algorithm,
            signed_attrs=attributes,
            signature=key.signer.sign(attributes, order.algorithm),
            signer=chain,
            key_kind=kind,
        )

    return make


def _minisign(_order: Order, row: Certificate, key: LoadedKey, at: datetime) -> Make:
    public: PublicKey = parse_public_key(row.public_key.encode())

    def make(index: int, item: Item) -> bytes:
        # As minisign itself writes it, so that nobody has to learn another form.
        comment = f"timestamp:{int(at.timestamp())}"
        if item.file_name:
            comment += f"\tfile:{item.file_name}"
        comment += "\thashed"
        if reserved_comment(comment):
            raise InvalidItemError(
                index, "a file of this name is not signed: it stands for statements about keys"
            )
        made = key.signer.sign(item.digest)
        signature = Signature(
            prehashed=True,
            key_id=public.key_id,
            signature=made,
            untrusted_comment=DEFAULT_COMMENT,
            trusted_comment=comment,
            global_signature=key.signer.sign(made + comment.encode()),
        )
        verify_digest(public, item.digest, signature)
        return serialize_signature(signature)

    return make


_MAKERS: Final[dict[Profile, Callable[[Order, Certificate, LoadedKey, datetime], Make]]] = {
    Profile.AUTHENTICODE: _authenticode,
    Profile.CMS_DETACHED: _cms,
    Profile.MINISIGN: _minisign,
}


def _mark(order: Order, grant: ApiGrant, idempotency_key: str | None) -> Mark | None:
    if idempotency_key is None:
        return None
    if not 0 < len(idempotency_key) <= MAX_IDEMPOTENCY_KEY or not idempotency_key.isprintable():
        raise InvalidIdempotencyKeyError(
            f"the Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} printable characters"
        )
    mark = hashlib.sha256(f"{grant.credential_id}:{idempotency_key}".encode()).hexdigest()
    # repr of values of our own types: one text for each order.
    request = hashlib.sha256(repr(order).encode()).hexdigest()
    return Mark(mark=mark, request=request, seen=find_seen(mark, grant.at))


@cache
def _threads() -> ThreadPoolExecutor:
    # Made by the first batch, that is in the worker: threads do not survive a fork.
    return ThreadPoolExecutor(THREADS * 4, thread_name_prefix="sign")


def _answer(row: Certificate, signatures: Sequence[bytes], request_id: str) -> bytes:
    """Write the answer as JSON: a megabyte for a batch, nearly all of it base64 with nothing to escape."""
    items = b'"},{"signature":"'.join(base64.b64encode(one) for one in signatures)
    return b'{"certificate":%b,"items":[{"signature":"%b"}],"request_id":%b}' % (
        kept(row, _certificate_text),
        items,
        json.dumps(request_id).encode(),
    )


def _certificate_text(row: Certificate) -> bytes:
    return json.dumps(document_of(row), separators=(",", ":"), ensure_ascii=False).encode()
