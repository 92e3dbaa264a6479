"""`init`."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.options import dry_run_option, interactive_option
from sealstead.cli.profile.passphrases import can_ask
from sealstead.custody.key_dir import KeyDir, default_key_dir
from sealstead.errors import InputError, KeyUnavailableError, ParseError
from sealstead.formats.minisign import PublicKey
from sealstead.formats.profile_schema import Identity, Principal, PrincipalKind, Profile
from sealstead.identity.new_profile import (
    check_absent,
    claimable,
    draft,
    link_to,
    merged,
    write_new,
)
from sealstead.identity.profile import PROFILE_NAME, find_local
from sealstead.identity.proofs import ClaimError, check_username
from sealstead.identity.sign_claim import check_no_secret_key
from sealstead.identity.targets import refuse_key_dir
from sealstead.record import replace


class ResumeFileError(InputError):
    """The resume cannot be read."""

    code = "resume-file"


@click.command(
    epilog="""\b
Examples:
  pypi-profile init
  pypi-profile init --username ada --url https://github.com/ada --url https://ada.example
  pypi-profile init --username ada --from-json-resume resume.json
"""
)
@click.option(
    "--kind",
    type=click.Choice(get_args(PrincipalKind)),
    default=None,
    help="What you are. Default: individual",
)
@click.option("--username", metavar="NAME", help="Your user name on the index.")
@click.option("--display-name", metavar="TEXT", help="Your name as people read it.")
@click.option("--url", "urls", multiple=True, metavar="URL", help="A page of yours; repeatable.")
@click.option(
    "--output",
    "path",
    type=click.Path(path_type=Path),
    default=Path(PROFILE_NAME),
    show_default=True,
    metavar="FILE",
    help="Where to write it.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists: all of it, your comments too.")
@click.option(
    "--from-json-resume",
    "resume",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take name, pages, work and projects from a JSON Resume.",
)
@click.option("--fetch", is_flag=True, help="Ask the index which packages are yours, and list them.")
@click.option("--index-url", metavar="URL", help="The package index. Default: the Python Package Index.")
@click.option(
    "--allow-private",
    is_flag=True,
    help="The index may have a private address: this machine's, or its network's.",
)
@json_option
@dry_run_option
@interactive_option
def init(
    kind: PrincipalKind | None,
    username: str | None,
    display_name: str | None,
    urls: tuple[str, ...],
    path: Path,
    force: bool,
    resume: Path | None,
    fetch: bool,
    index_url: str | None,
    allow_private: bool,
    as_json: bool,
    dry_run: bool,
    interactive: bool | None,
) -> None:
    """Write a profile to begin with.

    At a terminal it asks for what was not given; otherwise it writes what it knows and leaves the rest empty. If there is
    a key of that user already, its public half goes in. Next: keygen, update-proofs, and put the proofs on your pages.
    """
    if not force and not dry_run:
        check_absent(path)  # before any question is asked
    asks = can_ask(interactive)
    profile = _from_resume(resume) if resume else Profile()
    username = username if username is not None else _ask("User name on the index", asks)
    if username:
        check_username(username)
    shown = profile.profile.display_name
    display_name = display_name or _ask("Your name", asks, default=shown) or shown
    if kind is None and asks:
        choices = click.Choice(get_args(PrincipalKind))
        kind = click.prompt("What are you", type=choices, default="individual", err=True)
    profile = replace(
        profile,
        profile=Principal(
            kind=kind or "individual", display_name=display_name, summary=profile.profile.summary
        ),
        identity=Identity(
            display_name=profile.identity.display_name,
            location=profile.identity.location,
            pypi_username=username,
        ),
    )
    if fetch:
        profile = _with_packages(profile, index_url, allow_private=allow_private)
    pages = [*urls] or _ask_pages(asks)
    profile = merged(profile, [link_to(url) for url in pages])
    key = _key_of(username)
    text = draft(profile, key=key)
    if not dry_run:
        refuse_key_dir(KeyDir(default_key_dir()), path)
        if path.is_file():
            check_no_secret_key(path)
        write_new(path, text, replace=force)
    _tell(path, text, profile, key, dry_run=dry_run, as_json=as_json)


def _tell(
    path: Path, text: str, profile: Profile, key: PublicKey | None, *, dry_run: bool, as_json: bool
) -> None:
    username = profile.identity.pypi_username
    if as_json:
        output.document(
            {
                "dry_run": dry_run,
                "profile_file": str(path),
                "kind": profile.profile.kind,
                "pypi_username": username,
                "urls": [link.url for link in profile.profiles],
                "key_id": key.id if key else None,
                "text": text if dry_run else None,
            }
        )
    elif dry_run:
        output.data(text.removesuffix("\n"))
    else:
        output.data(f"Created {path}")
    if not username:
        output.warning("identity.pypi_username is empty: fill it in before you sign")
    if dry_run:
        return
    if path.name == PROFILE_NAME:
        try:
            found = find_local(path.parent)
            warnings = [str(warning) for warning in found.warnings] if found else []
        except (InputError, ParseError) as exc:  # --force goes on beside a broken pyproject.toml
            warnings = [exc.message]
        for warning in warnings:
            output.warning(warning)
    output.note("next: pypi-profile update-proofs" if key else "next: pypi-profile keygen")
    if not key and username:
        _tell_of_other_keys(username)


def _tell_of_other_keys(username: str) -> None:
    from sealstead.custody.key_dir import KeyDir, default_key_dir
    from sealstead.identity.key_step import key_step
    from sealstead.identity.keyslots import KeyPlaces

    step = key_step(KeyPlaces(KeyDir(default_key_dir()), keyring_reason="not asked"), username)
    if "--keyring-identity" in step:
        output.note(step)


def _ask(question: str, asks: bool, *, default: str = "") -> str:
    if not asks:
        return ""
    answer: str = click.prompt(question, default=default, show_default=bool(default), err=True)
    return answer.strip()


def _ask_pages(asks: bool) -> list[str]:
    pages: list[str] = []
    while asks and (page := _ask("A page of yours (its URL; empty: no more)", asks)):
        try:
            link_to(page)
        except ClaimError as exc:
            output.error(exc.message, exc.hint)
        else:
            pages.append(page)
    return pages


def _from_resume(path: Path) -> Profile:
    from sealstead.formats.json_resume import MAX_BYTES, parse_resume

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ResumeFileError(f"{path} cannot be read: {exc.strerror}") from exc
    profile, reasons = claimable(parse_resume(data, source=str(path)))
    for reason in reasons:
        output.warning(f"left out: {reason}")
    return profile


def _with_packages(profile: Profile, index_url: str | None, *, allow_private: bool) -> Profile:
    """Return the profile with the packages that the index says are its user's; without an answer, as it is."""
    from sealstead.cli.profile.web_options import open_pages, shown
    from sealstead.identity.claims import ask_all, questions
    from sealstead.identity.new_profile import packages_of
    from sealstead.identity.provider_index import INDEX

    username = profile.identity.pypi_username
    asked = [each for each in questions(profile, index=index_url or INDEX) if each.about == "roles"]
    if not asked:
        output.warning("--fetch: without a user name there is nothing to ask")
        return profile
    with open_pages(timeout=10, allow_private=allow_private) as pages:
        found = ask_all(asked, pages, {}, jobs=1)
    for failure in found.failures:
        output.warning(f"the index did not answer: {shown(failure.reason)}")
    return replace(profile, packages=packages_of(found.facts.get(f"user {username}", ())))


def _key_of(username: str) -> PublicKey | None:
    """Return the public key of exactly this user, if it is on this disk."""
    from sealstead.custody.key_dir import KeyDir, default_key_dir
    from sealstead.identity.keyslots import KeyPlaces, public_beside

    try:
        places = KeyPlaces(KeyDir(default_key_dir()), keyring_reason="not asked")
        return public_beside(places, username) if username else None
    except (InputError, KeyUnavailableError):
        return None
