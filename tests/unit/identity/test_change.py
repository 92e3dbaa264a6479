"""A change of several stores ends whole, wherever its process died, or stops and touches nothing."""

from __future__ import annotations

import itertools
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fakes.death import Killed, dies_at
from tests.fakes.memory_keyring import MemoryKeyring

from sealstead.custody import journal_file
from sealstead.custody.journal_file import StagedLeftoverError, WriteFailedError
from sealstead.custody.key_dir import KeyDir
from sealstead.identity.change import (
    Change,
    FileChange,
    KeyringChange,
    carry_out,
)
from sealstead.identity.journal import find_pending, give_up, recover_pending
from sealstead.identity.keyslots import KeyPlaces
from sealstead.identity.steps import ChangeConflictError
from sealstead.lifecycle.journal import JournalDamagedError, Phase
from sealstead.record import replace

OLD, NEW = b"old secret", b"new secret"
BEFORE, AFTER = b"public_key = old\n", b"public_key = new\n"


@dataclass
class World:
    """One identity: a key file, a keyring entry, a profile elsewhere."""

    places: KeyPlaces
    ring: MemoryKeyring
    key: Path
    archive: Path
    toml: Path

    def change(self, *, transient: bool = False) -> Change:
        return Change(
            command="key-rotate",
            identity="work",
            files=(
                FileChange(
                    path=self.archive, content=OLD, phase=Phase.PREPARE, secret=True, transient=transient
                ),
                FileChange(path=self.key, content=NEW, secret=True),
                FileChange(path=self.toml, content=AFTER, phase=Phase.COMMIT, expected=BEFORE, checked=True),
            ),
            keyring=KeyringChange(before=OLD, after=NEW),
            facts={"new_id": "NEW"},
        )

    def standing(self) -> str:
        """`before`, `after` or `between`; whichever it is, nothing is half-written."""
        files = [path.read_bytes() for path in (self.key, self.toml)]
        ring = self.ring.entries["work"]
        assert files[0] in (OLD, NEW)
        assert files[1] in (BEFORE, AFTER)
        if (*files, ring) == (OLD, BEFORE, OLD):
            return "before"
        return "after" if (*files, ring) == (NEW, AFTER, NEW) else "between"

    def litter(self) -> set[str]:
        known = {self.key, self.archive, self.toml, self.places.directory.path / ".lock"}
        here = {*self.places.directory.path.iterdir(), *self.toml.parent.iterdir()}
        return {path.name for path in here - known if path.is_file()}

    def key_of_the_profile(self) -> bool:
        """Whether the secret key that the profile names is in a file, whole."""
        wanted = NEW if self.toml.read_bytes() == AFTER else OLD
        return any(path.read_bytes() == wanted for path in self.places.directory.path.iterdir())


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand of them are made here, and no machine loses its power."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def make_world(root: Path) -> World:
    (root / "keys").mkdir(mode=0o700)
    (root / "project").mkdir()
    directory = KeyDir(root / "keys")
    ring = MemoryKeyring(work=OLD)
    made = World(
        places=KeyPlaces(directory, ring, ""),
        ring=ring,
        key=directory.secret_path("work"),
        archive=directory.archive_path("work", "OLD"),
        toml=root / "project" / "pypi_profile.toml",
    )
    directory.store_secret(made.key, OLD, replace=False)
    made.toml.write_bytes(BEFORE)
    made.toml.chmod(0o640)
    return made


def test_a_change_ends_whole_and_leaves_nothing_behind(world: World) -> None:
    assert carry_out(world.places, world.change()) == []
    assert world.standing() == "after"
    assert world.archive.read_bytes() == OLD
    assert world.litter() == set()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (world.key, world.archive, world.toml)]
    assert modes == [0o600, 0o600, 0o640]
    assert recover_pending(world.places) is None


def test_what_is_to_be_destroyed_is_gone_at_the_end(world: World) -> None:
    carry_out(world.places, world.change(transient=True))
    assert (world.standing(), world.archive.exists()) == ("after", False)


@pytest.mark.parametrize("transient", [False, True], ids=["kept", "destroyed"])
def test_dying_at_any_call_leaves_a_working_key_and_the_next_command_ends_it(
    tmp_path: Path, *, transient: bool
) -> None:
    ends: list[str] = []
    for number in itertools.count():
        (tmp_path / str(number)).mkdir()
        world = make_world(tmp_path / str(number))
        try:
            with dies_at(number):
                carry_out(world.places, world.change(transient=transient))
        except Killed:
            pass
        else:
            break
        assert world.key_of_the_profile(), number
        committed = world.toml.read_bytes() == AFTER
        recover_pending(world.places)
        assert world.standing() == ("after" if committed else "before"), number
        assert world.litter() == set(), number
        assert world.archive.exists() == (committed and not transient), number
        ends.append(world.standing())
    assert set(ends) == {"before", "after"}
    assert len(ends) > 30


