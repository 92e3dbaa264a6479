"""Check all claims of a profile at the same time, and remember when each was last good."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sealstead.at_once import at_once
from sealstead.errors import VerificationError
from sealstead.formats.minisign import PublicKey
from sealstead.formats.profile_schema import Profile, ProfileLink
from sealstead.identity.cache_file import write_cache
from sealstead.identity.claim import Verifier
from sealstead.identity.halves import can_be_halved, in_halves
from sealstead.identity.outcomes import Outcome, Result
from sealstead.identity.statements import Believed, believed, find_revocation, known_keys, profile_key

_MOST_REMEMBERED = 10_000


class NoPublicKeyError(VerificationError):
    """A profile names no public key, so nothing it claims can be checked."""

    code = "no-public-key"


def trusted_keys(profile: Profile, at: datetime) -> tuple[list[Believed], dict[PublicKey, str]]:
    """Return the keys whose proofs count at `at`, with their ends, and those of this profile that do not, and why.

    Raises:
        NoPublicKeyError: the profile names none.
    """
    trusted = believed(profile, at)
    keys = [each.key for each in trusted]
    former: dict[PublicKey, str] = {}
    for key in known_keys(profile):
        if key in keys:
            continue
        revocation = find_revocation(profile, key, at)
        former[key] = (
            f"revoked on {revocation.revoked_at:%Y-%m-%d}" if revocation else "which has been replaced"
        )
    if not keys:
        if profile.verification.public_key.strip() and profile_key(profile) is None:
            raise NoPublicKeyError(
                "what the profile names as its public_key is none",
                hint="pypi-profile validate says where and why",
            )
        why = "; ".join(f"key {key.id} was {why}" for key, why in former.items() if why.startswith("revoked"))
        raise NoPublicKeyError(
            f"the profile has no public key that counts{': ' + why if why else ''}",
            hint="pypi-profile key-rotate gives the profile another key"
            if why
            else "pypi-profile keygen makes a key and writes it into the profile",
        )
    return trusted, former


def verify_claims(verifier: Verifier, links: Sequence[ProfileLink], *, jobs: int) -> list[Result]:
    """Return what becomes of each claim, in the order of `links`."""
    if can_be_halved(links):
        verifier.pages.share(2)
        results = in_halves(links, partial(_check, verifier, jobs=(jobs + 1) // 2))
    else:
        results = _check(verifier, links, jobs=jobs)
    signed = {_page(each.link.url) for each in results if each.outcome is Outcome.VERIFIED and each.proof}
    return [_with_link_back(each, signed) for each in results]


def _check(verifier: Verifier, links: Sequence[ProfileLink], *, jobs: int) -> list[Result]:
    return at_once([partial(verifier.check, link) for link in links], jobs=jobs, gradually=True)


def expires_within(results: Iterable[Result], at: datetime, window: timedelta) -> list[Result]:
    """Return the verified claims whose proof ends within `window`, or the retiring key that made it."""
    return [each for each in results if each.ends_at is not None and each.ends_at <= at + window]


def _with_link_back(result: Result, signed: set[str]) -> Result:
    """Count a rel=me link that leads to a page of this profile which is verified by signature.

    Nothing less will do: a page that says "I am user ada of the index" says nothing about who wrote this profile, and
    anybody can write ada's name into one.
    """
    # A proof for another page, beside the link, says nothing against this one.
    open_to_links = result.outcome is Outcome.MISSING or (
        result.outcome is Outcome.INVALID and not result.contradicted
    )
    if not open_to_links or not result.me_links:
        return result
    back = next((link for link in sorted(result.me_links) if _page(link) in signed), None)
    if back is None:
        step = "no link with rel=me leads to a page of this profile whose proof is verified"
        return result._replace(steps=(*result.steps, step))
    step = f"a link with rel=me leads back to {back}, whose proof is verified"
    return result._replace(outcome=Outcome.VERIFIED, by="link", steps=(*result.steps, step))


def _page(url: str) -> str:
    """Return a URL without what does not change the page: a fragment, a slash at its end."""
    return url.partition("#")[0].rstrip("/") if "/#/" not in url else url


class LastGood(NamedTuple):
    """When claims were last verified, in a file of this user's cache: a page that is down now was fine then."""

    path: Path

    def load(self, verifier: Verifier) -> dict[str, datetime]:
        """Return the moment by URL. A file that is missing or broken is an empty one."""
        found: dict[str, datetime] = {}
        for name, moment in self._entries().items():
            url = name.removeprefix(_owner(verifier))
            if url != name:
                try:
                    found[url] = datetime.fromisoformat(moment).astimezone(UTC)
                except ValueError:
                    continue
        return found

    def save(self, verifier: Verifier, results: Iterable[Result]) -> None:
        """Remember what is verified now.

        Raises:
            OSError: the directory cannot be written.
        """
        good = [each.link.url for each in results if each.outcome is Outcome.VERIFIED]
        if not good:
            return
        entries = {**self._entries()}
        for url in good:
            entries.pop(_owner(verifier) + url, None)  # so that the newest stand last
            entries[_owner(verifier) + url] = verifier.at.isoformat(timespec="seconds")
        newest = dict(list(entries.items())[-_MOST_REMEMBERED:])
        text = json.dumps({"version": 1, "verified": newest}, ensure_ascii=False)
        write_cache(self.path, text.encode("utf-8", "replace"))

    def _entries(self) -> Mapping[str, str]:
        try:
            stored = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        entries = stored.get("verified") if isinstance(stored, dict) else None
        if not isinstance(entries, dict):
            return {}
        return {name: moment for name, moment in entries.items() if isinstance(moment, str)}


def _owner(verifier: Verifier) -> str:
    return f"{verifier.username} {verifier.package} "
