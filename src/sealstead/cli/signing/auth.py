"""`auth`: store an API key, and see how it stands."""

from __future__ import annotations

import click

from sealstead.cli.groups import LazyGroup, Places

COMMANDS: Places = {
    "set-key": ("sealstead.cli.signing.auth_set_key:set_key", "Store an API key in a file."),
    "status": ("sealstead.cli.signing.auth_status:status", "Show how the API key stands at the server."),
}


@click.group(cls=LazyGroup, places=COMMANDS)
def auth() -> None:
    """Store an API key, and see how it stands."""
