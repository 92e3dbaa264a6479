"""`auth status`: which API key this is, until when it holds, and whether its successor has reached every system."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from sealstead.cli import output
from sealstead.cli.signing.certificates import as_document, summary
from sealstead.cli.signing.context import find_api_key, open_server
from sealstead.cli.signing.options import SigningOptions, signing_options
from sealstead.clock import SystemClock, moment_text
from sealstead.codesign.key_end import ends_within
from sealstead.durations import parse_duration
from sealstead.lifecycle.states import Standing, words_of

if TYPE_CHECKING:
    from sealstead.codesign.key_sources import FoundKey
    from sealstead.codesign.server_values import KeyInfo

EXPIRING = 4


@click.command(
    epilog="""\b
Examples:
  SignotaurTool auth status --af ~/.signotaur/api_key.txt
  SignotaurTool auth status --fail-if-expiring-within 7d --json
"""
)
@signing_options(server=True, key=True)
@click.option(
    "--fail-if-expiring-within",
    "window",
    metavar="7d",
    help="End with exit code 4 if the key ends within this time.",
)
def status(options: SigningOptions, window: str | None) -> int:
    """Show how the API key stands at the server, and with what it may sign; that is no use of it."""
    limit = None if window is None else parse_duration(window)
    found = find_api_key(options)
    api = open_server(options, found)
    info = api.key_info()
    # The server shows certificates to keys that may sign with them.
    usable = api.certificates() if "Standard" in info.roles else ()
    now = SystemClock().now()
    expiring = limit is not None and ends_within(info, limit, now=now)
    if options.as_json:
        where = {"source": found.source, "path": None if found.path is None else str(found.path)}
        certificates = [as_document(one, now) for one in usable]
        output.document(
            {
                **info.document,
                "certificates": certificates,
                "server": api.url,
                "read_from": where,
                "expiring": expiring,
            }
        )
    else:
        _show(info, found, api.url, [summary(one, now) for one in usable])
        if expiring and window is not None:
            output.warning(f"the key ends within {window}: run `rotate-key`")
    return EXPIRING if expiring else 0


def moment(at: datetime | None) -> str:
    return moment_text(at) if at else "never"


def _show(info: KeyInfo, found: FoundKey, url: str, certificates: list[str]) -> None:
    rows = [
        ("name", info.name),
        ("id", info.id),
        ("owner", info.owner),
        ("roles", ", ".join(info.roles)),
        ("state", words_of(info.state)),
        ("created", moment(info.created_at)),
        ("expires", moment(info.expires_at)),
    ]
    if info.retires_at:
        rows.append(("retires", f"{moment(info.retires_at)}: revoked automatically by rotation from then on"))
    if info.overdue_at and info.state == Standing.OVERDUE:
        rows.append(("overdue", f"since {moment(info.overdue_at)}: rotated, and nobody has revoked it"))
    elif info.overdue_at:
        rows.append(("overdue", f"from {moment(info.overdue_at)}: rotated, and to be revoked by hand"))
    if info.labels is not None:
        rows.append(("only for", ", ".join(info.labels) or "no label"))
    if info.networks is not None:
        rows.append(("only from", ", ".join(info.networks) or "no network"))
    if info.rate:
        rows.append(("rate", info.rate))
    rows += [("signs with", one) for one in certificates] or [("signs with", "no certificate")]
    rows += [("server", url), ("read from", found.where)]
    if info.successor:
        used = "in use" if info.successor.used else "not used yet"
        rows.append(("successor", f"{info.successor.id}, {words_of(info.successor.state)}, {used}"))
    if info.predecessor:
        rows += _predecessor_rows(info)
    output.facts(rows)


def _predecessor_rows(info: KeyInfo) -> list[tuple[str, str]]:
    before = info.predecessor
    assert before is not None  # noqa: S101 - for the type checker; the caller looked
    verb = "at" if before.state == Standing.RETIRED else "ends"
    end = f", {verb} {moment(before.retires_at)}" if before.retires_at else ""
    rows = [("predecessor", f"{before.id}, {words_of(before.state)}{end}")]
    if not before.uses_since_rotation:
        rows.append(("used since", "nowhere since the rotation"))
    for use in before.uses_since_rotation:
        times = "once" if use.count == 1 else f"{use.count} times"
        rows.append(("used since", f"{times} from {use.address}, last {moment(use.last_at)}"))
    return rows
