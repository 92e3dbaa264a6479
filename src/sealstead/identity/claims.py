"""What the world says about a profile's packages and accounts: facts to compare with, not proofs.

Answers are kept for an hour in this user's cache; failures are not, so that the next try asks again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sealstead.at_once import at_once
from sealstead.errors import InputError, UpstreamError
from sealstead.formats.profile_schema import Package, Profile, ProfileLink
from sealstead.identity.cache_file import write_cache
from sealstead.identity.evidence import NotJsonError, parse_json, values_at
from sealstead.identity.looking import Looking, told
from sealstead.identity.outcomes import understood
from sealstead.identity.provider_index import INDEX, package_url, parse_roles, roles_question, roles_url
from sealstead.identity.providers import PATH_VALUE, Match, Place, choose
from sealstead.net.pages import PageFetcher

FRESH = timedelta(hours=1)
_MOST_KEPT = 2000
_PACKAGE_FACTS = ("summary", "version", "author", "home_page", "project_url", "requires_python")


class Question(NamedTuple):
    """One thing to ask."""

    name: str
    about: str
    """`roles`, `package` or `account`."""
    url: str
    ask: Callable[[PageFetcher], Any]
    """Returns the facts; raises UpstreamError or InputError."""


class Failure(NamedTuple):
    name: str
    url: str
    reason: str


class Found(NamedTuple):
    facts: Mapping[str, Any]
    """By the name of the question."""
    failures: tuple[Failure, ...]
    kept: frozenset[str]
    """The names of what came from the cache."""
    fresh: Mapping[str, Any]
    """What did not, by its name in the cache."""


class NoAnswerError(UpstreamError):
    """A site answered, but not what was asked for."""

    code = "no-answer"


def questions(profile: Profile, *, index: str = INDEX) -> list[Question]:
    """Return what there is to ask about a profile, each thing once."""
    index = index.rstrip("/")
    found = []
    user = profile.identity.pypi_username
    if user and _is_plain(user):
        found.append(Question(f"user {user}", "roles", roles_url(index), partial(_roles, index, user)))
    found += [
        Question(
            f"package {each.name}",
            "package",
            package_url(index, each.name),
            partial(_package, index, each.name),
        )
        for each in profile.packages
        if _is_plain(each.name)
    ]
    for link in profile.profiles:
        match = _with_facts(link)
        if match is not None:
            found.append(Question(f"account {link.url}", "account", link.url, partial(_account, link, match)))
    return list({each.name: each for each in found}.values())


def ask_all(asked: list[Question], pages: PageFetcher, kept: Mapping[str, Any], *, jobs: int) -> Found:
    """Return the answers, from what the cache has `kept` where it holds them."""
    todo = [each for each in asked if _key(each) not in kept]
    answers = at_once([partial(_answer, each, pages) for each in todo], jobs=jobs, gradually=True)
    fresh = {
        each.name: answer
        for each, answer in zip(todo, answers, strict=True)
        if not isinstance(answer, Failure)
    }
    held = {each.name: kept[_key(each)] for each in asked if _key(each) in kept}
    return Found(
        {
            each.name: {**held, **fresh}[each.name]
            for each in asked
            if each.name in held or each.name in fresh
        },
        tuple(answer for answer in answers if isinstance(answer, Failure)),
        frozenset(held),
        {_key(each): fresh[each.name] for each in todo if each.name in fresh},
    )


def compare_package(package: Package, profile: Profile, found: Found) -> dict[str, str]:
    """Return whether the index says of a package what the profile says."""
    user = profile.identity.pypi_username
    facts = found.facts.get(f"package {package.name}")
    roles = found.facts.get(f"user {user}")
    stated = [str(name).lower() for name in (facts or {}).get("maintainers", [])]
    if facts is None:
        status, note = "no_data", "the index did not answer"
    elif facts.get("missing"):
        status, note = "not_found", "the index knows no such package"
    elif user and (user.lower() in stated or _has_role(roles, package.name)):
        status, note = "confirmed", f"the index names {user} as one of those who maintain it"
    elif user and (stated or roles is not None):
        status, note = "not_found", f"the index does not name {user} as one of those who maintain it"
    else:
        status, note = "unverified", "the index does not say who maintains it"
    return {
        "name": package.name,
        "asserted_role": package.role,
        "status": status,
        "note": note,
        "pypi_summary": str((facts or {}).get("summary") or ""),
        "pypi_version": str((facts or {}).get("version") or ""),
    }


class Cache(NamedTuple):
    """Answers and when they were given, in a file of this user's cache."""

    path: Path

    def load(self, at: datetime) -> dict[str, Any]:
        """Return what is not older than an hour at `at`. A file that is missing or broken is an empty one."""
        return {
            key: entry["value"]
            for key, entry in self._entries().items()
            if at - FRESH < datetime.fromtimestamp(entry["at"], UTC) <= at
        }

    def save(self, answers: Mapping[str, Any], at: datetime) -> None:
        """Keep `answers`.

        Raises:
            OSError: the directory cannot be written.
        """
        if not answers:
            return
        entries = {
            **self._entries(),
            **{key: {"at": at.timestamp(), "value": answers[key]} for key in answers},
        }
        newest = dict(sorted(entries.items(), key=lambda entry: float(entry[1]["at"]))[-_MOST_KEPT:])
        text = json.dumps({"version": 1, "answers": newest}, ensure_ascii=False)
        write_cache(self.path, text.encode("utf-8", "replace"))

    def _entries(self) -> dict[str, dict[str, Any]]:
        try:
            stored = parse_json(self.path.read_bytes())
            entries = stored["answers"]
            return {
                key: {"at": float(entry["at"]), "value": entry["value"]}
                for key, entry in entries.items()
                if 0 <= float(entry["at"]) < 253_402_300_800  # noqa: PLR2004 - the year 10000
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, NotJsonError):
            return {}


