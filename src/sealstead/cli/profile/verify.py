"""`verify`: look at every page that a profile claims, and say what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
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
    from sealstead.formats.profile_schema import ProfileLink
    from sealstead.identity.claim import Verifier
    from sealstead.identity.outcomes import Result
    from sealstead.net.dns import TextRecords
    from sealstead.net.pages import PageFetcher

FAILED, EXPIRES_SOON = 1, 4
"""Exit codes (DESIGN §9)."""


@click.command(
    epilog="""\b
Examples:
  pypi-profile verify                             every page of the profile here
  pypi-profile verify pypi-profile-ada --json     an installed profile, for a script
  pypi-profile verify --only https://github.com/ada --verbose
  pypi-profile verify --expiring-within 30d       4 if a proof ends within a month

\b
What becomes of a claim:
  verified         its owner wrote a proof there that this profile's key signed, or a rel="me" link
                   to such a page
  missing          the page was read, and no proof stands there; or there is no such page (404)
  invalid          what stands there is a proof for something else, damaged, or by another key; or
                   the claim is one that nothing could prove
  expired          an authentic proof, whose time is over: sign it again
  unreachable      no answer, or none to its end: nobody can say
  refused-by-site  the site lets no program look

A proof by a retiring key ends with that key, whatever it says itself.

When a claim was verified before, the last time is told beside a failure. It is kept in verified.json
in the cache directory of your account (~/.cache/sealstead on Linux); whoever removes it loses no more.

Ends with 0 when all claims are verified, with 1 when one is not.
"""
)
@click.argument("source", required=False, type=click.Path())
@click.option("--only", multiple=True, metavar="URL", help="Only this page of the profile; may be repeated.")
@click.option(
    "--profile-package",
    metavar="NAME",
    help="The package that publishes the profile. Default: pypi-profile-<user>, or as the stored proof says.",
)
@click.option(
    "--expiring-within", metavar="DURATION", help="End with 4 if a proof ends within this time, such as 30d."
)
@click.option(
    "--resolver",
    default="",
    envvar="PYPI_PROFILE_RESOLVER",
    metavar="ADDRESS|URL",
    help="Who is asked for TXT records. Default: the system's name servers.",
)
@click.option("--ignore-refused", is_flag=True, help="Claims that a site lets nobody check do not fail.")
@click.option("-v", "--verbose", is_flag=True, help="Show each step, of verified claims too.")
@web_options
@json_option
@dry_run_option
@interactive_option
def verify(
    source: str | None,
    only: tuple[str, ...],
    profile_package: str | None,
    expiring_within: str | None,
    resolver: str,
    ignore_refused: bool,
    verbose: bool,
    timeout: float,
    jobs: int,
    allow_private: bool,
    as_json: bool,
    dry_run: bool,
    interactive: bool | None,
) -> int:
    """Look at every page that a profile claims, and check what stands there.

    SOURCE is a .toml file, a directory, or an installed distribution; without it, the profile in this directory.
    Every page is looked at for what its owner alone can write; --dry-run shows where, and asks nobody.
    """
    window = None
    if expiring_within:
        from sealstead.durations import parse_duration

        window = parse_duration(expiring_within)
    if source is not None and "://" in source:
        raise click.UsageError(
            f"{source} is a page, and what is verified is a profile; to check only that page of one: --only {source}"
        )
    file = find_profile(source, Path.cwd())
    for warning in file.warnings:
        output.warning(str(warning))
    links = _chosen(file, only)
    if dry_run:
        return _plan(links, as_json=as_json)
    from sealstead.identity.claim import Verifier
    from sealstead.identity.outcomes import Outcome
    from sealstead.identity.package import PACKAGE_PREFIX
    from sealstead.identity.verify import LastGood, expires_within, trusted_keys, verify_claims

    if profile_package:
        from sealstead.identity.proofs import check_package

        check_package(profile_package)
    at = SystemClock().now()
    trusted, former = trusted_keys(file.profile, at)
    username = file.profile.identity.pypi_username
    with open_pages(timeout=timeout, allow_private=allow_private) as pages:
        verifier = Verifier(
            pages=pages,
            texts=_Texts(resolver, pages, timeout),
            username=username,
            package=profile_package or PACKAGE_PREFIX + username,
            follow_stored=not profile_package,
            keys=[each.key for each in trusted],
            retires={each.key.id: each.retires_at for each in trusted if each.retires_at is not None},
            former=former,
            at=at,
            seconds=timeout,
        )
        results = verify_claims(verifier, links, jobs=jobs)
    memory = LastGood(path=cache_file("verified.json"))
    before = memory.load(verifier)
    try:
        memory.save(verifier, results)
    except OSError as exc:
        output.warning(f"when claims were good is not remembered: {exc.strerror}: {memory.path}")
    soon = expires_within(results, at, window) if window is not None else []
    if as_json:
        output.document(_document(file, verifier, results, before, soon))
    else:
        _tell(results, before, soon, at=at, verbose=verbose)
    fine = {Outcome.VERIFIED, *([Outcome.REFUSED] if ignore_refused else [])}
    if any(each.outcome not in fine for each in results):
        return FAILED
    return EXPIRES_SOON if soon else 0


class _Texts:
    """Asks for TXT records. A resolver that was named is looked at now, the system's when there is a question."""

    def __init__(self, resolver: str, pages: PageFetcher, seconds: float) -> None:
        self._settings = resolver, pages, seconds
        self._made = self._make() if resolver.strip() else None

    def find_texts(self, name: str) -> tuple[str, ...]:
        return (self._made or self._make()).find_texts(name)

    def _make(self) -> TextRecords:
        from sealstead.net.dns import make_resolver  # most profiles claim no domain

        resolver, pages, seconds = self._settings
        return make_resolver(resolver, pages, seconds=seconds)


