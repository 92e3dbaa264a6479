"""Who takes a new connection: the worker with the fewest, as long as it accepts any."""

from __future__ import annotations

from sealstead.server.balance import ConnectionCounts


def test_who_has_more_than_another_that_accepts_leaves_it() -> None:
    counts = ConnectionCounts()
    one, other = counts.claim(), counts.claim()
    counts.tell(one, 3)
    # The other one is still starting, then has fewer, as many, and stops.
    assert not counts.others_have_fewer(one)
    counts.tell(other, 2)
    assert counts.others_have_fewer(one)
    assert not counts.others_have_fewer(other)
    counts.tell(other, 3)
    assert not counts.others_have_fewer(one)
    counts.tell(other, 0)
    counts.close(other)
    assert not counts.others_have_fewer(one)


def test_the_place_of_a_worker_that_has_ended_is_the_next_one_s() -> None:
    counts = ConnectionCounts()
    one, other = counts.claim(), counts.claim()
    counts.tell(one, 1)
    counts.tell(other, 0)
    counts.release(other)
    assert not counts.others_have_fewer(one)
    assert counts.claim() == other != one
    assert not counts.others_have_fewer(one)


def test_more_workers_than_places_share_the_last() -> None:
    counts = ConnectionCounts()
    places = [counts.claim() for _ in range(1000)]
    assert len(set(places)) == max(places) + 1
    counts.tell(places[-1], 5)
    counts.tell(places[0], 0)
    assert counts.others_have_fewer(places[-1])
