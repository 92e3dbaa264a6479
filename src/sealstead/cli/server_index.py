"""`sealstead admin switches`: hung below `admin` in `cli/server.py`."""

from __future__ import annotations

from pathlib import Path

import click

from sealstead.cli import output
from sealstead.cli.options import data_dir_option, json_option

_STATES = {True: "on", False: "off"}


@click.command(
    epilog="""\b
Examples:
  sealstead admin switches
  sealstead admin switches --read-only
  sealstead admin switches --no-read-only --no-new-projects
"""
)
@click.option("--read-only/--no-read-only", default=None, help="Refuse every upload.")
@click.option("--uploads/--no-uploads", default=None, help="Accept uploads.")
@click.option("--new-projects/--no-new-projects", default=None, help="Accept uploads of new projects.")
@data_dir_option
@json_option
def switches(
    read_only: bool | None, uploads: bool | None, new_projects: bool | None, data_dir: Path, as_json: bool
) -> None:
    """Turn the switches of the whole index and show where they stand; refused uploads say why."""
    from sealstead.server.prepare import open_existing

    open_existing(data_dir)
    from sealstead.server.credentials.admin import now
    from sealstead.server.index.states import Switches, set_switches

    state = set_switches(
        Switches(
            read_only=read_only,
            uploads_disabled=None if uploads is None else not uploads,
            new_projects_disabled=None if new_projects is None else not new_projects,
        ),
        at=now(),
    )
    shown = {
        "read-only": state.read_only,
        "uploads": not state.uploads_disabled,
        "new-projects": not state.new_projects_disabled,
    }
    if as_json:
        output.document(shown)
        return
    for name, value in shown.items():
        output.data(f"{name}: {_STATES[value]}")
