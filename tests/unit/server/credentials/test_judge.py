from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from allauth.account.models import EmailAddress
from tests.tokens import CHROME, ORIGIN, STEEL, T0, Issue

from sealstead.formats.macaroon import add_caveat
from sealstead.formats.token_text import parse_token, serialize_token
from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.errors import (
    CaveatNotMetError,
    EmailNotVerifiedError,
    InvalidCredentialError,
    TokenExpiredError,
    TooManyFailuresError,
)
from sealstead.server.credentials.judge import (
    FAILURE_WINDOW,
    judge_upload,
    judge_upload_token,
)
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke

pytestmark = pytest.mark.django_db
MAX_FAILURES = 19
"""One less than the setting's default."""
LATER = T0 + timedelta(hours=1)


def judge(token: Secret[str], **facts: Any) -> Any:
    return judge_upload_token(token, **{"at": LATER, "origin": ORIGIN} | facts)


def the_refusal() -> Event:
    return Event.objects.get(tag="upload-token:refused")


def test_a_good_token_names_owner_and_credential(issue: Issue, alice: User) -> None:
    row, token = issue()
    grant = judge(token)
    assert (grant.owner, grant.credential_id) == (alice, row.pk)
    assert not Event.objects.filter(tag="upload-token:refused").exists()


def test_use_is_counted_with_moment_address_and_agent(issue: Issue) -> None:
    row, token = issue()
    judge(token)
    judge(token, at=LATER + timedelta(minutes=1), origin=Origin(ip="2001:db8::1", user_agent="x" * 500))
    row.refresh_from_db()
    assert (row.use_count, row.last_used_ip) == (2, "2001:db8::1")
    assert row.last_used_at == LATER + timedelta(minutes=1)
    assert row.last_used_agent == "x" * 400


def test_project_scope(issue: Issue) -> None:
    _, token = issue(projects=[CHROME, STEEL])
    grant = judge(token)
    grant.require_project(*CHROME)
    grant.require_project(*STEEL)
    with pytest.raises(CaveatNotMetError, match="project-scoped token is not valid for project: 'tin'"):
        grant.require_project("tin", UUID(int=7))


@pytest.mark.parametrize("project_id", [None, UUID(int=0x99)])
def test_a_name_born_again_does_not_revive_a_token(issue: Issue, project_id: UUID | None) -> None:
    _, token = issue()
    with pytest.raises(CaveatNotMetError) as caught:
        judge(token).require_project("chrome", project_id)
    assert caught.value.message == (
        "Invalid API Token: project-scoped token is not valid for project: 'chrome'"
    )


def test_account_scope_covers_projects_not_yet_born(issue: Issue) -> None:
    _, token = issue(projects=None)
    grant = judge(token)
    grant.require_project("anything", None)
    grant.require_project(*CHROME)


def damaged(text: str) -> list[str]:
    raw = bytearray(base64.urlsafe_b64decode(text.removeprefix("pypi-") + "=="))
    flipped = []
    for position in (-1, -33, -36, 40):
        other = bytearray(raw)
        other[position] ^= 1
        flipped.append("pypi-" + base64.urlsafe_b64encode(bytes(other)).rstrip(b"=").decode())
    return [
        *flipped,
        text[:-4],
        text[:20],
        text[5:],
        "pypi-",
        "pypi-!!",
        "sealr-" + text[5:],
        text + "\nx",
        "\u0141",
    ]


def test_one_answer_for_malformed_tampered_unknown_and_revoked(issue: Issue) -> None:
    row, token = issue()
    answers = set()
    unknown_row, unknown = issue(name="unknown")
    Credential.objects.filter(pk=unknown_row.pk).delete()
    revoked_row, revoked = issue(name="revoked")
    revoke(revoked_row, actor=None, at=T0, origin=ORIGIN)
    for number, text in enumerate([*damaged(token.reveal()), unknown.reveal(), revoked.reveal()]):
        with pytest.raises(InvalidCredentialError) as caught:
            judge(Secret(text), origin=Origin(ip=f"192.0.2.{number}"))
        answers.add((type(caught.value), caught.value.code, caught.value.message, caught.value.hint))
        assert text not in repr(caught.value)
    assert len(answers) == 1
    row.refresh_from_db()
    assert row.use_count == 0


def test_the_log_knows_better_but_the_owners_page_is_not_for_strangers(issue: Issue) -> None:
    row, token = issue()
    revoke(row, actor=None, at=T0, origin=ORIGIN)
    with pytest.raises(InvalidCredentialError):
        judge(token)
    event = the_refusal()
    assert (event.code, event.credential_id, event.user_id) == ("token-revoked", row.pk, None)


def test_expiry_at_both_edges(issue: Issue, alice: User) -> None:
    row, token = issue()
    assert row.expires_at is not None
    judge(token, at=row.expires_at - timedelta(microseconds=1))
    with pytest.raises(TokenExpiredError) as caught:
        judge(token, at=row.expires_at)
    assert caught.value.message == "Invalid API Token: token is expired"
    event = the_refusal()
    assert (event.code, event.credential_id, event.user_id) == ("token-expired", row.pk, alice.pk)
    row.refresh_from_db()
    assert row.use_count == 1


def test_a_closed_account_uploads_nothing(issue: Issue, alice: User) -> None:
    _, token = issue()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(InvalidCredentialError):
        judge(token)


