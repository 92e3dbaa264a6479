"""`SignotaurTool` as the harness runs it: everything imported once."""

from __future__ import annotations

import importlib


def prepare() -> None:
    """Called once, in the process that forks all others."""
    from sealstead.cli.signing.main import COMMANDS
    from sealstead.codesign.kinds import KINDS

    for place in [place for place, _ in COMMANDS.values()] + [kind.place for kind in KINDS]:
        importlib.import_module(place.partition(":")[0])
    for name in ("cms", "authenticode", "pe", "powershell"):
        importlib.import_module(f"sealstead.formats.{name}")
    for name in (
        "urllib3",
        "sealstead.codesign.sign",
        "sealstead.codesign.undo",
        "sealstead.cli.signing.results",
        "sealstead.cli.signing.auth_set_key",
        "sealstead.codesign.rotate",
        "sealstead.codesign.server_api",
    ):
        importlib.import_module(name)


def main(arguments: list[str]) -> int:
    from sealstead.cli.main import run
    from sealstead.cli.signing.main import signing

    return run(signing, "SignotaurTool", arguments)
