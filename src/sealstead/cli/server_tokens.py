"""`sealstead admin create-token`, `list-tokens`, `rotate-token`, `revoke-token`: hung below `admin` in `cli/server.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import output
from sealstead.cli.options import data_dir_option, json_option

if TYPE_CHECKING:
    from datetime import datetime


@click.command(
    "create-token",
    epilog="""\b
Examples:
  sealstead admin create-token --user ada --name laptop --project harbour-lights
  sealstead admin create-token --user ada --name ci --project one --project two --expires 90d
  sealstead admin create-token --user ada --name everything --all-projects --expires never
""",
)
@click.option("--user", required=True, metavar="U", help="The account that the token belongs to.")
@click.option("--name", required=True, metavar="N", help="What the token is for; unique among the account's.")
@click.option(
    "--project",
    "projects",
    multiple=True,
    metavar="P",
    help="A project it may upload to; repeatable. One that does not exist yet is reserved for the account.",
)
@click.option(
    "--all-projects", is_flag=True, help="May upload to every project of the account, now and later."
)
@click.option(
    "--expires",
    metavar="LIFE",
    help="How long it is valid: 90d, 12h, 2w, or never.  [default: what the server's policy proposes]",
)
@data_dir_option
@json_option
def create_token(data_dir: Path, as_json: bool, **given: Any) -> None:
    """Make an upload token and print it, this once, alone on standard output."""
    output.check_open()
    now = _open(data_dir)
    from sealstead.server.credentials.admin import create_token as create

    made = create(**given, at=now)
    for name in made.reserved:
        output.note(f"the project {name} was created for {made.facts['user']}; its first upload fills it")
    if as_json:
        output.document({**made.facts, "token": made.token.reveal(), "reserved": list(made.reserved)})
        return
    output.data(made.token.reveal())
    scope = "all projects" if made.facts["projects"] is None else ", ".join(made.facts["projects"])
    output.note(f"token {made.facts['name']} of {made.facts['user']} for {scope}: id {made.facts['id']}")
    output.note(f"expires: {made.facts['expires_at'] or 'never'}")
    output.note("the token cannot be shown again")


@click.command("list-tokens")
@click.option("--user", metavar="U", help="Only those of this account.")
@data_dir_option
@json_option
def list_tokens(user: str | None, data_dir: Path, as_json: bool) -> None:
    """List tokens: account, name, scope, state, last use, end, id."""
    now = _open(data_dir)
    from sealstead.server.credentials.admin import list_tokens as find

    found = find(user=user, at=now)
    if as_json:
        output.document(found)
        return
    if not found:
        output.note("no tokens")
        return
    output.table(
        ("user", "name", "scope", "state", "last used", "ends", "id"),
        [
            (
                one["user"],
                one["name"],
                "all projects" if one["projects"] is None else ",".join(one["projects"]),
                one["state_text"],
                _day(one["last_used_at"]),
                _day(one["ends_at"]),
                one["id"],
            )
            for one in found
        ],
    )


@click.command(
    "rotate-token",
    epilog="""\b
Examples:
  sealstead admin rotate-token laptop --user ada
  sealstead admin rotate-token 6b1f8c1e-5d0e-4c39-9f0e-3a1f5f4c2d10 --overlap 12h
""",
)
@click.argument("token", metavar="ID|NAME")
@click.option("--user", metavar="U", help="The account; needed for a name.")
@click.option(
    "--overlap",
    metavar="TIME",
    help="How long both work: 7d, 12h, or 0.  [default: what the server's policy proposes]",
)
@data_dir_option
@json_option
def rotate_token(data_dir: Path, as_json: bool, **given: Any) -> None:
    """Make a token's successor and print it, this once, alone on standard output. Both work for the overlap."""
    output.check_open()
    now = _open(data_dir)
    from sealstead.server.credentials.admin import rotate_token as rotate

    made = rotate(**given, at=now)
    if as_json:
        output.document({**made.facts, "token": made.token.reveal()})
        return
    output.data(made.token.reveal())
    output.note(f"successor of {made.facts['predecessor']}: id {made.facts['id']}")
    if made.facts["predecessor_retires_at"] <= now.isoformat():
        output.note("the old token has stopped working")
    else:
        output.note(f"the old token works until {_minute(made.facts['predecessor_retires_at'])}")
    output.note("the new token cannot be shown again")


@click.command(
    "revoke-token",
    epilog="""\b
Examples:
  sealstead admin revoke-token 6b1f8c1e-5d0e-4c39-9f0e-3a1f5f4c2d10
  sealstead admin revoke-token laptop --user ada --reason "lost"
""",
)
@click.argument("token", metavar="ID|NAME")
@click.option("--user", metavar="U", help="The account; needed for a name.")
@click.option("--only-this", is_flag=True, help="Keep what was made from it by rotation.")
@click.option("--reason", default="", metavar="TEXT", help="For the events and the owner.")
@data_dir_option
@json_option
def revoke_token(data_dir: Path, as_json: bool, **given: Any) -> None:
    """End a token now, with everything made from it by rotation. This cannot be taken back."""
    now = _open(data_dir)
    from sealstead.server.credentials.admin import revoke_token as revoke

    ended = revoke(**given, at=now)
    if as_json:
        output.document(ended)
        return
    for one in ended:
        output.data(one["id"])
    output.note(f"{len(ended)} {'token' if len(ended) == 1 else 'tokens'} revoked")


def _open(data_dir: Path) -> datetime:
    """Start Django on the data directory and return the moment."""
    from sealstead.server.prepare import open_existing

    open_existing(data_dir)
    from sealstead.server.credentials.admin import now

    return now()


def _minute(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"


def _day(moment: str | None) -> str:
    return "never" if moment is None else moment[:10]