def test_an_address_must_be_verified(issue: Issue, alice: User) -> None:
    _, token = issue()
    EmailAddress.objects.filter(user=alice).update(verified=False)
    with pytest.raises(EmailNotVerifiedError) as caught:
        judge(token)
    assert caught.value.message == (
        "User 'alice', associated with the API token used, does not have a verified primary email address."
    )


def test_another_kind_of_credential_uploads_nothing(issue: Issue) -> None:
    row, token = issue()
    Credential.objects.filter(pk=row.pk).update(kind="read-token")
    with pytest.raises(InvalidCredentialError):
        judge(token)


def test_the_header_is_read_and_its_refusal_recorded() -> None:
    with pytest.raises(InvalidCredentialError):
        judge_upload(None, at=LATER, origin=ORIGIN)
    assert the_refusal().code == "invalid-credential"


def test_the_header_leads_to_the_grant(issue: Issue) -> None:
    row, token = issue()
    pair = base64.b64encode(f"__token__:{token.reveal()}\n".encode()).decode()
    assert judge_upload(f"Basic {pair}", at=LATER, origin=ORIGIN).credential_id == row.pk


def test_an_identifier_that_is_no_id_is_unknown(issue: Issue) -> None:
    _, token = issue()
    raw = base64.urlsafe_b64decode(token.reveal().removeprefix("pypi-") + "==")
    assert str(uuid4()).encode() not in raw
    other = raw[:-80] + b"\xff" * 80
    with pytest.raises(InvalidCredentialError):
        judge(Secret("pypi-" + base64.urlsafe_b64encode(other).rstrip(b"=").decode()))


def test_too_many_wrong_ones_from_an_address_are_told_to_wait(issue: Issue) -> None:
    _, token = issue()
    wrong = Secret(token.reveal()[:-4] + "AAAA")
    for _ in range(MAX_FAILURES):
        with pytest.raises(InvalidCredentialError):
            judge(wrong)
    with pytest.raises(TooManyFailuresError) as caught:
        judge(wrong)
    assert caught.value.retry_after == FAILURE_WINDOW
    # No event beyond the limit: the log is not a stranger's to fill.
    assert Event.objects.filter(tag="upload-token:refused").count() == MAX_FAILURES
    # Another address is not concerned, and neither is a valid token from the same one.
    with pytest.raises(InvalidCredentialError):
        judge(wrong, origin=Origin(ip="198.51.100.1"))
    judge(token)
    with pytest.raises(InvalidCredentialError):
        judge(wrong, at=LATER + FAILURE_WINDOW)


def test_headers_without_a_token_count_as_wrong() -> None:
    for _ in range(MAX_FAILURES):
        with pytest.raises(InvalidCredentialError):
            judge_upload("Basic !", at=LATER, origin=ORIGIN)
    with pytest.raises(TooManyFailuresError):
        judge_upload(None, at=LATER, origin=ORIGIN)


def test_expired_tokens_are_no_guesses(issue: Issue) -> None:
    _, token = issue()
    for _ in range(MAX_FAILURES + 1):
        with pytest.raises(TokenExpiredError):
            judge(token, at=T0 + timedelta(days=40))


@pytest.mark.parametrize(
    ("caveat", "reason"),
    [
        (b"[99]", "caveat has unknown tag: 99"),
        (b"[1]", "Not enough values"),
        (b"{}", "caveat must be an array"),
        (b"\xff", "unknown error"),
        (
            b'[3,"00000000-0000-0000-0000-000000000001"]',
            "current user does not match user restriction in token",
        ),
        (b'[4,"x"]', "OIDC scoped token used outside of an OIDC identified request"),
    ],
)
def test_a_holders_caveat_that_is_not_met_refuses(issue: Issue, caveat: bytes, reason: str) -> None:
    row, token = issue()
    with pytest.raises(CaveatNotMetError) as caught:
        judge(narrowed(token, caveat))
    assert caught.value.message == f"Invalid API Token: {reason}"
    assert the_refusal().credential_id == row.pk
    row.refresh_from_db()
    assert row.use_count == 0


def test_a_holder_narrows_offline(issue: Issue) -> None:
    _, token = issue(projects=None)
    grant = judge(narrowed(token, b'[1,["chrome"]]'))
    grant.require_project(*CHROME)
    with pytest.raises(CaveatNotMetError):
        grant.require_project(*STEEL)
    ends = int((LATER + timedelta(hours=1)).timestamp())
    short = narrowed(token, f"[0,{ends},0]".encode())
    judge(short)
    with pytest.raises(TokenExpiredError):
        judge(short, at=LATER + timedelta(hours=1))


def test_a_holder_never_widens(issue: Issue) -> None:
    _, token = issue()
    grant = judge(narrowed(token, b'[1,["steel","chrome"]]'))
    with pytest.raises(CaveatNotMetError):
        grant.require_project(*STEEL)


def test_not_valid_yet(issue: Issue) -> None:
    _, token = issue()
    begins = int((LATER + timedelta(hours=1)).timestamp())
    early = narrowed(token, f"[0,{begins + 60},{begins}]".encode())
    with pytest.raises(TokenExpiredError):
        judge(early)
    judge(early, at=LATER + timedelta(hours=1))


def narrowed(token: Secret[str], caveat: bytes) -> Secret[str]:
    return Secret(serialize_token(add_caveat(parse_token(token.reveal()), caveat)))
