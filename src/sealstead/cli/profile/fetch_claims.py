"""`fetch-claims` (also `fetch`): what the index and the sites say about a profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.options import dry_run_option, interactive_option
from sealstead.cli.profile.web_options import cache_file, open_pages, shown, web_options
from sealstead.clock import SystemClock
from sealstead.identity.profile import ProfileFile, find_profile

if TYPE_CHECKING:
    from sealstead.identity.claims import Found, Question

UPSTREAM = 5
"""The exit code for a failure of somebody else's service (DESIGN §9)."""

_KINDS = {"github": "github", "gitlab": "gitlab", "mastodon": "mastodon"}
"""Accounts that scripts find under a name of their own, by provider."""


@click.command(
    "fetch-claims",
    epilog="""\b
Examples:
  pypi-profile fetch-claims
  pypi-profile fetch-claims --json | jq .package_comparison
  pypi-profile fetch-claims --refresh            ask again what is not an hour old

What is fetched here is what sites say, and no proof of anything: verify checks proofs. Ends with 5 when
nobody answered at all.
""",
)
@click.argument("source", required=False, type=click.Path())
@click.option("--refresh", is_flag=True, help="Ask again, whatever the cache holds.")
@click.option("--index-url", metavar="URL", help="The package index. Default: the Python Package Index.")
@web_options
@json_option
@dry_run_option
@interactive_option
def fetch_claims(
    source: str | None,
    refresh: bool,
    index_url: str | None,
    timeout: float,
    jobs: int,
    allow_private: bool,
    as_json: bool,
    dry_run: bool,
    interactive: bool | None,
) -> int:
    """Ask the package index and the sites of a profile's accounts what they say.

    SOURCE is a .toml file, a directory, or an installed distribution; without it, the profile in this directory.
    Compares the packages with what the index says of them. Answers are kept for an hour in your cache, failures never;
    the directory you are in is left alone.
    """
    from sealstead.identity.claims import Cache, ask_all, questions
    from sealstead.identity.provider_index import INDEX

    file = find_profile(source, Path.cwd())
    for warning in file.warnings:
        output.warning(str(warning))
    asked = questions(file.profile, index=index_url or INDEX)
    if dry_run:
        return _plan(asked, as_json=as_json)
    at = SystemClock().now()
    cache = Cache(cache_file("claims.json"))
    with open_pages(timeout=timeout, allow_private=allow_private) as pages:
        held = {} if refresh else cache.load(at)
        found = ask_all(asked, pages, held, jobs=jobs)
    try:
        cache.save(found.fresh, at)
    except OSError as exc:
        output.warning(f"answers are not kept: {exc.strerror}: {cache.path}")
    if as_json:
        output.document(_document(file, asked, found))
    else:
        _tell(file, asked, found)
    for failure in found.failures:
        output.note(f"no answer about {shown(failure.name)}: {shown(failure.reason)}")
    return UPSTREAM if asked and not found.facts else 0


def _plan(asked: list[Question], *, as_json: bool) -> int:
    if as_json:
        output.document(
            {"dry_run": True, "would_ask": [{"name": each.name, "url": each.url} for each in asked]}
        )
        return 0
    for each in asked:
        output.data(f"{each.name}: would ask {each.url}")
    return 0


def _document(file: ProfileFile, asked: list[Question], found: Found) -> dict[str, Any]:
    from sealstead.identity.claims import compare_package

    accounts = [
        {**found.facts[each.name], "cached": each.name in found.kept}
        for each in asked
        if each.about == "account" and each.name in found.facts
    ]
    named = {
        name: next((each for each in accounts if each["provider"] == provider), {})
        for provider, name in _KINDS.items()
    }
    user = file.profile.identity.pypi_username
    return {
        "profile_file": str(file.path),
        "profile_name": file.profile.profile.display_name,
        "pypi_packages": found.facts.get(f"user {user}", []),
        "package_meta": {
            each.name: found.facts.get(f"package {each.name}", {}) for each in file.profile.packages
        },
        **named,
        "accounts": accounts,
        "package_comparison": [compare_package(each, file.profile, found) for each in file.profile.packages],
        "failures": [failure._asdict() for failure in found.failures],
    }


def _tell(file: ProfileFile, asked: list[Question], found: Found) -> None:
    from sealstead.identity.claims import compare_package

    for package in file.profile.packages:
        compared = compare_package(package, file.profile, found)
        output.data(f"{compared['status'].ljust(10)}  {shown(compared['name'])}: {compared['note']}")
        if compared["pypi_version"]:
            about = f"{compared['pypi_version']}  {compared['pypi_summary'][:80]}"
            output.data(f"    {shown(about)}")
    for each in asked:
        if each.about == "account" and each.name in found.facts:
            facts = found.facts[each.name]
            output.data(f"{facts['provider']}  {shown(str(facts['url']))}")
            for name, value in facts.items():
                if name not in ("provider", "url") and value != "":
                    output.data(f"    {name}: {shown(str(value))[:200]}")
    output.note(
        f"{len(found.facts)} of {len(asked)} questions answered"
        if asked
        else "the profile has nothing to ask about"
    )
