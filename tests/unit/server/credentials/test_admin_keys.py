"""What the operator does to API keys, and how one is found by id or name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.api_keys import SIGNER, bearer
from tests.tokens import T0

from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.credentials.admin import create_token, list_tokens, revoke_token
from sealstead.server.credentials.admin_keys import NewApiKey, create_key, list_keys, revoke_key, switch_key
from sealstead.server.credentials.api_keys import judge_api_key
from sealstead.server.credentials.change import remove
from sealstead.server.credentials.errors import (
    CredentialNotFoundError,
    NameNeedsUserError,
    TokenNameInUseError,
)
from sealstead.server.credentials.find import AmbiguousTokenError
from sealstead.server.credentials.key_errors import InvalidKeyRolesError, InvalidNarrowingError
from sealstead.server.credentials.models import Credential

pytestmark = pytest.mark.django_db


def create(**facts: Any) -> NewApiKey:
    return create_key(
        **{
            "user": "alice",
            "name": "ci",
            "roles": ["Standard"],
            "labels": [],
            "networks": [],
            "rate": None,
            "expires": "30d",
            "at": T0,
        }
        | facts
    )


def test_the_operator_makes_a_key_for_an_account(alice: User) -> None:
    made = create(labels=["Production"], rate="60/M")
    grant = judge_api_key(bearer(made.key), at=T0, origin=SIGNER)
    assert (grant.owner, grant.labels) == (alice, {"production"})
    assert (made.facts["rate"], made.facts["expires_at"]) == ("60/m", "2026-12-01T12:00:00+00:00")
    event = Event.objects.get(tag="api-key:issued")
    assert (event.actor_id, event.user_id, event.user_agent) == (None, alice.pk, "sealstead admin")
    with pytest.raises(TokenNameInUseError):
        create()


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"roles": []}, InvalidKeyRolesError),
        ({"roles": ["standard"]}, InvalidKeyRolesError),
        ({"networks": ["300.1.1.1/8"]}, InvalidNarrowingError),
        ({"networks": ["10.0.0.0/33"]}, InvalidNarrowingError),
        ({"networks": [f"10.0.{n}.0/24" for n in range(51)]}, InvalidNarrowingError),
        ({"rate": "0/m"}, InvalidNarrowingError),
        ({"rate": "60"}, InvalidNarrowingError),
        ({"rate": "60/w"}, InvalidNarrowingError),
        ({"labels": ["a\nb"]}, InvalidNarrowingError),
        ({"labels": ["x" * 101]}, InvalidNarrowingError),
        ({"labels": [str(n) for n in range(51)]}, InvalidNarrowingError),
    ],
)
def test_what_cannot_be_makes_no_key(alice: User, facts: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        create(**facts)
    assert not Credential.objects.exists()


def test_a_key_is_found_by_its_id_or_by_a_name_of_its_account(alice: User, bob: User) -> None:
    made = create()
    create(user="bob")
    facts, changed = switch_key(key=made.facts["id"], user=None, enabled=False, at=T0)
    assert (facts["state"], changed) == ("disabled", True)
    assert switch_key(key="ci", user="alice", enabled=False, at=T0)[1] is False
    with pytest.raises(NameNeedsUserError):
        switch_key(key="ci", user=None, enabled=False, at=T0)
    for unknown in ("nothing", "0" * 12, "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(CredentialNotFoundError):
            revoke_key(key=unknown, user="bob", only_this=False, reason="", at=T0)
    with pytest.raises(CredentialNotFoundError):
        switch_key(key=made.facts["id"], user="bob", enabled=True, at=T0)
    assert [one["user"] for one in list_keys(user=None, everything=False, at=T0)] == ["alice", "bob"]


def test_tokens_and_keys_are_not_mixed_up(alice: User) -> None:
    made = create()
    token = create_token(user="alice", name="ci", projects=[], all_projects=True, expires="9d", at=T0)
    assert [one["id"] for one in list_tokens(user="alice", at=T0)] == [token.facts["id"]]
    with pytest.raises(CredentialNotFoundError):
        revoke_token(token=made.facts["id"], user="alice", only_this=False, reason="", at=T0)
    revoke_token(token="ci", user="alice", only_this=False, reason="", at=T0)
    judge_api_key(bearer(made.key), at=T0, origin=SIGNER)


def test_deleted_keys_are_listed_on_demand(alice: User) -> None:
    create()
    remove(Credential.objects.get(), actor=alice, at=T0, origin=SIGNER)
    assert list_keys(user="alice", everything=False, at=T0) == []
    assert [one["name"] for one in list_keys(user="alice", everything=True, at=T0)] == ["ci"]
    with pytest.raises(CredentialNotFoundError):
        revoke_key(key="ci", user="alice", only_this=False, reason="", at=T0)


def test_a_name_that_several_ended_lines_bore_is_the_last_ones(alice: User) -> None:
    create(expires="1h")
    later = T0 + timedelta(hours=2)
    second = create(at=later)
    (ended,) = revoke_key(key="ci", user="alice", only_this=False, reason="", at=later)
    assert ended["id"] == second.facts["id"]
    Credential.objects.update(holds_name=False)
    create(at=later)
    create(name="other", at=later)
    Credential.objects.filter(name="other").update(name="ci", holds_name=False)
    with pytest.raises(AmbiguousTokenError):
        revoke_key(key="ci", user="alice", only_this=False, reason="", at=later)
