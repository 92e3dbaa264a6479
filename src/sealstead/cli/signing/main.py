"""`sealstead signing`, also installed as `SignotaurTool`: the client of a signing server."""

from __future__ import annotations

import click

from sealstead.cli.groups import LazyGroup, Places

COMMANDS: Places = {
    "sign": ("sealstead.cli.signing.sign:sign", "Sign files with a key that the server holds."),
    "timestamp": (
        "sealstead.cli.signing.timestamp:timestamp",
        "Put time-stamps to files that are signed already.",
    ),
    "auth": ("sealstead.cli.signing.auth:auth", "Store an API key, and see how it stands."),
    "certificates": (
        "sealstead.cli.signing.certificates:certificates",
        "List the certificates that the API key may sign with.",
    ),
    "verify": ("sealstead.cli.signing.verify:verify", "Check the signatures of files."),
    "rotate-key": ("sealstead.cli.signing.rotate_key:rotate_key", "Replace an API key, with an overlap."),
    "update": ("sealstead.cli.signing.update:update", "Say how this program is brought up to date."),
    "config": ("sealstead.cli.signing.config:config", "Settings that hold for every command."),
    "completion": (
        "sealstead.cli.completion:completion",
        "Print a script that completes commands in a shell.",
    ),
}


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  echo KEY | SignotaurTool auth set-key --from-stdin --write-key-file ~/.signotaur/api_key.txt
  SignotaurTool sign --af ~/.signotaur/api_key.txt -s https://sign.example.org --label production app.exe
  SignotaurTool rotate-key --af ~/.signotaur/api_key.txt --write-key-file ~/.signotaur/api_key.txt
  SignotaurTool auth status --af ~/.signotaur/api_key.txt -s https://sign.example.org
""",
)
@click.version_option(
    package_name="sealstead",
    message="%(prog)s %(version)s (Sealstead; not affiliated with the owners of the name SignotaurTool)",
)
def signing() -> None:
    """Sign files with keys that a server holds, and look after the API key that this takes."""
