"""`sign`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.context import KeyContext, OtherProfileKeyError, open_context
from sealstead.cli.profile.options import (
    dry_run_option,
    interactive_option,
    key_option,
    key_options,
    password_options,
)
from sealstead.formats.minisign import PublicKey, SecretKey
from sealstead.identity.places import FoundKey
from sealstead.identity.profile import NoProfileError
from sealstead.identity.proofs import check_url, parse_expiry, suggested_form
from sealstead.identity.sign_claim import SignedClaim, sign_claim, write_signature_files

CLAIM = "controls-url"

expires_option = click.option(
    "--expires",
    metavar="WHEN",
    help="When the proof ends: a duration such as 90d, or a day such as 2027-12-31. Default: a year from now.",
)


@click.command(
    epilog="""\b
Examples:
  pypi-profile sign --url https://github.com/ada
  pypi-profile sign --url https://mastodon.example/@ada --format compact --expires 90d
  pypi-profile sign --url dns:ada.example controls-url pypi_profile.toml
  pypi-profile sign --url https://ada.example --write-minisig claim.json
  minisign -V -m claim.json -P <the public key of the profile>
"""
)
@click.argument("words", metavar="[controls-url] [SOURCE]", nargs=-1)
@click.option("--url", metavar="URL", help="The page that the proof is for.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["full", "compact", "tiny"]),
    help="full (about 570 characters), compact (about 320), tiny (88; good for this year and the next two). "
    "Default: the longest that fits on such a page.",
)
@click.option("--compact", is_flag=True, help="The same as --format compact.")
@click.option(
    "--profile-package",
    metavar="NAME",
    help="The package that publishes the profile. Default: pypi-profile-<user>",
)
@expires_option
@click.option(
    "--write-minisig",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the claim to FILE and its signature to FILE.minisig, for minisign -V.",
)
@click.option("--force", is_flag=True, help="Replace an older claim and its signature at --write-minisig.")
@key_option
@key_options
@password_options
@json_option
@dry_run_option
@interactive_option
def sign(
    words: tuple[str, ...],
    url: str | None,
    form: Any,  # noqa: ANN401 - one of the choices
    compact: bool,
    profile_package: str | None,
    expires: str | None,
    write_minisig: Path | None,
    force: bool,
    as_json: bool,
    dry_run: bool,
    interactive: bool | None,
    **options: Any,
) -> None:
    """Sign a proof that you control a page, to be put on that page.

    SOURCE is the profile: a .toml file or a directory; without it, the profile in this directory. The proof is printed,
    with where on the page it goes; to keep it in the profile too, add the page there and use update-proofs.
    """
    if compact and form not in (None, "compact"):
        raise click.UsageError("--compact and --format do not go together")
    form = "compact" if compact else form
    if form == "tiny" and expires:
        raise click.UsageError("a tiny proof has no end of its own: --expires does not go with it")
    context = open_context(source=_source(words), interactive=interactive, **options)
    if context.profile is None:
        raise NoProfileError(
            "there is no profile here, and a proof says whose page it is", hint="pypi-profile init writes one"
        )
    ends = parse_expiry(expires, context.at)
    page = check_url(_url(context, url))
    found = context.signing_key()
    if dry_run:
        check_not_revoked(context, found.public)
        _tell_plan(context, page, form, str(ends.date()), as_json=as_json)
        return
    key = open_signing_key(context, found)
    signed = sign_claim(
        context.profile.profile,
        key,
        page,
        at=context.at,
        expires=ends,
        form=form,
        package=profile_package,
    )
    beside = None
    if write_minisig is not None:
        directory = context.places.directory
        beside = write_signature_files(signed, key, write_minisig, replace=force, directory=directory)
    _warn(context, signed)
    if signed.form == "tiny" and expires:
        output.warning(f"a tiny proof has no end of its own: this one ends on {signed.expires_at:%Y-%m-%d}")
    if as_json:
        output.document(_document(context, signed, beside))
    else:
        _tell(context, signed, beside)


def open_signing_key(context: KeyContext, found: FoundKey) -> SecretKey:
    """Open the key; what an encrypted file holds is known only now.

    Raises:
        OtherProfileKeyError: it is not the key that the profile names; what else `KeyContext.open` raises.
        RevokedKeyError: it is revoked.
    """
    key = context.open(found)
    if context.wanted is not None and key.public != context.wanted:
        raise OtherProfileKeyError(
            f"the secret key is {key.public.id}, and the profile names {context.wanted.id}",
            hint="a proof made with it would prove nothing",
        )
    check_not_revoked(context, key.public)
    return key


def check_not_revoked(context: KeyContext, key: PublicKey | None) -> None:
    """Raises RevokedKeyError if the profile or the key directory says that `key` is revoked."""
    from sealstead.identity.places import index_entries
    from sealstead.identity.standing import check_usable

    if key is not None:
        profile = context.profile.profile if context.profile else None
        check_usable(profile, index_entries(context.places), key, context.at)


def _source(words: tuple[str, ...]) -> str | None:
    """Return the profile; the word for the claim may stand before it, as the existing tool wants it."""
    rest = words[1:] if words[:1] == (CLAIM,) else words
    if len(rest) > 1:
        raise click.UsageError(f"there is one kind of claim, {CLAIM}, and one profile; got {' '.join(words)}")
    if rest and rest[0][:5] == CLAIM[:5] and not Path(rest[0]).exists():
        raise click.UsageError(f"{rest[0]!r} is neither a claim nor a profile: did you mean {CLAIM}?")
    return rest[0] if rest else None


def _url(context: KeyContext, url: str | None) -> str:
    if url is not None:
        return url
    pages = [link.url for link in context.profile.profile.profiles] if context.profile else []
    if not context.interactive:
        hint = f"for example --url {pages[0]}" if pages else "for example --url https://github.com/ada"
        raise click.UsageError(f"--url is missing: which page is the proof for? {hint}")
    for number, page in enumerate(pages, start=1):
        output.note(f"{number:>3}  {page}")
    answer: str = click.prompt("Page (its URL, or a number from the list)", err=True)
    listed = answer.isdecimal() and 0 < int(answer) <= len(pages)
    return pages[int(answer) - 1] if listed else answer


def where_it_goes(context: KeyContext, url: str) -> str:
    from sealstead.identity.providers import instructions

    links = context.profile.profile.profiles if context.profile else ()
    link = next((link for link in links if link.url == url), None)
    return instructions(url, link.kind if link else "", rel_me=bool(link and link.rel_me))[1]


def _tell_plan(context: KeyContext, url: str, form: str | None, ends: str, *, as_json: bool) -> None:
    from sealstead.formats.profile_schema import ProfileLink

    form = form or suggested_form(ProfileLink(kind="", label="", url=url))
    if as_json:
        output.document({"dry_run": True, "url": url, "format": form, "expires": ends})
        return
    output.note(f"would sign a {form} proof for {url} as {context.identity}, good until {ends}")


def _warn(context: KeyContext, signed: SignedClaim) -> None:
    profile = context.profile.profile if context.profile else None
    if profile and context.wanted is None:
        output.warning(
            f"the profile names no public key, so nobody can check the proof; put in {signed.key.line}"
        )
    if profile and signed.context.url not in [link.url for link in profile.profiles]:
        output.warning(f"{signed.context.url} is not in the profile yet: add it as [[profiles]]")


def _document(context: KeyContext, signed: SignedClaim, beside: Path | None) -> dict[str, Any]:
    return {
        "claim_type": CLAIM,
        "profile_file": str(context.profile.path) if context.profile else None,
        "profile_package": signed.context.package,
        "pypi_username": signed.context.username,
        "url": signed.context.url,
        "format": signed.form,
        "proof": signed.token,
        "key_id": signed.key.id,
        "issued_at": signed.issued_at.isoformat(),
        "expires_at": signed.expires_at.isoformat(),
        "where": where_it_goes(context, signed.context.url),
        "signature_file": str(beside) if beside else None,
    }


def _tell(context: KeyContext, signed: SignedClaim, beside: Path | None) -> None:
    output.data(signed.token)
    output.note(f"{len(signed.token)} characters, {signed.form}, good until {signed.expires_at:%Y-%m-%d}")
    output.note(f"put it here: {where_it_goes(context, signed.context.url)}")
    if beside is not None:
        output.note(
            f"to check it with minisign: minisign -V -m {beside.with_suffix('')} -P {signed.key.line}"
        )
