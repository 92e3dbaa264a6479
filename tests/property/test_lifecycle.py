"""Laws of the lifecycle, on a small model of a store that carries plans out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from sealstead.errors import SealsteadError
from sealstead.lifecycle.lines import descendants, ended_by_revoking
from sealstead.lifecycle.policy import MAX_OVERLAP, Policy
from sealstead.lifecycle.rotation import Link, Repeat, overlap_end, plan_rotation
from sealstead.lifecycle.states import LIVING, Moments, end_of, is_accepted, standing_at
from sealstead.record import replace

START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
moments_in_time = st.integers(0, 400 * 24).map(lambda hours: START + timedelta(hours=hours))
overlaps = st.integers(0, 30 * 24).map(lambda hours: timedelta(hours=hours))
lives = st.none() | st.integers(1, 400).map(lambda days: timedelta(days=days))
policies = st.builds(Policy, longest_life=lives, longest_line=lives, longest_overlap=overlaps)


@dataclass
class Store:
    """Carries out what the pure functions decide, as the server's verbs do."""

    links: dict[UUID, Link] = field(default_factory=dict)
    predecessors: dict[UUID, UUID | None] = field(default_factory=dict)

    def issue(self, at: datetime, life: timedelta | None) -> UUID:
        return self._add(
            None, Link(id=uuid4(), moments=Moments(created_at=at, expires_at=at + life if life else None))
        )

    def rotate(
        self,
        link_id: UUID,
        at: datetime,
        overlap: timedelta,
        policy: Policy,
        key: str = "",
        *,
        auto: bool = True,
    ) -> UUID:
        made = [self.links[i] for i, p in self.predecessors.items() if p == link_id]
        plan = plan_rotation(
            self.links[link_id],
            made,
            at=at,
            overlap=overlap,
            policy=policy,
            line_started_at=START,
            rotation_key=key,
            auto_revoke=auto,
        )
        if isinstance(plan, Repeat):
            return plan.successor
        for link in plan.supersedes:
            self.revoke(link, at)
        link = self.links[link_id]
        moments = replace(link.moments, retires_at=plan.retires_at, overdue_at=plan.overdue_at)
        self.links[link_id] = replace(link, moments=moments)
        successor = Moments(created_at=at, expires_at=plan.successor_expires_at)
        return self._add(link_id, Link(id=uuid4(), moments=successor, rotation_key=key))

    def use(self, link_id: UUID, at: datetime) -> None:
        if is_accepted(self.links[link_id].moments, at):
            self.links[link_id] = replace(self.links[link_id], used=True)

    def revoke(self, link_id: UUID, at: datetime) -> None:
        for link in ended_by_revoking(self.predecessors, link_id):
            if self.links[link].moments.revoked_at is None:
                self.links[link] = replace(
                    self.links[link], moments=replace(self.links[link].moments, revoked_at=at)
                )

    def _add(self, predecessor: UUID | None, link: Link) -> UUID:
        self.links[link.id] = link
        self.predecessors[link.id] = predecessor
        return link.id


actions = st.lists(
    st.tuples(
        st.sampled_from(["rotate", "rotate-by-hand", "use", "revoke"]),
        st.integers(0, 50),
        st.integers(0, 24 * 20).map(lambda hours: timedelta(hours=hours)),
        overlaps,
        st.sampled_from(["", "a", "b"]),
    ),
    max_size=25,
)


def play(
    steps: list[tuple[str, int, timedelta, timedelta, str]], policy: Policy, life: timedelta | None
) -> tuple[Store, datetime]:
    store, at = Store(), START
    store.issue(at, life)
    for verb, pick, later, overlap, key in steps:
        at += later
        link = list(store.links)[pick % len(store.links)]
        try:
            if verb.startswith("rotate"):
                store.rotate(link, at, overlap, policy, key, auto=verb == "rotate")
            elif verb == "use":
                store.use(link, at)
            else:
                store.revoke(link, at)
        except SealsteadError:
            continue
        for one in store.links:
            made = [store.links[i] for i, p in store.predecessors.items() if p == one]
            assert sum(standing_at(link.moments, at) in LIVING for link in made) <= 1
    return store, at


