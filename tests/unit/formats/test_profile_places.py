from __future__ import annotations

from sealstead.formats.profile_places import places_of


def test_places_are_found_by_the_names_that_messages_use() -> None:
    text = "[tool.x.identity]\nname = 1\n[[tool.x.profiles]]\nurl = 1\n[[tool.x.profiles]]\n  url = 2\n[profiles]\n"
    names = ("profiles[2].url", "profiles[2].gone", "profiles", "identity.name", "verification.public_key")
    assert places_of(text, names, table="tool.x") == {
        "profiles[2].url": (6, 3),
        "profiles[2].gone": (5, 1),
        "profiles": (3, 1),
        "identity.name": (2, 1),
    }
