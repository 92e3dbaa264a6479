"""Upload tokens against pymacaroons and pypitoken, both ways: reading, writing, narrowing, judging."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymacaroons
import pypitoken
import pytest
from tests.vectors.macaroon import generate

from sealstead.errors import SealsteadError
from sealstead.formats.caveat_json import parse_caveat, serialize_caveat
from sealstead.formats.caveats import AccessContext, check_caveats
from sealstead.formats.macaroon import (
    SignatureMismatchError,
    add_caveat,
    mint,
    serialize_macaroon,
    verify_macaroon,
)
from sealstead.formats.token_text import parse_token, serialize_token

pytestmark = pytest.mark.interop

VECTORS = Path(__file__).parents[1] / "vectors" / "macaroon"
GOOD = json.loads((VECTORS / "good.json").read_text(encoding="utf-8"))
REFUSED = json.loads((VECTORS / "refused.json").read_text(encoding="utf-8"))
ROOT_KEY = generate.ROOT_KEY
USER = generate.USER_ID


def case_name(case: dict[str, Any]) -> str:
    return f"{case.get('maker', '')} {case['name']}".strip()


@pytest.mark.parametrize("name", ["good.json", "refused.json"])
def test_the_vectors_are_what_those_programs_make(name: str) -> None:
    assert (VECTORS / name).read_text(encoding="utf-8") == generate.documents()[name]


@pytest.mark.parametrize("case", GOOD, ids=case_name)
def test_theirs_are_read_verified_and_made_alike(case: dict[str, Any]) -> None:
    macaroon = parse_token(case["token"])
    assert (macaroon.location or b"").decode() == case["location"]
    assert macaroon.identifier.decode() == case["identifier"]
    assert [caveat.decode() for caveat in macaroon.caveats] == case["caveats"]
    verify_macaroon(macaroon, bytes.fromhex(case["root_key_hex"]))
    with pytest.raises(SignatureMismatchError):
        verify_macaroon(macaroon, bytes(32))
    made = mint(
        bytes.fromhex(case["root_key_hex"]),
        location=case["location"].encode(),
        identifier=case["identifier"].encode(),
        caveats=[caveat.encode() for caveat in case["caveats"]],
    )
    assert serialize_token(made) == case["token"]


@pytest.mark.parametrize("case", REFUSED, ids=case_name)
def test_theirs_that_we_refuse_on_purpose(case: dict[str, str]) -> None:
    pymacaroons.Macaroon.deserialize(case["token"].partition("-")[2])
    with pytest.raises(SealsteadError) as refusal:
        parse_token(case["token"])
    assert refusal.value.code == case["kind"]


@pytest.mark.parametrize("sizes", [(), (0,), (127,), (128, 1), (16_383,), (16_384,), (5,) * 60])
@pytest.mark.parametrize("location", [None, b"", b"packages.example"])
def test_ours_are_read_and_verified_by_theirs(sizes: tuple[int, ...], location: bytes | None) -> None:
    caveats = [b"c" * size for size in sizes]
    ours = mint(ROOT_KEY, location=location, identifier=b"some id", caveats=caveats)
    theirs = pymacaroons.Macaroon.deserialize(serialize_token(ours).partition("-")[2])
    assert theirs.identifier_bytes == b"some id"
    verifier = pymacaroons.Verifier()
    verifier.satisfy_general(lambda _caveat: True)
    assert verifier.verify(theirs, ROOT_KEY)
    with pytest.raises(pymacaroons.exceptions.MacaroonInvalidSignatureException):
        verifier.verify(theirs, bytes(32))


def test_each_narrows_the_others() -> None:
    ours = mint(ROOT_KEY, location=b"pkg.test", identifier=b"id", caveats=[b"one"])
    theirs = pymacaroons.Macaroon.deserialize(serialize_token(ours).partition("-")[2])
    theirs.add_first_party_caveat("two")
    back = add_caveat(parse_token(f"pypi-{theirs.serialize()}"), b"three")
    verify_macaroon(back, ROOT_KEY)
    whole = mint(ROOT_KEY, location=b"pkg.test", identifier=b"id", caveats=[b"one", b"two", b"three"])
    assert serialize_macaroon(back) == serialize_macaroon(whole)


CONTEXTS = [
    {"now": now, "project_name": name, "project_id": project_id, "user_id": user}
    for now, name, project_id, user in itertools.product(
        (0, 1, 999_999_999, 1_000_000_000, 1_999_999_999, 2_000_000_000),
        ("demo-lib", "other", "project-19", "foreign"),
        (generate.PROJECT_ID, USER),
        (USER, generate.PROJECT_ID),
    )
]


@pytest.mark.parametrize("name", generate.RESTRICTIONS)
def test_same_verdict_as_pypitoken_on_a_token_that_it_narrowed(name: str) -> None:
    """Every restriction it knows, in 96 situations, over both edges of the times."""
    ours = mint(ROOT_KEY, location=b"pkg.test", identifier=generate.IDENTIFIER.encode())
    token = pypitoken.Token.load(serialize_token(ours)).restrict(**generate.RESTRICTIONS[name])
    verdicts = {_their_verdict(token, facts) for facts in CONTEXTS}
    for facts in CONTEXTS:
        assert _our_verdict(token.dump(), facts) == _their_verdict(token, facts), facts
    assert verdicts == ({True} if name == "legacy user" else {True, False}), "the situations must tell apart"


@pytest.mark.parametrize(
    "caveat",
    [
        (0, 2_000_000_000, 1_000_000_000),
        (1, ["demo-lib", "other"]),
        (2, [generate.PROJECT_ID]),
        (3, USER),
    ],
)
def test_same_verdict_as_pypitoken_on_a_token_that_we_narrowed(caveat: tuple[object, ...]) -> None:
    ours = mint(ROOT_KEY, location=b"pkg.test", identifier=b"id", caveats=[serialize_caveat(*caveat)])
    token = pypitoken.Token.load(serialize_token(ours))
    for facts in CONTEXTS:
        assert _our_verdict(token.dump(), facts) == _their_verdict(token, facts), facts


def _their_verdict(token: pypitoken.Token, facts: dict[str, Any]) -> bool:
    try:
        token.check(key=ROOT_KEY, **facts)
    except (pypitoken.ValidationError, ValueError):
        # pypitoken 7.1.1 unpacks a list of one error, and trips when two caveats are not met.
        return False
    return True


def _our_verdict(text: str, facts: dict[str, Any]) -> bool:
    macaroon = parse_token(text)
    verify_macaroon(macaroon, ROOT_KEY)
    context = AccessContext(**{**facts, "now": datetime.fromtimestamp(facts["now"], UTC)})
    try:
        check_caveats(
            [parse_caveat(caveat, token_owner=facts["user_id"]) for caveat in macaroon.caveats], context
        )
    except SealsteadError:
        return False
    return True
