from __future__ import annotations

import json

import pytest

from sealstead.formats.json_resume import ResumeError, parse_resume

RESUME = {
    "basics": {
        "name": "Ada Lovelace",
        "label": "Engineer",
        "email": "ada@example.org",
        "url": "https://ada.example",
        "location": {"city": "London", "countryCode": "GB"},
        "profiles": [
            {"network": "Git Hub", "username": "ada", "url": "https://github.com/ada"},
            {"network": "Twitter", "username": "ada"},
            {"network": "again", "url": "https://ada.example"},
            "nonsense",
        ],
    },
    "work": [
        {"name": "Analytical", "position": "Chief", "startDate": "1842", "summary": "notes\n on  it"},
        {"company": "Older"},
        {"position": "nowhere"},
    ],
    "projects": [{"name": "Engine", "description": "mill", "url": "https://engine.example"}, {}],
    "unknown": 1,
}


def test_a_resume_becomes_a_profile() -> None:
    profile = parse_resume(json.dumps(RESUME).encode(), source="r.json")
    assert (profile.profile.display_name, profile.profile.summary) == ("Ada Lovelace", "Engineer")
    assert profile.identity.location == "London, GB"
    assert [(link.kind, link.url) for link in profile.profiles] == [
        ("website", "https://ada.example"),
        ("git-hub", "https://github.com/ada"),
    ]
    assert [(row.organization, row.title, row.summary) for row in profile.work_experience] == [
        ("Analytical", "Chief", "notes on it"),
        ("Older", "", ""),
    ]
    assert [row.name for row in profile.projects] == ["Engine"]
    assert [contact.value for contact in profile.contact_methods] == ["ada@example.org"]


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b'{"basics": {},\n "x": }', "r.json:2:7: not JSON"),
        (b"\xff", "r.json:1: not UTF-8"),
        (b"[]", "no JSON Resume"),
        (b'{"basics": 3}', "no JSON Resume"),
        (b"[" * 100_000, "r.json"),
        (b"", "r.json:1:1: not JSON"),
        (b" " * 5_000_000, "too large"),
    ],
)
def test_what_is_no_resume_is_refused(data: bytes, fact: str) -> None:
    with pytest.raises(ResumeError, match=fact):
        parse_resume(data, source="r.json")


def test_odd_values_are_left_out() -> None:
    odd = {"basics": {"name": 3, "location": [], "profiles": 7, "url": None}, "work": {}, "projects": [1]}
    profile = parse_resume(json.dumps(odd).encode(), source="r.json")
    assert (profile.profile.display_name, profile.profiles, profile.projects) == ("", (), ())
