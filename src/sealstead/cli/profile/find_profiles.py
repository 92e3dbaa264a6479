"""`find-profiles`."""

from __future__ import annotations

from pathlib import Path

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.options import dry_run_option, interactive_option
from sealstead.identity.find_profiles import DEPTH, find_profiles


@click.command(
    "find-profiles",
    epilog="""\b
Examples:
  pypi-profile find-profiles
  pypi-profile find-profiles ~/src --depth 3 --json
""",
)
@click.argument("root", type=click.Path(path_type=Path), default=Path(), metavar="[ROOT]")
@click.option(
    "--depth",
    type=click.IntRange(0, 100),
    default=DEPTH,
    show_default=True,
    help="How many directories deep to look.",
)
@json_option
@dry_run_option
@interactive_option
def find_profiles_command(
    root: Path, depth: int, as_json: bool, dry_run: bool, interactive: bool | None
) -> None:
    """Find the profiles below a directory: pypi_profile.toml, and pyproject.toml with [tool.pypi-profile].

    Without ROOT it looks in the current directory. Hidden directories, and those that tools make (build, dist,
    node_modules, environments), are left out; links are not followed.
    """
    found = find_profiles(root, depth=depth)
    if as_json:
        output.document({"root": str(root.resolve()), "matches": [str(path) for path in found]})
        return
    for path in found:
        output.data(str(path))
    if not found:
        output.note("no profile here; pypi-profile init writes one")