def _chosen(file: ProfileFile, only: Sequence[str]) -> list[ProfileLink]:
    links = list(file.profile.profiles)
    strangers = set(only) - {link.url for link in links}
    if strangers:
        from sealstead.identity.update_proofs import NotInProfileError

        raise NotInProfileError(f"{min(strangers)} is not in the profile")
    return [link for link in links if not only or link.url in only]


def _plan(links: Sequence[ProfileLink], *, as_json: bool) -> int:
    from sealstead.errors import InputError
    from sealstead.identity.providers import choose

    rows = []
    for link in links:
        try:
            matches = choose(link.url, link.kind, rel_me=link.rel_me)
            names, places = (
                [match.provider.name for match in matches],
                [match.provider.closed or match.fill(match.provider.paste) for match in matches],
            )
        except InputError as exc:
            names, places = [], [exc.message]
        rows.append({"kind": link.kind, "url": link.url, "providers": names, "would_look": places})
    if as_json:
        output.document({"dry_run": True, "claims": rows})
        return 0
    for link, row in zip(links, rows, strict=True):
        output.data(f"{shown(link.url)}\n    " + "\n    then: ".join(map(shown, row["would_look"])))
    return 0


def _document(
    file: ProfileFile,
    verifier: Verifier,
    results: Sequence[Result],
    before: Mapping[str, datetime],
    soon: Sequence[Result],
) -> dict[str, Any]:
    from sealstead.identity.outcomes import Outcome

    return {
        "profile_file": str(file.path),
        "profile_name": file.profile.profile.display_name,
        "profile_package": verifier.package,
        "checked_at": _moment(verifier.at),
        "keys": [key.id for key in verifier.keys],
        "verified": sum(each.outcome is Outcome.VERIFIED for each in results),
        "total": len(results),
        "results": [
            {
                "kind": each.link.kind,
                "label": each.link.label,
                "url": each.link.url,
                "status": each.outcome.value,
                "detail": list(each.steps),
                "provider": each.provider,
                "verified_by": each.by or None,
                "format": each.proof.form if each.proof else None,
                "key_id": each.proof.key_id if each.proof else None,
                "issued_at": _moment(each.proof.issued_at) if each.proof else None,
                "expires_at": _moment(each.ends_at),
                "by_retiring_key": each.retiring,
                "expires_soon": each in soon,
                "last_verified_at": _moment(
                    verifier.at if each.outcome is Outcome.VERIFIED else before.get(each.link.url)
                ),
            }
            for each in results
        ],
    }


def _tell(
    results: Sequence[Result],
    before: Mapping[str, datetime],
    soon: Sequence[Result],
    *,
    at: datetime,
    verbose: bool,
) -> None:
    from sealstead.identity.outcomes import Outcome

    width = max((len(each.outcome) for each in results), default=0)
    lines: list[str] = []
    for each in results:
        verified = each.outcome is Outcome.VERIFIED
        lines.append(f"{each.outcome.ljust(width)}  {shown(each.link.url)}")
        if verbose or not verified:
            lines += [f"    {shown(step)}" for step in each.steps]
        if not verified and each.link.url in before:
            lines.append(f"    last verified on {before[each.link.url]:%Y-%m-%d %H:%M} UTC")
        if each.ends_at is not None and (each in soon or each.retiring):
            left = (each.ends_at - at) // timedelta(days=1)
            whose = "by a retiring key, " if each.retiring else ""
            lines.append(f"    {whose}ends on {each.ends_at:%Y-%m-%d}, in {left} days: sign it again")
    if lines:
        output.data("\n".join(lines))
    good = sum(each.outcome is Outcome.VERIFIED for each in results)
    output.note(f"{good} of {len(results)} claims verified" if results else "the profile claims no pages")


def _moment(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