def _key(question: Question) -> str:
    return f"{question.name} {question.url}"


def _answer(question: Question, pages: PageFetcher) -> Any:  # noqa: ANN401 - facts, or a Failure
    try:
        return question.ask(pages)
    except (UpstreamError, InputError) as exc:
        return Failure(question.name, question.url, told(exc))
    except Exception as exc:  # noqa: BLE001 - whatever one answer brings about, the others are told
        mistake = f"unexpected {type(exc).__name__}: this is a mistake in Sealstead"
        return Failure(question.name, question.url, mistake)


def _roles(index: str, user: str, pages: PageFetcher) -> list[dict[str, str]]:
    url = roles_url(index)
    page = pages.fetch(
        url, accept="text/xml", headers={"Content-Type": "text/xml"}, body=roles_question(user)
    )
    outcome, said = understood(page, url)
    if outcome is not None or b"<methodResponse" not in page.body or b"<fault" in page.body:
        raise NoAnswerError(said)
    return [{"name": each.name, "role": each.role} for each in parse_roles(page.body)]


def _package(index: str, name: str, pages: PageFetcher) -> dict[str, Any]:
    url = package_url(index, name)
    page = pages.fetch(url, accept="application/json")
    if page.status == 404:  # noqa: PLR2004 - said by the index about a name, so it is an answer
        return {"name": name, "missing": True}
    outcome, said = understood(page, url)
    if outcome is not None:
        raise NoAnswerError(said)
    try:
        value = parse_json(page.body)
    except NotJsonError as exc:
        raise NoAnswerError(f"{url}: {exc.message}") from exc
    info = value.get("info") if isinstance(value, dict) else None
    if not isinstance(info, dict):
        raise NoAnswerError(f"{url} says nothing about the package")
    names = values_at(value, "ownership/roles/*/user") + values_at(value, "info/maintainers/*/username")
    return {
        "name": name,
        **{key: info.get(key) or "" for key in _PACKAGE_FACTS},
        "maintainers": sorted({each for each in names if isinstance(each, str)}),
    }


def _account(link: ProfileLink, match: Match, pages: PageFetcher) -> dict[str, Any]:
    looking = Looking(pages, link)
    source = next(each for each in match.provider.sources if each.place is Place.JSON)
    page = looking.fetch(match, source)
    value = looking.value(match, source, page) if page else None
    if value is None:
        raise NoAnswerError(looking.steps[-1] if looking.steps else "no answer")
    facts = {name: next(iter(values_at(value, path)), None) for name, path in match.provider.facts}
    return {
        "provider": match.provider.name,
        "url": link.url,
        **{name: fact for name, fact in facts.items() if isinstance(fact, str | int | float)},
    }


def _with_facts(link: ProfileLink) -> Match | None:
    try:
        matches = choose(link.url, link.kind)
    except InputError:
        return None
    return next((match for match in matches if match.provider.facts), None)


def _is_plain(name: str) -> bool:
    import re

    return re.fullmatch(PATH_VALUE, name) is not None


def _has_role(roles: Any, name: str) -> bool:  # noqa: ANN401 - from the cache
    plain = name.lower().replace("_", "-").replace(".", "-")
    return any(
        str(each.get("name", "")).lower().replace("_", "-").replace(".", "-") == plain
        for each in roles or []
        if isinstance(each, dict)
    )