def test_dying_again_while_recovering_is_no_different(tmp_path: Path) -> None:
    for first, second in itertools.product((12, 20, 25, 29, 32), range(0, 24, 3)):
        (tmp_path / f"{first}-{second}").mkdir()
        world = make_world(tmp_path / f"{first}-{second}")
        with pytest.raises(Killed), dies_at(first):
            carry_out(world.places, world.change())
        committed = world.toml.read_bytes() == AFTER
        try:
            with dies_at(second):
                recover_pending(world.places)
        except Killed:
            assert world.key_of_the_profile()
            recover_pending(world.places)
        assert world.standing() == ("after" if committed else "before")
        assert world.litter() == set()


def interrupted(world: World, *, committed: bool) -> None:
    """Leave the change behind, just before or just after the profile was replaced."""
    for number in itertools.count(1):
        try:
            with dies_at(number):
                carry_out(world.places, world.change())
        except Killed:
            if (world.toml.read_bytes() == AFTER) == committed and world.archive.exists():
                return
            recover_pending(world.places)
            world.toml.write_bytes(BEFORE)
            if world.key.read_bytes() == NEW:
                raise AssertionError("went too far") from None


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("victim", ["key", "toml", "archive", "ring"])
def test_a_store_that_somebody_changed_is_a_conflict_and_nothing_is_touched(
    world: World, victim: str, *, committed: bool
) -> None:
    interrupted(world, committed=committed)
    if victim == "ring":
        world.ring.entries["work"] = b"foreign"
    else:
        path: Path = getattr(world, victim)
        path.write_bytes(b"edited by hand")
    before = {path: path.read_bytes() for path in world.places.directory.path.iterdir()}
    with pytest.raises(ChangeConflictError):
        recover_pending(world.places)
    assert {path: path.read_bytes() for path in world.places.directory.path.iterdir()} == before
    assert find_pending(world.places.directory)


def test_a_profile_put_back_after_the_commit_is_a_conflict(world: World) -> None:
    world.ring.refuses_writes = True
    carry_out(world.places, world.change())
    assert recover_pending(world.places) is None

    other = make_world(world.toml.parent)
    interrupted(other, committed=True)
    with dies_at(8), pytest.raises(Killed):
        recover_pending(other.places)
    assert other.key.read_bytes() == NEW
    other.toml.write_bytes(BEFORE)
    with pytest.raises(ChangeConflictError, match="put back"):
        recover_pending(other.places)
    assert other.key_of_the_profile()


def test_giving_up_keeps_every_key(world: World) -> None:
    interrupted(world, committed=True)
    world.toml.write_bytes(b"edited by hand")
    kept = give_up(world.places)
    assert [path.read_bytes() for path in kept] == [NEW]
    assert (world.key.read_bytes(), world.archive.read_bytes()) == (OLD, OLD)
    assert find_pending(world.places.directory) is None
    assert [path.name for path in world.toml.parent.iterdir()] == [world.toml.name]


def test_a_profile_edited_while_the_keys_were_made_is_not_overwritten(world: World) -> None:
    world.toml.write_bytes(b"edited meanwhile")
    with pytest.raises(ChangeConflictError):
        carry_out(world.places, world.change())
    assert world.toml.read_bytes() == b"edited meanwhile"
    assert world.key.read_bytes() == OLD
    assert world.litter() == set()


