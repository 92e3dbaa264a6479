"""The database holds nothing that signs anybody in, and nothing written into it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.core import serializers

from sealstead.server.accounts import sessions
from sealstead.server.accounts.create import create_user
from sealstead.server.accounts.models import Session, User
from sealstead.server.accounts.sessions import IDLE, TOUCH, SessionStore

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)


@pytest.fixture
def alice() -> User:
    return create_user(username="alice", email="alice@example.org", password="correct horse battery")


def stored(**contents: object) -> str:
    """Store a session and return its key."""
    store = SessionStore()
    store.update(contents)
    store.save()
    assert store.session_key
    return store.session_key


def contents(key: str) -> dict[str, Any]:
    return dict(SessionStore(key).items())


def test_what_was_stored_is_found_by_its_key(fake_clock: Any) -> None:
    assert contents(stored(a=1)) == {"a": 1}
    assert contents("0" * 32) == {}


def test_a_dump_holds_neither_keys_nor_contents(fake_clock: Any) -> None:
    key = stored(secret="JBSWY3DPEHPK3PXP")
    dump = serializers.serialize("json", Session.objects.all())
    row = Session.objects.get()
    assert key not in dump
    assert b"JBSWY3DPEHPK3PXP" not in bytes(row.sealed)
    # The name of the row, sent as a cookie, is not a key either.
    assert contents(row.handle) == {}


def test_contents_moved_to_another_key_do_not_open(fake_clock: Any) -> None:
    victim, thief = stored(who="victim"), stored(who="thief")
    sealed = Session.objects.get(handle=sessions.handle_of(victim)).sealed
    Session.objects.filter(handle=sessions.handle_of(thief)).update(sealed=sealed)
    assert contents(thief) == {}
    assert contents(victim) == {"who": "victim"}


@pytest.mark.parametrize("forged", [b"", b'{"who": "admin"}', b"\x01" + b"\0" * 64])
def test_contents_written_without_the_master_key_do_not_open(fake_clock: Any, forged: bytes) -> None:
    key = stored(who="me")
    Session.objects.update(sealed=forged)
    assert contents(key) == {}


def test_a_session_ends_after_its_idle_life(fake_clock: Any) -> None:
    key = stored(a=1)
    start = fake_clock.moment
    fake_clock.moment = start + IDLE
    assert contents(key) == {}
    fake_clock.moment = start + IDLE - TICK
    assert contents(key) == {"a": 1}
    # Being used then, it lives on from there.
    fake_clock.moment = start + IDLE + IDLE - TICK - TICK
    assert contents(key) == {"a": 1}


def test_use_is_written_at_most_once_per_touch(fake_clock: Any) -> None:
    key = stored(a=1)
    first = Session.objects.get().last_seen_at
    fake_clock.move(TOUCH - TICK)
    contents(key)
    assert Session.objects.get().last_seen_at == first
    fake_clock.move(TICK)
    contents(key)
    assert Session.objects.get().last_seen_at == first + TOUCH


def test_an_ended_session_does_not_come_back(fake_clock: Any) -> None:
    key = stored(a=1)
    late = SessionStore(key)
    late["b"] = 2
    SessionStore().delete(key)
    with pytest.raises(UpdateError):
        late.save()
    assert not Session.objects.exists()


def test_a_new_key_ends_the_old_one(fake_clock: Any) -> None:
    key = stored(a=1)
    store = SessionStore(key)
    store.cycle_key()
    store.save()
    assert store.session_key != key
    assert contents(key) == {}
    assert contents(store.session_key or "") == {"a": 1}


def test_ending_a_users_sessions_spares_the_one_named(fake_clock: Any, alice: User) -> None:
    mine, other = stored(_auth_user_id=str(alice.pk)), stored(_auth_user_id=str(alice.pk))
    anonymous = stored(a=1)
    assert sessions.end_sessions(alice.pk, but=mine) == 1
    assert (contents(other), contents(mine)["_auth_user_id"], contents(anonymous)) == (
        {},
        str(alice.pk),
        {"a": 1},
    )
    assert sessions.end_sessions(alice.pk) == 1


def test_expired_sessions_are_cleared(fake_clock: Any) -> None:
    stored(a=1)
    fake_clock.move(IDLE - TICK)
    SessionStore.clear_expired()
    assert Session.objects.count() == 1
    fake_clock.move(TICK)
    SessionStore.clear_expired()
    assert Session.objects.count() == 0
