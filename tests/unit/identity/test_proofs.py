from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.keys import key

from sealstead.durations import one_year_after
from sealstead.formats.profile_schema import Identity, Profile, ProfileLink
from sealstead.formats.proof_text import parse_proof
from sealstead.identity.proofs import (
    ClaimError,
    ExpiryError,
    Standing,
    check_stored,
    check_url,
    parse_expiry,
    sign_all,
    suggested_form,
)
from sealstead.identity.statements import Believed

AT = datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC)
KEY = key(1)


def link(url: str = "https://ada.example/", kind: str = "website", proof: str = "") -> ProfileLink:
    return ProfileLink(kind=kind, label="x", url=url, stored_proof=proof)


def profile(*links: ProfileLink, username: str = "ada") -> Profile:
    return Profile(identity=Identity(pypi_username=username), profiles=links)


@pytest.mark.parametrize(
    "url",
    [
        "https://ada.example/é?ü=🔑#x",
        "http://127.0.0.1:8000/",
        "dns:ada.example",
        "matrix:u/ada:x.example",
        "HTTPS://A",
    ],
)
def test_pages_and_names_can_be_claimed(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ada.example",
        "//ada.example",
        "javascript:alert(1)",
        "https://\uff47ithub.com/ada",  # is github.com
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https:ada.example",
        "https://user@ada.example/",
        "https://ada.example:99999/",
        "https://ada.example/ x",
        "https://ada.example/\n",
        "https://ada.example/\u202e",
        "dns:",
        "https://ada.example/" + "a" * 2000,
    ],
)
def test_other_things_cannot(url: str) -> None:
    with pytest.raises(ClaimError):
        check_url(url)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (None, datetime(2027, 11, 21, 12, 0, 5, tzinfo=UTC)),
        ("30d", AT + timedelta(days=30)),
        ("90", AT + timedelta(days=90)),
        ("2026-11-21", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2027-01-31T10:00:00Z", datetime(2027, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_ends_are_chosen(text: str | None, end: datetime) -> None:
    assert parse_expiry(text, AT) == end


@pytest.mark.parametrize("text", ["2026-11-20", "0d", "2027-02-30", "2026-11-21T12:00:05Z", "9999-12-31"])
def test_an_end_is_in_the_future(text: str) -> None:
    with pytest.raises(ExpiryError):
        parse_expiry(text, AT)


def test_a_year_after_a_leap_day() -> None:
    assert one_year_after(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2029, 2, 28, tzinfo=UTC)


def test_a_clock_before_1970_signs_and_the_proof_says_so() -> None:
    at = datetime(1969, 7, 20, tzinfo=UTC)
    tokens = sign_all(profile(link()), KEY, at=at, only=[0])
    assert parse_proof(tokens[0]).issued_at == at


def test_forms_follow_the_stored_proof_then_the_page() -> None:
    here = profile(
        link("https://github.com/ada", "github"), link("https://m.example/@ada", "mastodon"), link()
    )
    assert [suggested_form(each) for each in here.profiles] == ["full", "compact", "full"]
    tiny = "t:" + "A" * 86
    assert suggested_form(link(proof=tiny)) == "tiny"
    assert sign_all(profile(link(proof=tiny)), KEY, at=AT)[0].startswith("t:")


def test_by_default_all_that_are_stored_are_signed_again() -> None:
    here = profile(link(), link("https://b.example/", proof="lol"))
    assert list(sign_all(here, KEY, at=AT)) == [1]
    assert list(sign_all(here, KEY, at=AT, only=[0])) == [0]
    assert sign_all(profile(), KEY, at=AT) == {}


def test_one_bad_address_or_no_user_signs_nothing() -> None:
    with pytest.raises(ClaimError):
        sign_all(profile(link(), link("javascript:1")), KEY, at=AT, only=[0, 1])
    with pytest.raises(ClaimError):
        sign_all(profile(link(), username=""), KEY, at=AT, only=[0])


def test_standings() -> None:
    token = sign_all(profile(link()), KEY, at=AT, only=[0])[0]
    here = profile(link(proof=token))

    def standing(at: datetime, *numbers: int) -> Standing:
        keys = [Believed(key(number).public, None) for number in numbers]
        return check_stored(here, here.profiles[0], keys, at=at).standing

    assert standing(AT, 1) is Standing.GOOD
    assert standing(AT, 2, 1) is Standing.GOOD
    assert standing(AT, 2) is Standing.INVALID
    assert standing(AT) is Standing.INVALID
    assert standing(one_year_after(AT), 1) is Standing.EXPIRED
    assert standing(AT - timedelta(days=9), 1) is Standing.INVALID
    assert check_stored(profile(link()), link(), [], at=AT).standing is Standing.MISSING


def test_a_proof_ends_with_the_key_that_made_it() -> None:
    token = sign_all(profile(link()), KEY, at=AT, only=[0])[0]
    here = profile(link(proof=token))
    for retires, ends in (
        (None, one_year_after(AT)),
        (AT + timedelta(days=7), AT + timedelta(days=7)),
        (AT + timedelta(days=900), one_year_after(AT)),
    ):
        keys = [Believed(key(2).public, AT), Believed(KEY.public, retires)]
        assert check_stored(here, here.profiles[0], keys, at=AT).ends_at == ends
