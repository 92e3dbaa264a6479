"""`sealstead admin list-users`, `disable-user` and `enable-user`: hung below `admin` in `cli/server.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import output
from sealstead.cli.options import data_dir_option, json_option

if TYPE_CHECKING:
    from sealstead.server.accounts.models import User


@click.command("list-users")
@data_dir_option
@json_option
def list_users(data_dir: Path, as_json: bool) -> None:
    """List all accounts."""
    from sealstead.server.prepare import open_existing

    open_existing(data_dir)
    from sealstead.server.accounts.models import User

    rows = [_facts(user) for user in User.objects.order_by("username")]
    if as_json:
        output.document(rows)
    elif rows:
        output.table(
            ("NAME", "E-MAIL", "STATE", "ADMIN", "ID"),
            [
                (row["username"], row["email"], row["state"], "yes" if row["admin"] else "", row["id"])
                for row in rows
            ],
        )
    else:
        output.note("no account yet; make the first one with: sealstead admin create-user")


@click.command(
    "disable-user",
    epilog="""\b
Example:
  sealstead admin disable-user ada
""",
)
@click.argument("name")
@data_dir_option
@json_option
def disable_user(name: str, data_dir: Path, as_json: bool) -> None:
    """Close the account NAME: its sessions end and its tokens are refused, at once and until it is enabled again."""
    _switch(name, data_dir, active=False, as_json=as_json)


@click.command("enable-user")
@click.argument("name")
@data_dir_option
@json_option
def enable_user(name: str, data_dir: Path, as_json: bool) -> None:
    """Open the account NAME again; its tokens that have not ended meanwhile are accepted again."""
    _switch(name, data_dir, active=True, as_json=as_json)


def _switch(name: str, data_dir: Path, *, active: bool, as_json: bool) -> None:
    from sealstead.server.prepare import open_existing

    open_existing(data_dir)
    from sealstead.server.accounts import disable
    from sealstead.server.accounts.find import get_user
    from sealstead.server.accounts.origin import now
    from sealstead.server.audit.record import Origin

    user = get_user(name)
    verb = disable.enable_user if active else disable.disable_user
    verb(user, at=now(), origin=Origin(user_agent="sealstead admin"))
    if as_json:
        output.document(_facts(user))
    else:
        output.note(f"account {user.username} is {_facts(user)['state']}")


def _facts(user: User) -> dict[str, Any]:
    return {
        "id": str(user.pk),
        "username": user.username,
        "email": user.email,
        "state": "active" if user.is_active else "disabled",
        "admin": user.is_superuser,
    }
