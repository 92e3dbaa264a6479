"""`config`: get, set, unset, list, path of `~/.signotaur/config.json`."""

from __future__ import annotations

import click

from sealstead.cli import output
from sealstead.cli.groups import Group
from sealstead.cli.signing.options import SigningOptions, signing_options
from sealstead.codesign.config import KEYS, SECRET_KEYS, ConfigKeyNotSetError, canonical_key, parse_value


def _keys(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    return [key for key in KEYS if key.lower().startswith(begun.lower())]


@click.group(
    cls=Group,
    epilog="""\b
Examples:
  SignotaurTool config set signServer https://sign.example.org
  SignotaurTool config set apiKeyFile ~/.signotaur/api_key.txt
  SignotaurTool config set label production
  SignotaurTool config list --all                     every KEY, and what it means
""",
)
def config() -> None:
    """Settings that hold for every command; a command line says more, and so does SIGNOTAUR_SERVER.

    They stand in ~/.signotaur/config.json. What is in there and not ours stays there.
    """


@config.command("path")
@signing_options()
def path_command(options: SigningOptions) -> None:
    """Show where the settings file is."""
    if options.as_json:
        output.document({"path": str(options.config.path), "exists": options.config.path.exists()})
    else:
        output.data(str(options.config.path))


@config.command("get")
@click.argument("key", shell_complete=_keys)
@signing_options()
def get_command(options: SigningOptions, key: str) -> None:
    """Show the value of KEY; `config list --all` names them all."""
    name = _known(options, key)
    if name not in options.config.values:
        raise ConfigKeyNotSetError(f"{name} is not set", hint=f"config set {name} VALUE")
    value = options.config.values[name]
    if options.as_json:
        output.document({"key": name, "value": value})
    else:
        output.data(_shown(value))


@config.command("set")
@click.argument("key", shell_complete=_keys)
@click.argument("value")
@signing_options()
def set_command(options: SigningOptions, key: str, value: str) -> None:
    """Set KEY to VALUE; `config list --all` names the keys and says what they mean."""
    name = canonical_key(key)
    parsed = parse_value(name, value)
    if name == "apiKeyFile":
        parsed = str(options.path(value))  # it will be read from other directories
    options.config.values[name] = parsed
    options.config.save()
    if options.as_json:
        output.document({"key": name, "value": parsed, "path": str(options.config.path)})
    else:
        output.note(f"{name} = {_shown(parsed)} in {options.config.path}")


@config.command("unset")
@click.argument("key", shell_complete=_keys)
@signing_options()
def unset_command(options: SigningOptions, key: str) -> None:
    """Remove KEY; it is no mistake if it is not there."""
    name = key if key in options.config.values else _known(options, key)
    was = options.config.values.pop(name, None)
    if was is not None:
        options.config.save()
    if options.as_json:
        output.document({"key": name, "was_set": was is not None})
    else:
        output.note(f"{name} is not set" + (" any more" if was is not None else ""))


@config.command("list")
@click.option(
    "--all", "everything", is_flag=True, help="Also the settings that are not set, and their meaning."
)
@signing_options()
def list_command(options: SigningOptions, everything: bool) -> None:
    """Show the settings; an API key that somebody wrote among them is not shown."""
    values = {
        name: "(hidden)" if name.lower() in SECRET_KEYS else value
        for name, value in options.config.values.items()
    }
    if options.as_json:
        output.document(values)
        return
    if everything:
        rows = [(name, _shown(values.get(name, "")), key.meaning) for name, key in KEYS.items()]
        rows += [(name, _shown(value), "") for name, value in values.items() if name not in KEYS]
        output.table(("KEY", "VALUE", "MEANING"), rows)
    elif values:
        output.facts([(output.plain(name), _shown(value)) for name, value in values.items()])
    else:
        output.note("nothing is set")


def _known(options: SigningOptions, key: str) -> str:
    """Return the name of a key that is there or could be; one of another program is taken as it is written."""
    if key in options.config.values and key.lower() not in SECRET_KEYS:
        return key
    return canonical_key(key)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)
