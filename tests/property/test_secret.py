"""Nothing that shows or stores a value shows or stores a secret."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import traceback
from dataclasses import dataclass
from pprint import pformat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealstead.secret import Secret

# Long enough that it cannot be part of what is shown by chance.
texts = st.text("abcdefghij0123456789", min_size=12, max_size=40)


@dataclass(frozen=True)
class Holder:
    name: str
    token: Secret[str]


def shown(secret: Secret[str]) -> list[str]:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    line = {"name": "test", "levelno": 30, "msg": "a %s and a %r", "args": (secret, Holder("x", secret))}
    handler.handle(logging.makeLogRecord(line))
    error = ValueError("refused", secret)
    return [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>60}",
        f"{secret:>60}",
        "{:s}".format(secret),  # noqa: UP032 - the other way to format
        "%s %r %a" % (secret, secret, secret),  # noqa: UP031 - the third way
        repr([secret, {"token": secret}]),
        pformat({"token": secret}),
        repr(Holder("x", secret)),
        log.getvalue(),
        repr(error),
        "".join(traceback.format_exception(error)),
        json.dumps({"token": secret}, default=str),
    ]


@given(texts)
def test_no_way_of_showing_shows_it(text: str) -> None:
    secret = Secret(text)
    for one in shown(secret):
        assert text not in one
        assert "***" in one
    assert secret.reveal() == text


@given(texts)
def test_locals_of_a_traceback_do_not_show_it(text: str) -> None:
    def work(token: Secret[str]) -> None:
        raise ValueError(f"refused: {token}")

    with pytest.raises(ValueError, match="refused") as refusal:
        work(Secret(text))
    trace = traceback.TracebackException.from_exception(refusal.value, capture_locals=True)
    frame = next(frame for frame in trace.stack if frame.name == "work")
    assert frame.locals is not None
    assert frame.locals["token"] == "Secret(***)"
    assert text not in str(trace)


@given(texts | st.binary(min_size=12, max_size=40))
def test_no_way_of_storing_stores_it(value: str | bytes) -> None:
    secret = Secret(value)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled") as refusal:
            pickle.dumps(secret, protocol)
        assert repr(value) not in repr(refusal.value)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(secret)
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            duplicate(secret)
    assert not hasattr(secret, "__dict__")


@given(texts)
def test_equal_values_are_not_told_by_comparison(text: str) -> None:
    """`==` would compare in a time that depends on the secret; so it compares identity."""
    assert Secret(text) != Secret(text)
    assert Secret(text) != text
