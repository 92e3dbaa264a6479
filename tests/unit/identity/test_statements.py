"""Which keys a profile vouches for, and what a thief of an old key can add to that: nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sealstead.formats.minisign import PublicKey, SecretKey, make_secret_key
from sealstead.formats.profile_schema import Profile, Verification
from sealstead.formats.statement import Reason, make_revocation, make_rotation, verify_statement
from sealstead.identity.statements import (
    believed,
    believed_keys,
    carried_over,
    find_revocation,
    known_keys,
    profile_key,
    read_statements,
)

NOW = datetime(2026, 11, 21, 14, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def key(number: int) -> SecretKey:
    return make_secret_key(bytes([number]) * 32, bytes([number]) * 8)


A, B, C, THIEF = key(1), key(2), key(3), key(9)


def profile(own: SecretKey, *statements: str) -> Profile:
    return Profile(verification=Verification(public_key=own.public.line, statements=statements))


def rotation(old: SecretKey, new: SecretKey, *, days: float = 7, at: datetime = NOW) -> str:
    return make_rotation(old, new, issued_at=at, retires_at=at + days * DAY)


def revocation(signer: SecretKey, revoked: SecretKey, *, since: datetime = NOW) -> str:
    return make_revocation(signer, revoked.public, issued_at=NOW, revoked_at=since, reason=Reason.COMPROMISED)


def ids(*keys: SecretKey) -> list[PublicKey]:
    return [each.public for each in keys]


def test_a_retiring_key_is_believed_until_its_end_and_not_after() -> None:
    both = profile(B, rotation(A, B))
    assert believed_keys(both, NOW - SECOND) == ids(B)
    assert believed_keys(both, NOW) == ids(B, A)
    assert believed_keys(both, NOW + 7 * DAY - SECOND) == ids(B, A)
    assert believed_keys(both, NOW + 7 * DAY) == ids(B)
    assert believed(both, NOW)[1].retires_at == NOW + 7 * DAY


def test_without_an_overlap_the_old_key_ends_at_once() -> None:
    assert believed_keys(profile(B, rotation(A, B, days=0)), NOW) == ids(B)


def test_an_overlap_beyond_the_longest_one_ends_there() -> None:
    endless = profile(B, rotation(A, B, days=400))
    assert believed_keys(endless, NOW + 30 * DAY - SECOND) == ids(B, A)
    assert believed_keys(endless, NOW + 30 * DAY) == ids(B)


def test_a_chain_ends_with_its_weakest_link() -> None:
    chain = profile(C, rotation(A, B, days=20), rotation(B, C, days=3, at=NOW + DAY))
    assert believed_keys(chain, NOW + 2 * DAY) == ids(C, B, A)
    assert believed_keys(chain, NOW + 4 * DAY) == ids(C)


def test_a_thief_of_a_retired_key_can_add_no_key() -> None:
    """B is stolen after its end: it signs that the thief's key was its predecessor."""
    late = NOW + 10 * DAY
    forged = rotation(THIEF, B, days=30, at=late)
    assert believed_keys(profile(C, rotation(B, C), forged), late) == ids(C)


def test_a_thief_of_a_retired_key_cannot_name_a_successor() -> None:
    assert believed_keys(profile(B, rotation(A, B, days=0), rotation(A, THIEF, days=30)), NOW) == ids(B)


def test_a_later_statement_about_the_same_two_keys_replaces_the_earlier() -> None:
    shortened = (rotation(A, B, days=20), rotation(A, B, days=0, at=NOW + DAY))
    for statements in (shortened, shortened[::-1]):
        assert believed_keys(profile(B, *statements), NOW + 2 * DAY) == ids(B)


def test_a_ring_of_statements_ends() -> None:
    ring = profile(A, rotation(A, B), rotation(B, A))
    assert believed_keys(ring, NOW) == ids(A, B)


def test_a_revoked_key_is_not_believed_from_the_named_moment_on() -> None:
    revoked = profile(B, rotation(A, B, days=20), revocation(A, A, since=NOW + 2 * DAY))
    assert believed_keys(revoked, NOW + 2 * DAY - SECOND) == ids(B, A)
    assert believed_keys(revoked, NOW + 2 * DAY) == ids(B)
    assert find_revocation(revoked, A.public, NOW + 2 * DAY - SECOND) is None
    assert find_revocation(revoked, A.public, NOW + 2 * DAY) is not None


def test_the_own_key_can_be_revoked_and_then_vouches_for_nobody() -> None:
    assert believed_keys(profile(B, rotation(A, B), revocation(B, B)), NOW) == []


def test_the_profiles_key_revokes_a_key_that_is_gone() -> None:
    assert find_revocation(profile(B, revocation(B, A)), A.public, NOW)


@pytest.mark.parametrize("own", [B, C], ids=["successor", "after"])
def test_a_thief_of_an_old_key_can_revoke_that_key_only(own: SecretKey) -> None:
    attacked = profile(own, rotation(A, B, days=0), revocation(A, own), revocation(A, C if own is B else B))
    assert believed_keys(attacked, NOW) == ids(own)
    assert find_revocation(attacked, own.public) is None


def test_statements_that_do_not_verify_count_for_nothing_and_are_told_of() -> None:
    broken = rotation(A, B).replace("T14:00:00Z", "T15:00:00Z")
    strange = profile(B, "lol", broken, rotation(A, B))
    assert believed_keys(strange, NOW) == ids(B, A)
    problems = read_statements(strange).problems
    assert [text.split(":")[0] for text in problems] == [
        "statement 1 counts for nothing",
        "statement 2 counts for nothing",
    ]


def test_a_profile_without_a_key_vouches_for_nobody() -> None:
    for text in ("", "not a key"):
        nobody = Profile(verification=Verification(public_key=text, statements=(rotation(A, B),)))
        assert profile_key(nobody) is None
        assert believed_keys(nobody, NOW) == []


def test_a_successor_signs_anew_what_its_predecessor_had_revoked() -> None:
    before = profile(B, rotation(A, B), revocation(B, A, since=NOW - DAY), revocation(THIEF, B), "lol")
    after = profile(C, *carried_over(before, C, at=NOW + DAY), rotation(B, C))
    found = find_revocation(after, A.public, NOW)
    assert found is not None
    assert (found.revoked_at, found.signer) == (NOW - DAY, C.public)
    assert find_revocation(after, B.public) is None
    assert after.verification.statements[3] == "lol"


def test_what_a_key_said_of_itself_stays_as_it_was() -> None:
    said = revocation(A, A)
    assert carried_over(profile(B, said), C, at=NOW) == (said,)
    assert verify_statement(said)


def test_every_key_that_a_profile_names_can_be_found_by_its_id() -> None:
    named = profile(C, rotation(A, B), revocation(THIEF, A))
    assert known_keys(named) == ids(C, A, B, THIEF)
