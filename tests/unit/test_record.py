from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealstead.record import Record, replace


class Point(Record, hidden=("secret",)):
    x: int
    y: int = 2
    secret: str = "hush"


class Named(Point):
    name: str

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError(self.name)


@dataclass(frozen=True, kw_only=True)
class Twin:
    x: int
    y: int = 2


def test_it_has_what_it_was_given_and_its_defaults_in_the_order_of_its_fields() -> None:
    point = Point(y=5, x=1)
    assert list(vars(point).items()) == [("x", 1), ("y", 5), ("secret", "hush")]
    assert vars(Point(x=1))["y"] == 2


def test_what_it_does_not_take_is_refused_as_a_dataclass_refuses_it() -> None:
    for values in ({}, {"y": 1}, {"x": 1, "z": 2}):
        for kind in (Point, Twin):
            with pytest.raises(TypeError):
                kind(**values)
    with pytest.raises(TypeError):
        Point(1)  # type: ignore[call-arg]


def test_it_does_not_change() -> None:
    point = Point(x=1)
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del point.x
    with pytest.raises(AttributeError):
        point.new = 2  # type: ignore[attr-defined]
    assert point == Point(x=1)


def test_equal_ones_of_one_class_are_one_key() -> None:
    assert Point(x=1) == Point(x=1, y=2)
    assert Point(x=1) != Point(x=2)
    assert hash(Point(x=1)) == hash(Point(x=1, y=2))
    assert Named(x=1, name="a") != Point(x=1)
    assert Point(x=1) != Twin(x=1)


def test_a_hidden_field_is_not_shown() -> None:
    assert repr(Point(x=1, secret="k")) == "Point(x=1, y=2)"
    assert repr(Named(x=1, secret="k", name="a")) == "Named(x=1, y=2, name='a')"


def test_a_copy_with_changes_is_checked_too() -> None:
    named = Named(x=1, name="a")
    assert replace(named, x=3) == Named(x=3, name="a")
    with pytest.raises(ValueError, match=r"^$"):
        replace(named, name="")
    with pytest.raises(TypeError):
        replace(named, z=1)


def test_it_can_be_copied_and_pickled() -> None:
    point = Point(x=1)
    pickled = pickle.loads(pickle.dumps(point))  # noqa: S301 - it is our own
    assert copy.deepcopy(point) == copy.copy(point) == pickled == point


def test_defaults_are_of_the_class_and_not_shared_with_another() -> None:
    class Other(Record):
        x: Path = Path("a")

    assert Other().x == Path("a")
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
