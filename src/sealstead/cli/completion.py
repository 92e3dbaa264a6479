"""Scripts that complete the commands and options of this program in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from sealstead.cli import output


@click.command(
    epilog="""\b
Examples:
  bash:  sealstead completion bash > ~/.local/share/bash-completion/completions/sealstead
         pypi-profile completion bash > ~/.local/share/bash-completion/completions/pypi-profile
         SignotaurTool completion bash > ~/.local/share/bash-completion/completions/SignotaurTool
  zsh:   sealstead completion zsh > "${fpath[1]}/_sealstead"
  fish:  sealstead completion fish > ~/.config/fish/completions/sealstead.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands and options in SHELL; put it where the shell looks for such."""
    program = ctx.find_root()
    name = program.info_name or "sealstead"
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the three shells of the choice
    script = kind(program.command, {}, name, f"_{name.replace('-', '_').upper()}_COMPLETE")
    # Not `source()`: for bash it starts the bash that is installed and complains about old ones.
    output.data((script.source_template % script.source_vars()).strip())