@given(steps=actions, policy=policies, life=lives)
def test_never_two_living_successors_whatever_happens(
    steps: list[tuple[str, int, timedelta, timedelta, str]], policy: Policy, life: timedelta | None
) -> None:
    play(steps, policy, life)


@given(steps=actions, policy=policies, life=lives, pick=st.integers(0, 50))
def test_ending_a_line_ends_every_descendant(
    steps: list[tuple[str, int, timedelta, timedelta, str]], policy: Policy, life: timedelta | None, pick: int
) -> None:
    store, at = play(steps, policy, life)
    root = list(store.links)[pick % len(store.links)]
    store.revoke(root, at)
    for link in (root, *descendants(store.predecessors, root)):
        assert not is_accepted(store.links[link].moments, at)
    # Everything made from the first is one line.
    first = next(iter(store.links))
    assert {first, *descendants(store.predecessors, first)} == set(store.links)


@given(at=moments_in_time, overlap=overlaps, life=lives)
def test_both_valid_in_the_overlap_and_the_predecessor_never_after(
    at: datetime, overlap: timedelta, life: timedelta | None
) -> None:
    store = Store()
    old = store.issue(at, life)
    new = store.rotate(old, at, overlap, Policy())
    predecessor, successor = store.links[old].moments, store.links[new].moments
    end = overlap_end(at, overlap, predecessor.expires_at)
    assert end_of(predecessor) == end
    assert not is_accepted(predecessor, end)
    assert is_accepted(successor, at)
    if end > at:
        assert is_accepted(predecessor, at)
        assert is_accepted(predecessor, end - TICK)
        assert is_accepted(successor, end - TICK)


@given(at=moments_in_time, overlap=overlaps, life=lives, second=overlaps)
def test_overlap_never_passes_the_predecessors_own_end_or_the_first_settlement(
    at: datetime, overlap: timedelta, life: timedelta | None, second: timedelta
) -> None:
    store = Store()
    old = store.issue(at, life)
    store.rotate(old, at, overlap, Policy())
    first_end = end_of(store.links[old].moments)
    assert first_end is not None
    assert first_end <= at + MAX_OVERLAP
    if life is not None:
        assert first_end <= at + life
    if overlap > timedelta(0):
        store.rotate(old, at, second, Policy())
        later_end = end_of(store.links[old].moments)
        assert later_end is not None
        assert later_end <= first_end


@given(
    created=moments_in_time,
    not_before=st.none() | moments_in_time,
    expires=st.none() | moments_in_time,
    retires=st.none() | moments_in_time,
    revoked=st.none() | moments_in_time,
)
def test_once_ended_never_accepted_again(
    created: datetime,
    not_before: datetime | None,
    expires: datetime | None,
    retires: datetime | None,
    revoked: datetime | None,
) -> None:
    moments = Moments(
        created_at=created, not_before=not_before, expires_at=expires, retires_at=retires, revoked_at=revoked
    )
    end = end_of(moments)
    start = max(created, not_before or created)
    assert not is_accepted(moments, start - TICK)
    assert is_accepted(moments, start) == (end is None or start < end)
    if end is not None:
        assert not is_accepted(moments, end)
        assert not is_accepted(moments, end + timedelta(days=10_000))
        assert is_accepted(moments, end - TICK) == (start < end)


@given(steps=actions, policy=policies)
def test_no_link_outlives_the_line(
    steps: list[tuple[str, int, timedelta, timedelta, str]], policy: Policy
) -> None:
    store, _ = play(steps, policy, timedelta(days=90))
    if policy.longest_line is not None:
        for link in list(store.links)[1:]:
            end = end_of(store.links[link].moments)
            assert end is not None
            assert end <= START + policy.longest_line
