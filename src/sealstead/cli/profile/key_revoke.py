"""`key-revoke`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.context import KeyContext, open_context
from sealstead.cli.profile.options import (
    dry_run_option,
    interactive_option,
    key_options,
    password_options,
)
from sealstead.cli.profile.replacing import DECLINED, agreed, locked, tell_next, tell_warnings
from sealstead.durations import InvalidDurationError, parse_duration
from sealstead.errors import InputError
from sealstead.formats.minisign import PublicKey
from sealstead.formats.statement import Reason, Revocation
from sealstead.identity.profile import NoProfileError, ProfileFile
from sealstead.identity.revoke import Order, RevocationDateError, Revoked


class NothingToRevokeError(InputError):
    """The profile names no key, and no other was named."""

    code = "nothing-to-revoke"


@click.command(
    "key-revoke",
    epilog="""\b
Examples:
  pypi-profile key-revoke --reason compromised --force
  pypi-profile key-revoke --key 0CBF7BEEBB5444E8 --reason lost
  pypi-profile key-revoke --reason compromised --since 2026-11-01

A signed statement goes into the profile: the key is not to be believed from that moment on. The key signs it itself;
where it is gone, the key that the profile names now signs in its place. Publish the profile at once, since a statement
that nobody has seen protects nobody. Then: key-rotate, for the profile needs another key.
""",
)
@click.argument("source", required=False, type=click.Path())
@click.option(
    "--key",
    "key_name",
    metavar="KEY",
    help="Which key: its id, its public key, or its .pub file. Default: the one that the profile names.",
)
@click.option(
    "--reason",
    type=click.Choice([each.value for each in Reason]),
    default=Reason.UNSPECIFIED.value,
    show_default=True,
    help="Why.",
)
@click.option(
    "--since",
    metavar="WHEN",
    help="From when on: a day as 2026-11-01, a moment, or a duration ago as 3d. Default: now.",
)
@key_options
@password_options
@click.option(
    "--force",
    is_flag=True,
    help="Revoke without asking. Needed where nobody can be asked: it cannot be taken back.",
)
@interactive_option
@dry_run_option
@json_option
def key_revoke(
    *,
    key_name: str | None,
    reason: str,
    since: str | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Say, signed, that a key is not to be believed any more.

    SOURCE is the profile: a TOML file, or a directory with one. Default: the profile here.
    """
    from sealstead.identity.revoke import find_signer, known_revocation, preview, revoke

    context = open_context(**options, writes=not dry_run)
    _profile(context)
    with locked(context, dry_run=dry_run) as context:
        order = Order(
            key=_key(context, key_name),
            profile=_profile(context),
            reason=Reason(reason),
            revoked_at=_moment(since, context.at),
        )
        if (known := known_revocation(order)) is not None:
            return _already(known, as_json=as_json)
        signer = find_signer(context.places, order, identity=context.identity)
        planned = preview(order, signer, at=context.at)
        if dry_run:
            _tell(planned, as_json=as_json)
            return 0
        if not agreed(context, f"Revoke key {order.key.id} ({reason})?", force=force, needed=True):
            return DECLINED
        done = revoke(context.places, order, signer, at=context.at, open_key=context.open)
    _tell(done, as_json=as_json)
    return 0


def _profile(context: KeyContext) -> ProfileFile:
    if context.profile is None:
        raise NoProfileError("there is no profile here to say it in", hint="name it: key-revoke FILE")
    return context.profile


def _key(context: KeyContext, name: str | None) -> PublicKey:
    from sealstead.identity.lookup import find_public

    if name is not None:
        return find_public(context.places, name, context.profile.profile if context.profile else None)
    if context.wanted is None:
        raise NothingToRevokeError("the profile names no key", hint="say which: --key KEY-ID")
    if context.identity_named:
        context.find(wanted=context.wanted)  # refuses where the profile's key is not that identity's
    return context.wanted


def _moment(text: str | None, at: datetime) -> datetime:
    if text is None:
        return at
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        pass
    else:
        return _in_utc(moment, text)
    try:
        return at - parse_duration(text)
    except InvalidDurationError as exc:
        raise InvalidDurationError(
            f"{text[:40]!r} is neither a day nor a duration",
            hint="write a day as 2026-11-01, a moment as 2026-11-01T12:00Z, or how long ago, as 3d",
        ) from exc


def _in_utc(moment: datetime, text: str) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError) as exc:
        raise RevocationDateError(f"{text[:40]} is out of bounds") from exc


def _already(known: Revocation, *, as_json: bool) -> int:
    if as_json:
        output.document({"key_id": known.key.id, "revoked": True, "changed": False})
    else:
        output.note(
            f"key {known.key.id} is revoked already, since {known.revoked_at:%Y-%m-%d %H:%M} UTC ({known.reason}): "
            "there is nothing to do"
        )
    return 0


def _tell(done: Revoked, *, as_json: bool) -> None:
    tell_warnings(done.warnings)
    if as_json:
        output.document(
            {
                "dry_run": done.dry_run,
                "key_id": done.key.id,
                "public_key": done.key.line,
                "signed_by": done.signer.id if done.signer else None,
                "revoked": not done.dry_run,
                "changed": not done.dry_run,
                "revoked_at": f"{done.revoked_at:%Y-%m-%dT%H:%M:%SZ}",
                "reason": done.reason.value,
                "profile_file": str(done.profile_path),
                "was_profile_key": done.was_profile_key,
                "warnings": list(done.warnings),
            }
        )
        return
    if done.dry_run:
        output.note("nothing was written")
    signer = (
        "the key itself"
        if done.own_word
        else f"{done.signer.id}, which the profile names"
        if done.signer
        else ""
    )
    output.facts(
        [
            ("revoked", done.key.id),
            ("since", f"{done.revoked_at:%Y-%m-%d %H:%M} UTC"),
            ("reason", done.reason.value),
            ("signed by", signer),
            ("profile", str(done.profile_path)),
        ]
    )
    if done.dry_run:
        return
    steps = ["commit the updated TOML, rebuild and republish the static site, republish the package: at once"]
    if done.was_profile_key:
        steps.append("give the profile another key: key-rotate")
    tell_next(steps)
