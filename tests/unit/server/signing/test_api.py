"""`/api/v1/sign` and `/api/v1/certificates` in process: what is signed, what is refused, what is recorded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from cryptography import x509
from django.conf import settings
from django.db import DatabaseError
from tests.api_keys import bearer, issue_key
from tests.certificates import NOW, Issued, issue, issuer, leaf, root, rsa_key
from tests.signing import OPERATOR, Answer, Client, b64, item, make_certificate
from tests.tokens import T0

from sealstead.formats.authenticode import read_indirect
from sealstead.formats.cms import parse_signed_data, verify_signer
from sealstead.formats.minisign import parse_public_key, parse_signature, verify_digest
from sealstead.server.api_request import ApiRequest, Prepared
from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.models import Credential
from sealstead.server.signing import seal
from sealstead.server.signing.api import prepare_signature
from sealstead.server.signing.manage import grant, switch, withdraw
from sealstead.server.signing.models import Certificate, Profile, SignRequest
from sealstead.server.signing.records import KEPT

if TYPE_CHECKING:
    from tests.fakes.clock import FakeClock

    from sealstead.server.accounts.models import User

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def production(ada: User) -> Certificate:
    row = make_certificate(issued=leaf())
    grant(row, ada, OPERATOR)
    Event.objects.all().delete()
    return row


def test_a_batch_is_signed_in_its_order(client: Client, production: Certificate) -> None:
    contents = [b"MZ one", b"MZ two", b"MZ three"]
    answer = client.sign(*map(item, contents), label="PRODUCTION")
    assert answer.status == 200, answer.json
    assert len(answer.signatures) == 3
    for signature, content in zip(answer.signatures, contents, strict=True):
        signed = parse_signed_data(signature)
        assert verify_signer(signed) == leaf().der
        assert set(signed.certificates) == {leaf().der, issuer().der, root().der}
        indirect = read_indirect(signed)
        assert (indirect.kind, indirect.digest) == ("pe", hashlib.sha256(content).digest())
    shown = answer.json["certificate"]
    assert (shown["thumbprint"], shown["certificate"]) == (production.thumbprint, b64(leaf().der))
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_a_large_batch_by_an_rsa_key_keeps_its_order(client: Client, ada: User) -> None:
    row = make_certificate(issued=issue("RSA", by=issuer(), key=rsa_key()))
    grant(row, ada, OPERATOR)
    contents = [f"MZ {number}".encode() for number in range(9)]
    answer = client.sign(*map(item, contents))
    digests = [read_indirect(parse_signed_data(one)).digest for one in answer.signatures]
    assert digests == [hashlib.sha256(content).digest() for content in contents]


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_a_detached_signature_is_of_the_digest(client: Client, ada: User, algorithm: str) -> None:
    row = make_certificate("files", profile=Profile.CMS_DETACHED)
    grant(row, ada, OPERATOR)
    thing = item(b"data", kind="file", algorithm=algorithm.lower())
    answer = client.sign(thing, label="files", profile="cms-detached", algorithm=algorithm)
    signed = parse_signed_data(answer.signatures[0])
    assert signed.content is None
    digest = hashlib.new(algorithm.lower(), b"data").digest()
    assert verify_signer(signed, content_digest=digest) == row.certificate


def test_a_minisign_signature_names_the_file(client: Client, ada: User) -> None:
    row = make_certificate("wheels", profile=Profile.MINISIGN)
    grant(row, ada, OPERATOR)
    thing = item(b"data", kind="file", algorithm="blake2b", file_name="a.whl")
    answer = client.sign(thing, label="wheels", profile="minisign", algorithm="BLAKE2b-512")
    signature = parse_signature(answer.signatures[0])
    verify_digest(parse_public_key(row.public_key.encode()), hashlib.blake2b(b"data").digest(), signature)
    assert signature.trusted_comment == f"timestamp:{int(T0.timestamp())}\tfile:a.whl\thashed"
    assert answer.json["certificate"]["public_key"] == row.public_key


def test_one_event_tells_everything_and_the_key_is_used(client: Client, production: Certificate) -> None:
    facts = {"file_name": "setup.exe", "file_size": 42, "file_version": "1.2"}
    answer = client.sign(item(**facts), item(b"x"), description="Harbour")
    event = Event.objects.get()
    key = Credential.objects.get(handle=event.details["key"])
    assert (event.tag, event.accepted, event.credential_id, event.request_id) == (
        "signature:made",
        True,
        key.pk,
        answer.json["request_id"],
    )
    assert event.details["files"][0] == {
        "name": "setup.exe",
        "kind": "pe",
        "digest": hashlib.sha256(b"MZ").hexdigest(),
        "size": 42,
        "version": "1.2",
    }
    assert event.details["thumbprint"] == production.thumbprint
    assert (event.details["description"], event.ip) == ("Harbour", "192.0.2.7")
    assert (key.use_count, key.last_used_at, key.last_used_ip) == (1, T0, "192.0.2.7")
    production.refresh_from_db()
    assert production.last_used_at == T0


def test_nothing_leaves_that_could_not_be_recorded(client: Client, production: Certificate) -> None:
    with patch("sealstead.server.signing.records.write_key_uses", side_effect=DatabaseError("full")):
        answer = client.sign(item())
    assert (answer.status, answer.code) == (503, "database-busy")
    assert "items" not in answer.json


Ask = Callable[[Client, Certificate], Answer]


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        (lambda c, _: c.sign(item(), label="unknown"), 404, "certificate-not-found"),
        (lambda c, _: c.sign(item(), label=None), 400, "invalid-selector"),
        (lambda c, _: c.sign(), 400, "invalid-sign-request"),
        (lambda c, _: c.sign(item(), {}), 400, "invalid-item"),
        (lambda c, _: c.sign(item(kind="file"), profile="cms-detached"), 403, "profile-mismatch"),
        (lambda c, _: c.sign(item(), description="a\u202eb"), 400, "bad-signature-text"),
        (lambda c, _: c.sign(item(), description_url="javascript:x"), 400, "bad-signature-text"),
        (lambda c, _: c.ask("POST", "/api/v1/sign", b"{"), 400, "malformed-body"),
        (lambda c, _: c.ask("POST", "/api/v1/sign", b" " * 1_000_001), 413, "body-too-large"),
        (lambda c, _: c.sign(item(), key="x" * 201), 400, "invalid-idempotency-key"),
    ],
    ids=range(10),
)
def test_a_refusal_is_an_event_of_its_own(
    client: Client, production: Certificate, ask: Ask, status: int, code: str
) -> None:
    answer = ask(client, production)
    assert (answer.status, answer.code) == (status, code)
    event = Event.objects.get()
    assert (event.tag, event.accepted, event.code) == ("signature:refused", False, code)
    assert event.details["reason"]
    assert Credential.objects.get(handle=event.details["key"]).use_count == 0


def test_each_state_of_a_certificate_has_its_answer(
    client: Client, production: Certificate, ada: User, fake_clock: FakeClock
) -> None:
    fake_clock.moment = production.not_after - timedelta(microseconds=1)  # type: ignore[operator]
    _, text = issue_key(owner=ada, name="late", expires_at=fake_clock.moment + DAY, at=fake_clock.moment)
    late = Client(text)
    assert late.sign(item()).status == 200
    fake_clock.move(timedelta(microseconds=1))
    assert (late.sign(item()).status, late.sign(item()).code) == (403, "certificate-period")
    fake_clock.moment = T0
    switch(production, OPERATOR, enabled=False)
    assert (client.sign(item()).status, client.sign(item()).code) == (403, "certificate-disabled")
    switch(production, OPERATOR, enabled=True)
    withdraw(production, ada, OPERATOR)
    assert client.sign(item()).json["detail"] == client.sign(item(), label="unknown").json["detail"]


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ({"roles": ["ApiKeyRotator"]}, 403, "role-missing"),
        ({"labels": ["other"]}, 403, "label-not-allowed"),
        ({"labels": ["PRODUCTION"]}, 200, ""),
        ({"networks": ["198.51.100.0/24"]}, 403, "network-not-allowed"),
    ],
    ids=str,
)
def test_a_narrowed_key(
    client: Client, production: Certificate, ada: User, facts: dict[str, Any], status: int, code: str
) -> None:
    _, text = issue_key(owner=ada, name="narrow", **facts)
    answer = Client(text).sign(item())
    assert (answer.status, answer.code) == (status, code)


def test_no_key_no_body_no_answer_but_401(client: Client, production: Certificate) -> None:
    answer = Client("seal_nonsense").sign(item())
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    for path in ("/api/v1/certificates", "/api/v1/key"):
        assert Client("").ask("GET", path).status == 401


@pytest.mark.parametrize("profile", [Profile.AUTHENTICODE, Profile.MINISIGN])
def test_a_repeat_gets_the_same_answer_and_its_event_says_so(
    client: Client, ada: User, fake_clock: FakeClock, profile: Profile
) -> None:
    grant(make_certificate(profile=profile), ada, OPERATOR)
    Event.objects.all().delete()
    order = {"profile": profile}, item()
    if profile == Profile.MINISIGN:
        order = {"profile": profile, "algorithm": "BLAKE2b-512"}, item(kind="file", algorithm="blake2b")
    first = client.sign(order[1], key="build-7", **order[0])
    fake_clock.move(KEPT - timedelta(microseconds=1))
    again = client.sign(order[1], key="build-7", **order[0])
    assert (first.status, again.status) == (200, 200)
    # Every byte, though neither ECDSA nor a time in a comment would come out the same.
    assert again.json == first.json
    assert again.headers["X-Request-ID"] != first.json["request_id"] == first.headers["X-Request-ID"]
    assert [event.details.get("repeated") for event in Event.objects.order_by("id")] == [None, True]
    fake_clock.move(timedelta(microseconds=1))
    anew = client.sign(order[1], key="build-7", **order[0])
    assert anew.signatures != first.signatures
    assert SignRequest.objects.count() == 1


def test_a_repeat_is_answered_only_to_who_might_still_sign(
    client: Client, production: Certificate, ada: User
) -> None:
    first = client.sign(item(), key="build-7")
    # A renewal takes the label: what was answered stays what was answered.
    grant(make_certificate(end=NOW + 800 * DAY), ada, OPERATOR)
    assert client.sign(item(), key="build-7").json == first.json
    switch(production, OPERATOR, enabled=False)
    assert client.sign(item(), key="build-7").code == "certificate-disabled"
    switch(production, OPERATOR, enabled=True)
    withdraw(production, ada, OPERATOR)
    assert client.sign(item(), key="build-7").code == "certificate-not-found"


def test_a_request_that_was_refused_leaves_no_answer(client: Client, production: Certificate) -> None:
    switch(production, OPERATOR, enabled=False)
    assert client.sign(item(), key="build-7").code == "certificate-disabled"
    switch(production, OPERATOR, enabled=True)
    assert client.sign(item(b"x"), key="build-7").status == 200


def test_of_requests_under_way_with_one_idempotency_key_the_first_one_s_answer_leaves(
    client: Client, production: Certificate
) -> None:
    def prepared(content: bytes, key: str) -> Prepared:
        order = {"label": "production", "profile": "authenticode", "algorithm": "SHA256"}
        body = json.dumps({**order, "items": [item(content)]}).encode()
        made = prepare_signature(
            ApiRequest(
                method="POST",
                path="/api/v1/sign",
                at=T0,
                origin=Origin(request_id=key + content.decode()),
                authorization=bearer(client.key),
                idempotency_key=key,
                body_length=len(body),
                stream=BytesIO(body),
            )
        )
        assert made is not None
        return made

    # All are signed before any is written.
    under_way = [
        prepared(content, key) for content, key in ((b"a", "1"), (b"a", "1"), (b"b", "1"), (b"a", "2"))
    ]
    told: list[Any] = []
    for one in under_way:
        one.commit(told.append)
    first, same, another, beside = told
    assert (first, another, beside) == (under_way[0].document, None, under_way[3].document)
    assert same == json.loads(first)
    assert [event.details.get("repeated") for event in Event.objects.order_by("id")] == [None, True, None]


def test_another_request_under_the_same_idempotency_key_is_refused(
    client: Client, production: Certificate, ada: User, fake_clock: FakeClock
) -> None:
    client.sign(item(), key="build-7")
    for change in ({"algorithm": "SHA384"}, {"description": "x"}, {"subject": "Harbour", "label": None}):
        thing = item(algorithm="sha384") if "algorithm" in change else item()
        answer = client.sign(thing, key="build-7", **change)
        assert (answer.status, answer.code) == (409, "idempotency-key-reused")
    _, text = issue_key(owner=ada, name="another")
    assert Client(text).sign(item(b"x"), key="build-7").status == 200
    fake_clock.move(KEPT)
    assert client.sign(item(b"x"), key="build-7").status == 200


def test_a_key_changed_by_hand_signs_nothing(client: Client, production: Certificate) -> None:
    assert client.sign(item()).status == 200  # loaded, and remembered
    other = make_certificate("other")
    Certificate.objects.filter(pk=production.pk).update(sealed_key=bytes(other.sealed_key or b""))
    answer = client.sign(item())
    assert (answer.status, answer.code) == (503, "signing-key-damaged")
    Certificate.objects.filter(pk=production.pk).update(
        sealed_key=production.sealed_key, certificate=other.certificate
    )
    assert client.sign(item()).code == "signing-key-damaged"


def test_a_chain_that_has_ended_signs_nothing(client: Client, ada: User, fake_clock: FakeClock) -> None:
    short = issue("Short", by=root(), ca=True, purposes=None, end=T0 + DAY)
    grant(make_certificate("short", issued=issue("Leaf", by=short)), ada, OPERATOR)
    assert client.sign(item(), label="short").status == 200
    fake_clock.moment = short.certificate.not_valid_after_utc
    assert client.sign(item(), label="short").code == "certificate-period"


def test_a_chain_changed_by_hand_signs_nothing(client: Client, production: Certificate) -> None:
    for chain in (
        [],
        [issuer().der],
        [root().der],
        [issue("Stranger", ca=True, purposes=None).der],
        [b"nonsense"],
    ):
        Certificate.objects.filter(pk=production.pk).update(chain=[b64(der) for der in chain])
        answer = client.sign(item())
        assert (answer.status, answer.code) == (503, "signing-key-damaged")
    assert {event.code for event in Event.objects.all()} == {"signing-key-damaged"}


def test_a_key_sealed_before_its_chain_was_bound_still_signs(client: Client, production: Certificate) -> None:
    before = sealed_without_chain(production)
    Certificate.objects.filter(pk=production.pk).update(sealed_key=before)
    assert client.sign(item()).status == 200


@pytest.mark.parametrize(
    "chain",
    [
        lambda: [root()],
        lambda: [issue("Stranger", ca=True, purposes=None)],
        lambda: [issuer(), issue("Stranger", ca=True, purposes=None)],
    ],
    ids=["a gap", "a stranger", "a stranger behind"],
)
def test_what_the_old_seal_does_not_bind_is_looked_at(
    client: Client, production: Certificate, chain: Callable[[], list[Issued]]
) -> None:
    """The key opens whatever its row says of the chain: that it is its own, only a look at the chain shows."""
    Certificate.objects.filter(pk=production.pk).update(
        sealed_key=sealed_without_chain(production), chain=[b64(one.der) for one in chain()]
    )
    answer = client.sign(item())
    assert (answer.status, answer.code) == (503, "signing-key-damaged")


def sealed_without_chain(row: Certificate) -> bytes:
    """Return the key as it was sealed before the chain was part of the seal."""
    context = seal._context(row)[:-1]
    sealed: bytes = settings.SEALSTEAD.ring.seal(seal.open_key(row).reveal(), context=context)
    return sealed


def test_the_certificate_says_until_when_not_its_row(
    client: Client, production: Certificate, ada: User, fake_clock: FakeClock
) -> None:
    fake_clock.moment = production.not_after  # type: ignore[assignment]
    _, text = issue_key(owner=ada, name="late", expires_at=fake_clock.moment + DAY, at=fake_clock.moment)
    Certificate.objects.filter(pk=production.pk).update(not_after=fake_clock.moment + 2 * DAY)
    assert Client(text).sign(item()).code == "certificate-period"


@pytest.mark.parametrize("chain", [["!"], [1], [[]], "x", [b64(leaf().der)]], ids=range(5))
def test_a_chain_changed_by_hand_leaves_in_no_signature(
    client: Client, production: Certificate, chain: Any
) -> None:
    assert client.sign(item()).status == 200
    Certificate.objects.filter(pk=production.pk).update(chain=chain)
    assert client.sign(item()).code == "signing-key-damaged"


def test_certificates_are_listed_best_first_and_found(
    client: Client, ada: User, production: Certificate
) -> None:
    newer = make_certificate(end=NOW + 800 * DAY)
    make_certificate("foreign")
    grant(newer, ada, OPERATOR)
    listed = client.ask("GET", "/api/v1/certificates").json["certificates"]
    assert [one["id"] for one in listed] == [str(newer.pk), str(production.pk)]
    der = listed[1]["certificate"]
    assert b64(leaf().der) == der
    assert (
        x509.load_der_x509_certificate(leaf().der).not_valid_after_utc.isoformat()[:10]
        in listed[1]["not_after"]
    )
    for query in (f"thumbprint={production.thumbprint}", "label=Production", "subject=harbour%20ltd"):
        found = client.ask("GET", f"/api/v1/certificates?{query}")
        assert str(production.pk) in {one["id"] for one in found.json["certificates"]}
    for query, status in (("label=foreign", 404), ("label=", 400), ("name=x", 400), ("label=a&label=b", 400)):
        assert client.ask("GET", f"/api/v1/certificates?{query}").status == status
    assert Credential.objects.get(owner=ada).use_count == 0


def test_a_narrowed_key_lists_its_labels_alone(ada: User, client: Client, production: Certificate) -> None:
    grant(make_certificate("test"), ada, OPERATOR)
    _, text = issue_key(owner=ada, name="narrow", labels=["test"])
    narrow = Client(text)
    listed = narrow.ask("GET", "/api/v1/certificates").json["certificates"]
    assert [one["label"] for one in listed] == ["test"]
    assert narrow.ask("GET", "/api/v1/certificates?label=production").code == "label-not-allowed"
