"""`auth set-key`: store an API key without a trace in the shell's history."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sealstead.cli import output
from sealstead.cli.signing.auth_status import moment
from sealstead.cli.signing.context import open_server
from sealstead.cli.signing.options import SigningOptions, signing_options
from sealstead.codesign.key_sources import FoundKey, KeySource
from sealstead.codesign.key_targets import KeyTarget
from sealstead.codesign.set_key import (
    GivenKey,
    key_from_bytes,
    key_from_environment,
    key_from_text,
    store_key,
)
from sealstead.formats.credential_file import DEFAULT_NAME, MAX_BYTES, FileKind, check_name

if TYPE_CHECKING:
    from sealstead.codesign.server_values import KeyInfo
    from sealstead.secret import Secret


@click.command(
    "set-key",
    epilog="""\b
Examples:
  echo KEY | SignotaurTool auth set-key --from-stdin --write-key-file ~/.signotaur/api_key.txt
  SignotaurTool auth set-key --from-env CI_SIGN_KEY --write-env-file .env --if-missing
""",
)
@click.option("--fs", "--from-stdin", "from_stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--fe", "--from-env", "from_env", metavar="NAME", help="Read the key from this variable.")
@click.option(
    "-a",
    "--api-key",
    "argument",
    metavar="KEY",
    help="The key itself: it stays in the shell's history, and other users can see it.",
)
@click.option("--wk", "--write-key-file", "key_file", metavar="FILE", help="Write the key alone, 0600.")
@click.option(
    "--we", "--write-env-file", "env_file", metavar="FILE", help="Write a dotenv line; the others are kept."
)
@click.option(
    "--wn",
    "--write-env-var-name",
    "variable",
    metavar="NAME",
    help=f"The variable in the dotenv file. Default: {DEFAULT_NAME}",
)
@click.option("--im", "--if-missing", "if_missing", is_flag=True, help="Leave a key alone that is there.")
@click.option(
    "--vf", "--verify", "verify", is_flag=True, help="Ask the server about the key before storing it."
)
@click.option("--force", is_flag=True, help="Write into a git work tree, too.")
@signing_options(server=True)
def set_key(
    options: SigningOptions,
    from_stdin: bool,
    from_env: str | None,
    argument: str | None,
    key_file: str | None,
    env_file: str | None,
    variable: str | None,
    if_missing: bool,
    verify: bool,
    force: bool,
) -> None:
    """Store an API key: exactly one place to read it from, exactly one to write it to."""
    if sum((from_stdin, from_env is not None, argument is not None)) != 1:
        raise click.UsageError("give exactly one of --from-stdin, --from-env and --api-key")
    target = chosen_target(options, key_file, env_file, variable)
    if target is None:
        raise click.UsageError("give exactly one of --write-key-file and --write-env-file")

    def read() -> GivenKey:
        if from_env is not None:
            return key_from_environment(from_env)
        if argument is not None:
            output.warning("the key stood on the command line; clear it from the shell's history")
            return key_from_text(argument, where="--api-key")
        return _from_stdin(options)

    seen: list[tuple[str, KeyInfo]] = []
    stored = store_key(
        target,
        read,
        verify=(lambda key: seen.append(_verify(options, key))) if verify else None,
        if_missing=if_missing,
        force=force,
    )
    if stored.warning:
        output.warning(stored.warning)
    if options.as_json:
        server, info = seen[0] if seen else (None, None)
        output.document(
            {
                "path": str(target.path),
                "kind": target.kind,
                "written": stored.written,
                "warning": stored.warning,
                "server": server,
                "key": None if info is None else info.document,
            }
        )
    elif stored.written:
        output.note(f"stored in {target.path}")
    else:
        output.note(f"{target.path} holds a key already; it is left as it is")


def chosen_target(
    options: SigningOptions, key_file: str | None, env_file: str | None, variable: str | None
) -> KeyTarget | None:
    """Return where the key goes; None unless exactly one is named.

    Raises:
        VariableNameError, UnexpandedPathError: as they say.
    """
    if variable is not None and env_file is None:
        raise click.UsageError("--write-env-var-name goes with --write-env-file")
    if (key_file is None) == (env_file is None):
        return None
    name = check_name(variable or DEFAULT_NAME)
    if env_file is not None:
        return KeyTarget(path=options.path(env_file), kind=FileKind.DOTENV, name=name)
    return KeyTarget(path=options.path(str(key_file)), kind=FileKind.PLAIN, name=name)


def _from_stdin(options: SigningOptions) -> GivenKey:
    if sys.stdin.isatty():
        typed: str = click.prompt("API key", hide_input=True, err=True)
        return key_from_text(typed, where="standard input")
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if options.encoding is not None and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        data = data.decode(options.encoding, "replace").encode()
    return key_from_bytes(data, where="standard input")


def _verify(options: SigningOptions, key: Secret[str]) -> tuple[str, KeyInfo]:
    """Return what the server at this address says about the key."""
    api = open_server(options, FoundKey(text=key, source=KeySource.ARGUMENT))
    info = api.key_info()
    if not options.as_json:
        output.note(
            f"{api.url} knows the key: {info.name} of {info.owner}, {info.state}, until {moment(info.expires_at)}"
        )
    return api.url, info
