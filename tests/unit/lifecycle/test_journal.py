"""What becomes of a change left behind, for each way in which its stores can stand."""

from __future__ import annotations

import itertools

import pytest

from sealstead.lifecycle.journal import (
    UNKNOWN,
    Journal,
    JournalDamagedError,
    Phase,
    Seen,
    Step,
    Verdict,
    decide,
    parse_journal,
    serialize_journal,
)

ARCHIVE = Step(store="archive", phase=Phase.PREPARE, before=None, after="old", secret=True)
TOML = Step(store="toml", phase=Phase.COMMIT, before="t0", after="t1", staged="s/toml")
KEY = Step(store="key", phase=Phase.FOLLOW, before="old", after="new", staged="s/key", secret=True)
RING = Step(store="work", phase=Phase.FOLLOW, before="old", after="new", keyring=True, secret=True)
ROTATE = Journal(command="key-rotate", identity="work", steps=(ARCHIVE, TOML, KEY, RING))

VALUES = {
    ARCHIVE: (None, "old", "other"),
    TOML: ("t0", "t1", "other", None, UNKNOWN),
    KEY: ("old", "new", "other", None),
    RING: ("old", "new", "other", None, UNKNOWN),
}


def seen(
    archive: str | None, toml: str | None, key: str | None, ring: str | None, *, staged: bool = True
) -> dict[Step, Seen]:
    return {
        ARCHIVE: Seen(holds=archive),
        TOML: Seen(holds=toml, staged=staged),
        KEY: Seen(holds=key, staged=staged),
        RING: Seen(holds=ring),
    }


def test_before_the_commit_it_goes_back_and_takes_its_copy_along() -> None:
    decision = decide(ROTATE, seen("old", "t0", "old", "old"))
    assert (decision.verdict, decision.remove, decision.apply) == (Verdict.BACK, (ARCHIVE,), ())


def test_going_back_keeps_the_only_copy_of_a_secret() -> None:
    only_in_keyring = Journal(
        command="key-rotate",
        identity="work",
        steps=(ARCHIVE, TOML, Step(store="key", phase=Phase.FOLLOW, before=None, after="new"), RING),
    )
    values = [Seen(holds=digest) for digest in ("old", "t0", None, UNKNOWN)]
    decision = decide(only_in_keyring, dict(zip(only_in_keyring.steps, values, strict=True)))
    assert (decision.verdict, decision.remove) == (Verdict.BACK, ())


def test_after_the_commit_it_goes_forward_with_what_is_left() -> None:
    assert decide(ROTATE, seen("old", "t1", "old", "old")).apply == (KEY, RING)
    assert decide(ROTATE, seen("old", "t1", "new", "old")).apply == (RING,)
    done = decide(ROTATE, seen("old", "t1", "new", "new", staged=False))
    assert (done.verdict, done.apply) == (Verdict.FORWARD, ())


def test_a_keyring_that_does_not_answer_is_left_for_later() -> None:
    decision = decide(ROTATE, seen("old", "t1", "old", UNKNOWN))
    assert (decision.verdict, decision.apply, decision.unsettled) == (Verdict.FORWARD, (KEY,), (RING,))


def test_a_profile_put_back_after_the_commit_is_a_conflict() -> None:
    decision = decide(ROTATE, seen("old", "t0", "new", "old"))
    assert decision.verdict is Verdict.CONFLICT
    assert decision.conflicts == ("toml has been put back to what it was", "key is new already")


def test_a_key_is_not_replaced_when_its_archive_is_gone() -> None:
    assert decide(ROTATE, seen(None, "t1", "old", "old")).verdict is Verdict.CONFLICT
    assert decide(ROTATE, seen(None, "t1", "new", "new")).verdict is Verdict.FORWARD


def test_staged_content_that_is_gone_is_a_conflict() -> None:
    assert decide(ROTATE, seen("old", "t1", "old", "old", staged=False)).verdict is Verdict.CONFLICT
    assert decide(ROTATE, seen("old", "t1", "new", "old", staged=False)).apply == (RING,)


def test_a_transient_copy_goes_last_of_all() -> None:
    archive = Step(
        store="archive", phase=Phase.PREPARE, before=None, after="old", secret=True, transient=True
    )
    journal = Journal(command="key-rotate", identity="work", steps=(archive, TOML, KEY, RING))
    values = [Seen(holds=digest, staged=True) for digest in ("old", "t1", "old", "new")]
    decision = decide(journal, dict(zip(journal.steps, values, strict=True)))
    assert (decision.apply, decision.remove) == ((KEY,), (archive,))


def test_what_was_there_before_is_destroyed_only_at_the_end() -> None:
    archive = Step(store="a", phase=Phase.PREPARE, before="old", after="old", secret=True, transient=True)
    journal = Journal(command="key-rotate", identity="work", steps=(archive, TOML, KEY))
    for toml, key, removed in (("t0", "old", ()), ("t1", "old", (archive,)), ("t1", "new", (archive,))):
        values = [Seen(holds=digest, staged=True) for digest in ("old", toml, key)]
        assert decide(journal, dict(zip(journal.steps, values, strict=True))).remove == removed
    for toml, key, verdict in (
        ("t0", "old", Verdict.CONFLICT),
        ("t1", "old", Verdict.CONFLICT),
        ("t1", "new", Verdict.FORWARD),
    ):
        values = [Seen(holds=digest, staged=True) for digest in (None, toml, key)]
        assert decide(journal, dict(zip(journal.steps, values, strict=True))).verdict is verdict


@pytest.mark.parametrize("values", list(itertools.product(*VALUES.values())), ids=str)
def test_every_standing_of_the_stores_is_decided_safely(values: tuple[str | None, ...]) -> None:
    archive, toml, key, ring = values
    decision = decide(ROTATE, seen(archive, toml, key, ring))
    if "other" in values or None in (toml, key, ring) or toml == UNKNOWN:
        assert decision.verdict is Verdict.CONFLICT
    if decision.verdict is Verdict.CONFLICT:
        assert decision.conflicts
        assert decision.apply == decision.remove == ()
    else:
        assert decision.verdict is (Verdict.BACK if toml == "t0" else Verdict.FORWARD)
    if ARCHIVE in decision.remove:
        assert key == "old"
    if KEY in decision.apply:
        assert archive == "old"


def test_a_journal_comes_back_as_it_was_written() -> None:
    journal = Journal(command="key-rotate", identity="é", steps=ROTATE.steps, facts={"old": "A", "n": [1]})
    assert parse_journal(serialize_journal(journal)) == journal


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"version": 2}',
        b'{"version": 1, "steps": [{}]}',
        b"[" * 100_000,
        serialize_journal(ROTATE).replace(b'"commit"', b'"follow"'),
        serialize_journal(ROTATE).replace(b'"before": "t0"', b'"before": 5'),
        serialize_journal(ROTATE)[:-40],
    ],
)
def test_anything_else_is_no_journal(data: bytes) -> None:
    with pytest.raises(JournalDamagedError):
        parse_journal(data)


@pytest.mark.parametrize(
    "steps",
    [
        (KEY,),
        (TOML, TOML),
        (TOML, KEY, KEY),
        (TOML, Step(store="a", phase=Phase.FOLLOW, before="a", after="a")),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(steps: tuple[Step, ...]) -> None:
    with pytest.raises(JournalDamagedError):
        Journal(command="x", identity="y", steps=steps)
