from __future__ import annotations

import pytest

from sealstead.formats.profile_schema import (
    ContactMethod,
    Identity,
    Package,
    Principal,
    Profile,
    ProfileLink,
    Succession,
    SuccessionContact,
    Verification,
)
from sealstead.formats.profile_toml import parse_profile
from sealstead.formats.profile_write import serialize_profile

FULL = Profile(
    profile=Principal(kind="team", display_name='Ada "the" Ärzte \\ \n\x00'),
    identity=Identity(pypi_username="ada"),
    profiles=(
        ProfileLink(kind="a", label="b", url="https://x/", rel_me=True),
        ProfileLink(kind="", label="", url=""),
    ),
    contact_methods=(ContactMethod(kind="email", label="x", value="y", audience=("a", "b'")),),
    packages=(Package(name="engine", state="archived"),),
    succession=Succession(
        policy="ask", contacts=(SuccessionContact(name="Grace", scope=("all",)), SuccessionContact(name="x"))
    ),
    verification=Verification(public_key="K", statements=("a\nb",)),
)


@pytest.mark.parametrize(
    "profile", [FULL, Profile(), Profile(succession=Succession(contacts=FULL.succession.contacts))]
)
def test_what_is_written_is_read_back(profile: Profile) -> None:
    text = serialize_profile(
        profile, head=["one", "", "two"], notes={"profiles": ["here"], "humans": ["# there"]}
    )
    assert parse_profile(text.encode()) == (profile, [])


def test_only_what_says_something_is_written() -> None:
    assert serialize_profile(Profile()) == ""
    text = serialize_profile(
        Profile(identity=Identity(pypi_username="ada")),
        head=["Mine"],
        notes={"profiles": ["a page"], "verification": ["the key"]},
        always={"verification": ("public_key",), "profile": ("kind",)},
    )
    assert text == (
        '# Mine\n\n[profile]\nkind = "individual"\n\n[identity]\npypi_username = "ada"\n\n# a page\n\n'
        '# the key\n[verification]\npublic_key = ""\n'
    )
