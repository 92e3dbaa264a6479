"""Time-stamp authorities asked in turn, with what goes wrong at each."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.fakes.clock import FakeClock
from tests.tsa import Tsa, serving

from sealstead.clock import SystemClock
from sealstead.codesign.stamper import Stamper
from sealstead.errors import SealsteadError
from sealstead.formats.tsp import check_answers, parse_token
from sealstead.net.tsa import Authorities, NoAuthorityError, NoTimestampError

SIGNATURE = b"the value of a signature"


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tsa]:
    with serving(tmp_path_factory.mktemp("tsa")) as running:
        yield running


def patient_with_the_last(made: Stamper) -> Stamper:
    """Who answers as it should has the time for it: it starts a program for each answer."""
    made.authorities._clients[-1]._seconds = 60
    return made


def stamper(
    tsa: Tsa, *paths: str, algorithm: str = "SHA256", seconds: float = 60, retries: int = 0
) -> Stamper:
    urls = [f"{tsa.url}/{path}" for path in paths]
    authorities = Authorities(urls, seconds=seconds, retries=retries, pause=lambda _: None)
    return Stamper(authorities, algorithm=algorithm, clock=SystemClock())


@pytest.mark.parametrize(
    ("algorithm", "path"), [("SHA256", ""), ("SHA384", ""), ("SHA512", ""), ("SHA256", "granted-with-mods")]
)
def test_a_time_stamp_is_of_the_signature(tsa: Tsa, algorithm: str, path: str) -> None:
    stamp = stamper(tsa, path, algorithm=algorithm).stamp(SIGNATURE)
    token = parse_token(stamp.token)
    check_answers(token, alg=algorithm, imprint=hashlib.new(algorithm, SIGNATURE).digest())
    assert abs(stamp.at - datetime.now(UTC)) < timedelta(minutes=10)


WRONG = {
    "500": "it answers 500",
    "429": "it answers 429",
    "503": "it answers 503",
    "html": "it answers with text/html",
    "garbage": "",
    "empty": "",
    "huge": "more than 262144 bytes",
    "rejection": "gave no time-stamp",
    "wrong-nonce": "answers another request",
    "wrong-imprint": "of something else",
    "expired": "was not valid",
    "broken": "does not fit the key",
    "truncated": "",
    "huge-length": "reaches beyond",
    "longer-length": "length that cannot be",
    "other-algorithm": "of something else",
    "no-usage": "is not for time-stamps",
    "code-signing": "is not for time-stamps",
    "usage-not-critical": "is not for time-stamps",
    "endless": "more than 262144 bytes",
    "gzip-bomb": "more than 262144 bytes",
    "to-a-file": "sends its visitors elsewhere: file:///etc/passwd",
    "to-a-neighbour": "sends its visitors elsewhere: http://169.254.169.254/",
    "to-itself": "sends its visitors elsewhere",
    "trickle": "no complete answer within 0.3 seconds",
}


@pytest.mark.parametrize(("mode", "told"), WRONG.items())
def test_what_an_authority_gets_wrong_is_told_and_the_next_one_is_asked(
    tsa: Tsa, mode: str, told: str
) -> None:
    seconds = 0.3 if mode == "trickle" else 60
    with pytest.raises(NoTimestampError) as caught:
        stamper(tsa, mode, seconds=seconds).stamp(SIGNATURE)
    assert caught.value.message.count(f"{tsa.url}/{mode}") == 1
    assert told in caught.value.message
    said: list[str] = []
    both = patient_with_the_last(stamper(tsa, mode, "", seconds=seconds))
    both.authorities.told = said.append
    assert both.stamp(SIGNATURE).token
    assert [line for line in said if told in line]


def test_an_answer_is_not_taken_twice(tsa: Tsa) -> None:
    replaying = stamper(tsa, "replay")
    replaying.stamp(SIGNATURE)
    with pytest.raises(NoTimestampError, match="answers another request"):
        replaying.stamp(SIGNATURE)


def test_a_slow_or_missing_authority_costs_its_time_once(tsa: Tsa) -> None:
    before = tsa.requests["slow"]
    both = patient_with_the_last(stamper(tsa, "slow", "", seconds=0.3))
    for _ in range(3):
        assert both.stamp(SIGNATURE).token
    assert tsa.asked("slow", before + 1)
    assert tsa.requests["slow"] == before + 1
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and answers nobody
        gone = Authorities([f"http://127.0.0.1:{bound.getsockname()[1]}"], retries=0)
        with pytest.raises(NoTimestampError, match="cannot be reached"):
            gone.ask(b"", lambda answer: answer)


@pytest.mark.parametrize(("mode", "asked"), [("429", 3), ("503", 3), ("500", 1)])
def test_only_later_is_asked_again(tsa: Tsa, mode: str, asked: int) -> None:
    before = tsa.requests[mode]
    with pytest.raises(NoTimestampError):
        stamper(tsa, mode, retries=2).stamp(SIGNATURE)
    assert tsa.requests[mode] == before + asked


def test_an_authority_says_when_to_come_back(tsa: Tsa) -> None:
    pauses: list[float] = []
    soon = Authorities([f"{tsa.url}/429-7"], retries=1, pause=pauses.append)
    with pytest.raises(NoTimestampError, match="it answers 429"):
        soon.ask(b"", lambda answer: answer)
    assert pauses == [7]
    # Nobody waits an hour while another one may answer at once.
    both = Authorities([f"{tsa.url}/429-3600", tsa.url], retries=2, pause=pauses.append)
    assert Stamper(both, algorithm="SHA256", clock=SystemClock()).stamp(SIGNATURE).token
    assert (pauses, tsa.requests["429-3600"]) == ([7], 1)


def test_a_clock_far_from_ours_is_not_believed(tsa: Tsa) -> None:
    clock = FakeClock(datetime.now(UTC) + timedelta(days=2))
    wrong = Stamper(Authorities([tsa.url]), algorithm="SHA256", clock=clock)
    with pytest.raises(NoTimestampError, match="it is not so here"):
        wrong.stamp(SIGNATURE)


@pytest.mark.parametrize("urls", [["ftp://tsa.example"], ["tsa.example"], ["http://a b"], []])
def test_addresses(urls: list[str]) -> None:
    with pytest.raises(SealsteadError) as caught:
        Authorities(urls)
    assert caught.value.code in ("server-address", NoAuthorityError.code)


def test_plain_http_is_good_enough() -> None:
    Authorities(["http://tsa.example.org/path"])
