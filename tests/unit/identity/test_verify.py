from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.proofs import KEY, NOW, make_key, sign, verifier
from tests.fakes.web import Request, Web, answer, start_web

from sealstead.formats.profile_schema import Profile, ProfileLink, Verification
from sealstead.formats.statement import Reason, make_revocation, make_rotation
from sealstead.identity.outcomes import Outcome, Result
from sealstead.identity.statements import Believed
from sealstead.identity.verify import (
    LastGood,
    NoPublicKeyError,
    expires_within,
    trusted_keys,
    verify_claims,
)

OTHER = make_key(2)
HOME = "http://ada.example/"


@pytest.fixture
def web() -> Iterator[Web]:
    with start_web() as web:
        yield web


def link(url: str, *, rel_me: bool = False, kind: str = "website") -> ProfileLink:
    return ProfileLink(kind=kind, label="", url=url, rel_me=rel_me)


def outcomes(results: list[Result]) -> list[Outcome]:
    return [each.outcome for each in results]


def test_results_stand_in_the_order_of_the_claims(web: Web) -> None:
    links = [link(f"http://ada.example/{number}") for number in range(40)]
    for each in links[::2]:
        web[each.url] = answer(sign(each.url))
    results = verify_claims(verifier(web), links, jobs=8)
    assert [each.link for each in results] == links
    assert outcomes(results) == [Outcome.VERIFIED, Outcome.MISSING] * 20


def test_claims_are_checked_at_the_same_time(web: Web) -> None:
    """Each of these pages answers only when all of them have been asked for."""
    together = threading.Barrier(4, timeout=60)

    def waits(request: Request, _: object) -> bytes:
        together.wait()
        return answer(sign(request.url))

    links = [link(f"http://{number}.example/") for number in range(4)]
    for each in links:
        web[each.url] = waits
    assert outcomes(verify_claims(verifier(web), links, jobs=4)) == [Outcome.VERIFIED] * 4


def test_nothing_to_check(web: Web) -> None:
    assert verify_claims(verifier(web), [], jobs=4) == []


def test_a_mistake_of_ours_leaves_the_other_claims(web: Web) -> None:
    good = web.pages()

    class Broken:
        def fetch(self, url: str, **more: Any) -> Any:
            if "bad" in url:
                raise AttributeError("ours")
            return good.fetch(url, **more)

    web[HOME] = answer(sign(HOME))
    results = verify_claims(verifier(web, pages=Broken()), [link(f"{HOME}bad"), link(HOME)], jobs=2)
    assert outcomes(results) == [Outcome.UNREACHABLE, Outcome.VERIFIED]


def test_a_link_back_to_a_page_that_is_verified(web: Web) -> None:
    blog = "http://blog.example/"
    web[HOME] = answer(sign(HOME))
    web[blog] = answer('<a rel="me" href="http://ada.example">home</a>')
    results = verify_claims(verifier(web), [link(blog, rel_me=True), link(HOME)], jobs=2)
    assert outcomes(results) == [Outcome.VERIFIED, Outcome.VERIFIED]
    assert [each.by for each in results] == ["link", "signature"]
    assert results[0].proof is None


@pytest.mark.parametrize(
    "target", ["https://index.example/user/ada/", "https://index.example/project/pypi-profile-ada/"]
)
def test_a_link_back_to_a_name_that_anybody_can_claim(target: str, web: Web) -> None:
    """The profile of a stranger who calls herself ada names ada's page, which leads to ada's own account."""
    web[HOME] = answer(f'<a rel="me" href="{target}">me</a>')
    results = verify_claims(verifier(web), [link(HOME, rel_me=True), link(target, kind="pypi")], jobs=1)
    assert results[0].outcome is Outcome.MISSING


def test_links_do_not_carry_each_other(web: Web) -> None:
    """Two pages that lead to each other, and neither has a proof."""
    one, two = "http://one.example/", "http://two.example/"
    web[one] = answer(f'<a rel="me" href="{two}">')
    web[two] = answer(f'<a rel="me" href="{one}">')
    results = verify_claims(verifier(web), [link(one, rel_me=True), link(two, kind="rel-me")], jobs=2)
    assert outcomes(results) == [Outcome.MISSING] * 2


def test_a_link_back_does_not_make_up_for_a_bad_proof(web: Web) -> None:
    blog = "http://blog.example/"
    web[HOME] = answer(sign(HOME))
    web[blog] = answer(f'<a rel="me" href="{HOME}">home</a> {sign(blog, key=OTHER)}')
    assert outcomes(verify_claims(verifier(web), [link(blog, rel_me=True), link(HOME)], jobs=1)) == [
        Outcome.INVALID,
        Outcome.VERIFIED,
    ]


