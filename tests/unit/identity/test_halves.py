"""Two processes find what one finds, and nothing is lost when one of them is."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from sealstead.formats.profile_schema import ProfileLink
from sealstead.formats.proof_text import VerifiedProof
from sealstead.identity.halves import can_be_halved, in_halves
from sealstead.identity.outcomes import Outcome, Result

AT = datetime(2026, 11, 21, 12, 30, 15, 5, tzinfo=UTC)
LINKS = [ProfileLink(kind="website", label="", url=f"https://a.example/{number}") for number in range(7)]
HERE = os.getpid()


@pytest.fixture(autouse=True)
def _threads_of_the_tests() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


def found(link: ProfileLink) -> Result:
    proof = VerifiedProof(form="full", key_id="AB", issued_at=AT, expires_at=AT.replace(year=2027))
    plain = Result(link=link, outcome=Outcome.REFUSED, steps=("a", "ä\ud800"))
    full = Result(
        link, Outcome.VERIFIED, "page", "signature", proof, AT, True, True, ("s",), frozenset({"x", "y"})
    )
    return full if int(link.url[-1]) % 3 else plain


def check(links: Sequence[ProfileLink]) -> list[Result]:
    return [found(link) for link in links]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_result_is_that_of_one_process(count: int) -> None:
    assert in_halves(LINKS[:count], check) == check(LINKS[:count])


def test_each_looks_at_its_own() -> None:
    mine: list[ProfileLink] = []

    def noting(links: Sequence[ProfileLink]) -> list[Result]:
        mine.extend(links)
        return check(links)

    in_halves(LINKS, noting)
    assert mine == LINKS[::2]


@pytest.mark.parametrize("end", [KeyboardInterrupt, ZeroDivisionError, None])
def test_what_the_other_does_not_tell_is_looked_at_here(end: type[BaseException] | None) -> None:
    def dies(links: Sequence[ProfileLink]) -> list[Result]:
        if os.getpid() != HERE:
            if end is None:
                os.kill(os.getpid(), 9)
            else:
                raise end
        return check(links)

    assert in_halves(LINKS, dies) == check(LINKS)


def test_nothing_is_lost_where_whoever_started_us_ignores_the_end_of_processes() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert in_halves(LINKS, check) == check(LINKS)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_few_claims_are_not_worth_it() -> None:
    assert not can_be_halved(LINKS)
