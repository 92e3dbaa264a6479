from uuid import UUID, uuid4

from sealstead.lifecycle.lines import descendants, ended_by_revoking


def test_descendants_are_found_through_every_generation() -> None:
    a, b, c, other = (uuid4() for _ in range(4))
    line: dict[UUID, UUID | None] = {a: None, b: a, c: b, other: None}
    assert descendants(line, a) == (b, c)
    assert ended_by_revoking(line, b) == (b, c)
    assert ended_by_revoking(line, a, only_this=True) == (a,)


def test_a_ring_in_damaged_data_ends_the_walk() -> None:
    a, b = uuid4(), uuid4()
    assert descendants({a: b, b: a}, a) == (b,)
