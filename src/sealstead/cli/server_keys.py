"""`sealstead admin create-api-key`, `list-api-keys`, `disable-`, `enable-` and `revoke-api-key`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import output
from sealstead.cli.options import data_dir_option, json_option

if TYPE_CHECKING:
    from datetime import datetime

ROLES = ("Standard", "ApiKeyRotator")


@click.command(
    "create-api-key",
    epilog="""\b
Examples:
  sealstead admin create-api-key --user ada --name ci
  sealstead admin create-api-key --user ada --name ci --expires 30d --role Standard --role ApiKeyRotator
  sealstead admin create-api-key --user ada --name ci --label production --network 192.0.2.0/24 --rate 600/m
""",
)
@click.option("--user", required=True, metavar="U", help="The account that the key belongs to.")
@click.option("--name", required=True, metavar="N", help="What the key is for; unique among the account's.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES, case_sensitive=False),
    metavar="[Standard|ApiKeyRotator]",
    default=("Standard",),
    show_default="Standard",
    help="Standard signs, ApiKeyRotator lets it rotate itself; repeatable.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="L",
    help="Narrow it to certificates of this label; repeatable.",
)
@click.option(
    "--network",
    "networks",
    multiple=True,
    metavar="NET",
    help="Narrow it to requests from this network, 192.0.2.0/24; repeatable.",
)
@click.option("--rate", metavar="RATE", help="Narrow it to so many requests of any kind: 60/m, 5/s, 1000/d.")
@click.option(
    "--expires",
    metavar="LIFE",
    help="How long it is valid: 90d, 12h, 2w, or never.  [default: what the server's policy proposes]",
)
@data_dir_option
@json_option
def create_api_key(data_dir: Path, as_json: bool, **given: Any) -> None:
    """Make an API key for signing and print it, this once, alone on standard output."""
    output.check_open()
    now = _open(data_dir)
    from sealstead.server.credentials.admin_keys import create_key
    from sealstead.server.signing.admin import missing_labels

    made = create_key(**given, at=now)
    # No refusal: a script may make keys before certificates, and such a key signs nothing.
    for missing, there in missing_labels(made.facts["labels"] or ()):
        known = f"there are {', '.join(there)}" if there else "there is no certificate yet"
        output.warning(f"no certificate has the label {missing!r}: {known}")
    if as_json:
        output.document({**made.facts, "key": made.key.reveal()})
        return
    output.data(made.key.reveal())
    roles = " and ".join(made.facts["roles"])
    output.note(f"API key {made.facts['name']} of {made.facts['user']} ({roles}): id {made.facts['id']}")
    output.note(f"expires: {made.facts['expires_at'] or 'never'}")
    output.note("the key cannot be shown again")
    output.note("next: SignotaurTool auth set-key --from-stdin --write-key-file FILE, where it is used")


@click.command("list-api-keys")
@click.option("--user", metavar="U", help="Only those of this account.")
@click.option("--all", "everything", is_flag=True, help="Those that their owners have deleted too.")
@data_dir_option
@json_option
def list_api_keys(user: str | None, everything: bool, data_dir: Path, as_json: bool) -> None:
    """List API keys: account, name, roles, state, last use, end, id."""
    now = _open(data_dir)
    from sealstead.server.credentials.admin_keys import list_keys

    found = list_keys(user=user, everything=everything, at=now)
    if as_json:
        output.document(found)
        return
    if not found:
        output.note("no API keys")
        return
    output.table(
        ("user", "name", "roles", "state", "last used", "ends", "id"),
        [
            (
                one["user"],
                one["name"],
                ",".join(one["roles"]),
                _state(one),
                _day(one["last_used_at"]),
                _day(one["ends_at"]),
                one["id"],
            )
            for one in found
        ],
    )


@click.command("disable-api-key")
@click.argument("key", metavar="ID|NAME")
@click.option("--user", metavar="U", help="The account; needed for a name.")
@data_dir_option
@json_option
def disable_api_key(key: str, user: str | None, data_dir: Path, as_json: bool) -> None:
    """Have an API key refused until it is enabled again. A name stands for the newest key of its line."""
    _switch(key, user, data_dir, as_json=as_json, enabled=False)


@click.command("enable-api-key")
@click.argument("key", metavar="ID|NAME")
@click.option("--user", metavar="U", help="The account; needed for a name.")
@data_dir_option
@json_option
def enable_api_key(key: str, user: str | None, data_dir: Path, as_json: bool) -> None:
    """Have a disabled API key accepted again. A name stands for the newest key of its line."""
    _switch(key, user, data_dir, as_json=as_json, enabled=True)


@click.command(
    "revoke-api-key",
    epilog="""\b
Examples:
  sealstead admin revoke-api-key Tq3Xw0JmB7aK
  sealstead admin revoke-api-key ci --user ada --reason "lost"
""",
)
@click.argument("key", metavar="ID|NAME")
@click.option("--user", metavar="U", help="The account; needed for a name.")
@click.option("--only-this", is_flag=True, help="Keep what was made from it by rotation.")
@click.option("--reason", default="", metavar="TEXT", help="For the events and the owner.")
@data_dir_option
@json_option
def revoke_api_key(data_dir: Path, as_json: bool, **given: Any) -> None:
    """End an API key now, with every key made from it by rotation. This cannot be taken back."""
    now = _open(data_dir)
    from sealstead.server.credentials.admin_keys import revoke_key

    ended = revoke_key(**given, at=now)
    if as_json:
        output.document(ended)
        return
    for one in ended:
        output.data(one["id"])
    output.note(f"{len(ended)} API {'key' if len(ended) == 1 else 'keys'} revoked")


def _switch(key: str, user: str | None, data_dir: Path, *, as_json: bool, enabled: bool) -> None:
    now = _open(data_dir)
    from sealstead.server.credentials.admin_keys import switch_key

    facts, changed = switch_key(key=key, user=user, enabled=enabled, at=now)
    if as_json:
        output.document(facts)
        return
    state = "enabled" if enabled else "disabled"
    output.note(f"the API key {facts['name']} ({facts['id']}) is {state}{'' if changed else ' already'}")


def _state(key: dict[str, Any]) -> str:
    if key["removed_at"] is not None:
        return "deleted"
    return str(key["state_text"])


def _open(data_dir: Path) -> datetime:
    """Start Django on the data directory and return the moment."""
    from sealstead.server.prepare import open_existing

    open_existing(data_dir)
    from sealstead.server.credentials.admin import now

    return now()


def _day(moment: str | None) -> str:
    return "never" if moment is None else moment[:10]