def test_a_link_back_beside_a_proof_for_another_page(web: Web) -> None:
    blog = "http://blog.example/"
    web[HOME] = answer(sign(HOME))
    web[blog] = answer(f'<a rel="me" href="{HOME}">home</a> {sign(HOME)}')
    results = verify_claims(verifier(web), [link(blog, rel_me=True), link(HOME)], jobs=1)
    assert outcomes(results) == [Outcome.VERIFIED] * 2


def test_links_count_only_where_the_profile_says_so(web: Web) -> None:
    blog = "http://blog.example/"
    web[HOME] = answer(sign(HOME))
    web[blog] = answer(f'<a rel="me" href="{HOME}">home</a>')
    assert verify_claims(verifier(web), [link(blog), link(HOME)], jobs=1)[0].outcome is Outcome.MISSING


def test_what_ends_soon(web: Web) -> None:
    web[HOME] = answer(sign(HOME, at=NOW, lasts=timedelta(days=30)))
    results = verify_claims(verifier(web), [link(HOME)], jobs=1)
    assert expires_within(results, NOW, timedelta(days=30)) == results
    assert expires_within(results, NOW, timedelta(days=30) - timedelta(seconds=1)) == []


def profile(*statements: str, key: str = KEY.public.line) -> Profile:
    return Profile(verification=Verification(public_key=key, statements=statements))


def test_keys_that_count_and_keys_that_did() -> None:
    week = timedelta(days=7)
    rotation = make_rotation(OTHER, KEY, issued_at=NOW, retires_at=NOW + week)
    trusted = [Believed(KEY.public, None), Believed(OTHER.public, NOW + week)]
    assert trusted_keys(profile(rotation), NOW) == (trusted, {})
    keys, former = trusted_keys(profile(rotation), NOW + week)
    assert (keys, former) == (trusted[:1], {OTHER.public: "which has been replaced"})
    revocation = make_revocation(KEY, OTHER.public, issued_at=NOW, revoked_at=NOW, reason=Reason.COMPROMISED)
    assert trusted_keys(profile(rotation, revocation), NOW)[1] == {OTHER.public: "revoked on 2026-11-21"}


def test_a_profile_without_a_key_that_counts() -> None:
    with pytest.raises(NoPublicKeyError):
        trusted_keys(profile(key=""), NOW)
    with pytest.raises(NoPublicKeyError):
        trusted_keys(profile(key="nonsense"), NOW)
    own = make_revocation(KEY, KEY.public, issued_at=NOW, revoked_at=NOW, reason=Reason.COMPROMISED)
    with pytest.raises(NoPublicKeyError, match="revoked on 2026-11-21"):
        trusted_keys(profile(own), NOW)


def test_when_it_was_last_good(web: Web, tmp_path: Path) -> None:
    memory = LastGood(path=tmp_path / "cache" / "sealstead" / "verified.json")
    web[HOME] = answer(sign(HOME))
    before = verifier(web)
    assert memory.load(before) == {}
    memory.save(before, verify_claims(before, [link(HOME)], jobs=1))
    web[HOME] = answer(status=500)
    later = verifier(web, at=NOW + timedelta(days=1))
    memory.save(later, verify_claims(later, [link(HOME)], jobs=1))
    assert memory.load(later) == {HOME: NOW}
    assert memory.load(verifier(web, username="eve")) == {}
    if os.name == "posix":
        assert memory.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", b"[]", b'{"verified": 7}', b'{"verified": {"ada pypi-profile-ada x": "never"}}'],
)
def test_a_broken_memory_is_an_empty_one(content: bytes, web: Web, tmp_path: Path) -> None:
    memory = LastGood(path=tmp_path / "cache" / "verified.json")
    memory.path.parent.mkdir()
    memory.path.write_bytes(content)
    web[HOME] = answer(sign(HOME))
    here = verifier(web)
    assert memory.load(here) == {}
    memory.save(here, verify_claims(here, [link(HOME)], jobs=1))
    assert memory.load(here) == {HOME: NOW}
    assert json.loads(memory.path.read_bytes())["version"] == 1


def test_two_at_once_leave_a_whole_memory(web: Web, tmp_path: Path) -> None:
    memory = LastGood(path=tmp_path / "cache" / "verified.json")
    links = [link(f"http://ada.example/{number}") for number in range(20)]
    for each in links:
        web[each.url] = answer(sign(each.url))
    here = verifier(web)
    results = verify_claims(here, links, jobs=4)
    memory.save(here, results)
    left = memory.path.with_name(f".{memory.path.name}.{os.getpid()}.tmp")
    left.write_bytes(b"left behind by a crash")
    memory.save(here, results[:1])
    assert len(memory.load(here)) == 20
    assert [path.name for path in memory.path.parent.iterdir()] == [memory.path.name]
