"""Make the vectors in this directory with pymacaroons and pypitoken: `python -m tests.vectors.macaroon.generate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pymacaroons
import pypitoken

HERE = Path(__file__).parent
ROOT_KEY = bytes(range(32))
IDENTIFIER = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
PROJECT_ID = "9b2e6d4e-37f4-4f5b-8a57-1f0f6a4d9a11"
USER_ID = "00000000-0000-4000-8000-000000000007"

RESTRICTIONS: dict[str, dict[str, Any]] = {
    "expiry": {"not_before": 1_000_000_000, "not_after": 2_000_000_000},
    "one project by name": {"project_names": ["demo-lib"]},
    "one project by name and id": {"project_names": ["demo-lib"], "project_ids": [PROJECT_ID]},
    "twenty projects": {"project_names": [f"project-{number}" for number in range(20)]},
    "user": {"user_id": USER_ID},
    "everything": {
        "not_before": 1,
        "not_after": 2_000_000_000,
        "project_names": ["demo-lib", "other"],
        "project_ids": [PROJECT_ID],
        "user_id": USER_ID,
    },
    "legacy user": {"legacy_noop": True},
    "legacy project": {"legacy_project_names": ["demo-lib"]},
    "legacy expiry": {"legacy_not_before": 1_000_000_000, "legacy_not_after": 2_000_000_000},
}


def made_by_pymacaroons() -> list[dict[str, Any]]:
    cases = {
        "no caveat": ("pkg.test", IDENTIFIER, []),
        "empty location": ("", IDENTIFIER, []),
        "account scope": ("pkg.test", IDENTIFIER, [f'[3,"{USER_ID}"]']),
        "project scope": ("pkg.test", IDENTIFIER, ['[1,["demo-lib"]]', f'[2,["{PROJECT_ID}"]]']),
        "caveat of 127 bytes": ("pkg.test", "id", ["x" * 127]),
        "caveat of 128 bytes": ("pkg.test", "id", ["x" * 128]),
        "forty caveats": ("pkg.test", "id", [f"caveat {number}" for number in range(40)]),
        "caveat beyond ASCII": ("dépôt.example", "ïd", ["ça ☃"]),
    }
    made = []
    for name, (location, identifier, caveats) in cases.items():
        macaroon = pymacaroons.Macaroon(
            location=location, identifier=identifier, key=ROOT_KEY, version=pymacaroons.MACAROON_V2
        )
        for caveat in caveats:
            macaroon.add_first_party_caveat(caveat)
        made.append(_case(name, "pymacaroons", location, identifier, caveats, f"pypi-{macaroon.serialize()}"))
    return made


def made_by_pypitoken() -> list[dict[str, Any]]:
    made = []
    for name, restriction in RESTRICTIONS.items():
        token = pypitoken.Token.create(domain="pkg.test", identifier=IDENTIFIER, key=ROOT_KEY)
        token.restrict(**restriction)
        caveats = [one.dump_json() for one in token.restrictions]
        made.append(_case(name, "pypitoken", "pkg.test", IDENTIFIER, caveats, token.dump()))
    return made


def refused() -> list[dict[str, str]]:
    old = pymacaroons.Macaroon(location="pkg.test", identifier=IDENTIFIER, key=ROOT_KEY)
    return [
        {"name": "version 1", "token": f"pypi-{old.serialize()}", "kind": "macaroon-format"},
        {"name": "third-party caveat", "token": f"pypi-{_third_party()}", "kind": "macaroon-format"},
    ]


def _third_party() -> str:
    """Serialise a third-party caveat by hand: pymacaroons needs libnacl to make one, but not to write it."""
    macaroon = pymacaroons.Macaroon(
        location="pkg.test", identifier=IDENTIFIER, key=ROOT_KEY, version=pymacaroons.MACAROON_V2
    )
    caveat = pymacaroons.caveat.Caveat(
        caveat_id="third party", location="https://third.example", version=pymacaroons.MACAROON_V2
    )
    # Its setter takes text only, its writer bytes.
    caveat._verification_key_id = bytes(range(48))
    macaroon.caveats.append(caveat)
    serialized: str = macaroon.serialize()
    return serialized


def _case(
    name: str, maker: str, location: str, identifier: str, caveats: list[str], token: str
) -> dict[str, Any]:
    return {
        "name": name,
        "maker": maker,
        "root_key_hex": ROOT_KEY.hex(),
        "location": location,
        "identifier": identifier,
        "caveats": caveats,
        "token": token,
    }


def documents() -> dict[str, str]:
    """Return the text of each file."""
    good = made_by_pymacaroons() + made_by_pypitoken()
    return {
        name: json.dumps(cases, indent=1, ensure_ascii=False) + "\n"
        for name, cases in {"good.json": good, "refused.json": refused()}.items()
    }


if __name__ == "__main__":
    for file_name, text in documents().items():
        (HERE / file_name).write_text(text, encoding="utf-8")