def test_a_profile_edited_at_the_last_moment_is_not_overwritten_and_nothing_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the journal is written, and before the rename: the command itself knows that it has not committed."""
    real = journal_file.stage

    def stage(path: Path, *given: object, **named: object) -> None:
        real(path, *given, **named)  # type: ignore[arg-type]
        world.toml.write_bytes(b"edited\n")

    monkeypatch.setattr(journal_file, "stage", stage)
    before = {path.name for path in world.places.directory.path.iterdir()}
    with pytest.raises(ChangeConflictError):
        carry_out(world.places, world.change())
    assert (world.toml.read_bytes(), world.key.read_bytes()) == (b"edited\n", OLD)
    assert {path.name for path in world.places.directory.path.iterdir()} - before <= {".lock"}
    assert find_pending(world.places.directory) is None


def test_a_keyring_that_holds_another_key_stays_as_it_is(world: World) -> None:
    world.ring.entries["work"] = b"of another key directory"
    (warning,) = carry_out(world.places, world.change())
    assert "holds another key" in warning
    assert world.ring.entries["work"] == b"of another key directory"
    assert (world.key.read_bytes(), world.toml.read_bytes(), world.litter()) == (NEW, AFTER, set())


def test_the_keyring_alone_is_brought_up_to_the_key_file(world: World) -> None:
    del world.ring.entries["work"]
    change = Change(
        command="key-import",
        identity="work",
        files=(FileChange(path=world.key, content=OLD, secret=True),),
        keyring=KeyringChange(before=None, after=OLD),
    )
    carry_out(world.places, change)
    assert world.ring.entries["work"] == OLD
    assert world.litter() == set()


def test_a_keyring_that_stops_answering_is_settled_later(world: World) -> None:
    world.ring.refuses_writes = True
    assert len(carry_out(world.places, world.change())) == 1
    assert world.standing() == "between"
    recover_pending(world.places)
    assert world.ring.entries["work"] == OLD
    world.ring.refuses_writes = False
    recover_pending(world.places)
    assert world.standing() == "after"
    assert world.litter() == set()


def test_a_write_whose_answer_was_lost_is_found_to_be_made(world: World) -> None:
    world.ring.deaf = True
    carry_out(world.places, world.change())
    world.ring.deaf = False
    recover_pending(world.places)
    assert (world.standing(), world.litter()) == ("after", set())


def test_a_second_change_before_the_keyring_answers_is_settled_too(world: World) -> None:
    world.ring.refuses_writes = True
    carry_out(world.places, world.change())
    newest = Change(
        command="key-rotate",
        identity="work",
        files=(
            FileChange(
                path=world.archive.with_name("second.bak"), content=NEW, phase=Phase.PREPARE, secret=True
            ),
            FileChange(path=world.key, content=b"newest", secret=True),
        ),
    )
    carry_out(world.places, newest)
    world.ring.refuses_writes = False
    recover_pending(world.places)
    assert world.ring.entries["work"] == b"newest"


def test_a_full_disk_leaves_everything_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, itertools.count()

    def full(descriptor: int) -> None:
        if next(calls) == 4:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteFailedError, match="No space left"):
        carry_out(world.places, world.change())
    assert (world.standing(), world.litter()) == ("before", set())


def test_a_staged_file_that_no_journal_knows_is_not_overwritten(world: World) -> None:
    leftover = world.places.directory.staged_path(world.key)
    leftover.write_bytes(b"perhaps the only copy")
    with pytest.raises(StagedLeftoverError):
        carry_out(world.places, world.change())
    assert leftover.read_bytes() == b"perhaps the only copy"


def test_a_damaged_journal_stops_everything(world: World) -> None:
    (world.places.directory.path / "journal.json").write_bytes(b"{")
    (world.places.directory.path / "journal.json").chmod(0o600)
    with pytest.raises(JournalDamagedError):
        recover_pending(world.places)
    assert world.standing() == "before"


def test_the_journal_holds_no_secret(world: World) -> None:
    interrupted(world, committed=False)
    text = (world.places.directory.path / "journal.json").read_text()
    assert "secret" not in text.replace('"secret"', "")
    assert "key-rotate of work" in (find_pending(world.places.directory) or "")


def test_a_keyring_that_changes_alone_is_written_or_owed(world: World) -> None:
    alone = Change(
        command="key-import",
        identity="work",
        files=(FileChange(path=world.key, content=OLD, secret=True),),
        keyring=KeyringChange(before=None, after=OLD),
    )
    world.ring.entries.clear()
    world.ring.refuses_writes = True
    assert len(carry_out(world.places, alone)) == 1
    world.ring.refuses_writes = False
    recover_pending(world.places)
    assert world.ring.entries == {"work": OLD}
    world.ring.entries.clear()
    assert carry_out(world.places, alone) == []
    assert world.ring.entries == {"work": OLD}
    assert world.litter() == set()


def test_a_debt_is_dropped_when_somebody_else_writes_the_entry(world: World) -> None:
    world.ring.refuses_writes = True
    carry_out(world.places, world.change())
    world.ring.refuses_writes = False
    world.ring.entries["work"] = b"of another key directory"
    recover_pending(world.places)
    assert world.ring.entries["work"] == b"of another key directory"
    assert world.litter() == set()


def test_no_mistake_of_a_command_costs_the_only_copy_of_a_key(world: World) -> None:
    careless = Change(
        command="keygen",
        identity="work",
        files=(FileChange(path=world.key, content=NEW, secret=True, phase=Phase.COMMIT),),
    )
    with pytest.raises(ChangeConflictError, match="kept nowhere"):
        carry_out(world.places, careless)
    assert (world.standing(), world.litter()) == ("before", set())


def test_what_is_given_up_can_be_found_again(world: World) -> None:
    """Also an encrypted key, which does not tell its own id."""
    from tests.keys import key

    from sealstead.formats.minisign import parse_public_key

    line = key(5).public.line
    change = replace(world.change(), facts={"new_public_key": line})
    for number in itertools.count(20):
        try:
            with dies_at(number):
                carry_out(world.places, change)
        except Killed:
            if world.toml.read_bytes() == AFTER:
                break
            recover_pending(world.places)
    world.toml.write_bytes(b"edited by hand")
    (kept,) = give_up(world.places)
    assert kept == world.places.directory.archive_path("work", key(5).public.id)
    assert parse_public_key(kept.with_suffix(".pub").read_bytes()) == key(5).public


def test_no_key_shows_in_what_is_printed_of_a_change(world: World) -> None:
    text = repr(world.change())
    assert "secret'" not in text
    assert "old secret" not in text
