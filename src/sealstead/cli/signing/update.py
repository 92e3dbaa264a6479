"""`update`: scripts for the commands that we replace call it; this program is updated by whatever installed it."""

from __future__ import annotations

import click

from sealstead.cli import output
from sealstead.cli.signing.options import SigningOptions, signing_options


@click.command()
@click.option("--um", "--update-mode", "mode", metavar="MODE", help="Taken and ignored.")
@signing_options(server=True)
def update(options: SigningOptions, mode: str | None) -> None:
    """Say how this program is brought up to date: a signing server never sends programs to its clients."""
    from importlib.metadata import version

    installed = version("sealstead")
    command = "python -m pip install --upgrade sealstead"
    if options.as_json:
        output.document({"version": installed, "updated": False, "command": command})
        return
    output.note(
        f"this is Sealstead {installed}; nothing was changed. Update it as it was installed, for example:"
    )
    output.data(command)
