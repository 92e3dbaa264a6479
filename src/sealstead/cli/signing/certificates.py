"""`certificates`: with what an API key may sign, by label, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import output
from sealstead.cli.signing.context import open_server
from sealstead.cli.signing.options import SigningOptions, signing_options
from sealstead.clock import SystemClock, moment_text, serialize_moment

if TYPE_CHECKING:
    from sealstead.codesign.server_values import ServerCertificate


@click.command(
    epilog="""\b
Examples:
  SignotaurTool certificates
  SignotaurTool certificates --label production --json

The best one of a label comes first, and is what `sign --label` takes.
"""
)
@click.option("--label", metavar="TEXT", help="Of this label only.")
@signing_options(server=True, key=True)
def certificates(options: SigningOptions, label: str | None) -> None:
    """List the certificates that the API key may sign with; that is no use of it."""
    from sealstead.codesign.choosing import find_certificates
    from sealstead.codesign.outcomes import Selector

    api = open_server(options)
    found = api.certificates() if label is None else find_certificates(api, Selector(label=label))
    now = SystemClock().now()
    if options.as_json:
        output.document({"server": api.url, "certificates": [as_document(one, now) for one in found]})
    elif not found:
        output.note("no certificate: the key's owner has been granted none, or the key is for other labels")
    else:
        rows = [
            (one.label, one.profile, _end(one), _shown(one, now), _print_of(one), one.subject)
            for one in found
        ]
        output.table(("LABEL", "PROFILE", "ENDS", "STATE", "THUMBPRINT", "SUBJECT"), rows)


def as_document(one: ServerCertificate, now: datetime) -> dict[str, Any]:
    """Return what scripts want to know of a certificate; the certificate itself is what signatures carry."""
    return {
        "label": one.label,
        "alias": one.alias,
        "profile": one.profile,
        "state": state_of(one, now),
        "subject": one.subject,
        "issuer": one.issuer or None,
        "thumbprint": one.thumbprint or None,
        "thumbprint_sha256": one.thumbprint_sha256 or None,
        "not_before": one.not_before and serialize_moment(one.not_before),
        "not_after": one.not_after and serialize_moment(one.not_after),
        "algorithm": one.algorithm,
        "is_test": one.is_test,
        "public_key": one.public_key,
    }


def summary(one: ServerCertificate, now: datetime) -> str:
    """Return one line: label, what it signs, until when, and what is the matter with it."""
    state = state_of(one, now)
    end = "" if one.not_after is None else f", until {moment_text(one.not_after)}"
    parts = [f"{one.label or one.alias}: {one.profile}{end}"]
    return ", ".join([*parts, *([] if state == "good" else [state]), *(["test"] if one.is_test else [])])


def state_of(one: ServerCertificate, now: datetime) -> str:
    if not one.enabled:
        return "disabled"
    if one.certificate is None and one.public_key is None:
        return "awaited"
    if one.not_after is not None and one.not_after < now:
        return "expired"
    return "not yet valid" if one.not_before is not None and one.not_before > now else "good"


def _shown(one: ServerCertificate, now: datetime) -> str:
    return state_of(one, now) + (", test" if one.is_test else "")


def _end(one: ServerCertificate) -> str:
    return "never" if one.not_after is None else moment_text(one.not_after)


def _print_of(one: ServerCertificate) -> str:
    """Return what names the key: a minisign key has no certificate, and its line is short."""
    return one.thumbprint or one.public_key or ""
