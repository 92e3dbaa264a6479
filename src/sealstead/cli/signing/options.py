"""Options that the signing commands share, and what they come to.

`@signing_options(server=True, key=True)` adds them to a command, which gets one value, `options`. Names are those of
the commands that we replace; where theirs has a short one of two or three letters it takes two dashes.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from sealstead.cli import output
from sealstead.codesign.config import THEMES, ClientConfig, default_config_path, load_config
from sealstead.codesign.paths import chosen_path
from sealstead.errors import InputError
from sealstead.formats.credential_file import DEFAULT_NAME
from sealstead.record import Record
from sealstead.secret import Secret

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_TIMEOUT = 60.0
DEFAULT_RETRIES = 3


class BaseDirectoryError(InputError):
    """The base directory is no directory."""

    code = "base-directory"


class EncodingNameError(InputError):
    """No text encoding has this name."""

    code = "encoding-name"


class SigningOptions(Record):
    """What the shared options, the environment and the settings file come to."""

    config: ClientConfig
    base_directory: Path
    """Absolute; what relative paths begin at."""
    as_json: bool = False
    verbose: bool = False
    encoding: str | None = None
    """A codec of Python, None: nobody said."""
    sign_server: str | None = None
    """As given on the command line; `find_server` knows the rest."""
    allow_untrusted: bool = False
    timeout: float = DEFAULT_TIMEOUT
    retries: int = DEFAULT_RETRIES
    api_key: Secret[str] | None = None
    api_key_file: Path | None = None
    api_key_name: str = DEFAULT_NAME

    def path(self, text: str | Path) -> Path:
        """Return the path that `text` means; raises UnexpandedPathError."""
        return chosen_path(text, base=self.base_directory)

    def tell(self, text: str) -> None:
        """Tell a detail to who asked for them with `--verbose`."""
        if self.verbose:
            output.note(text)

    def tell_of_waiting(self, text: str) -> None:
        """Tell why nothing seems to happen: to a person at a terminal, and to who asked for details."""
        if self.verbose or output.is_watched():
            output.note_over_progress(text)


_COMMON = (
    click.option(
        "-b",
        "--base-directory",
        metavar="DIR",
        help="What relative paths begin at. Default: the current directory.",
    ),
    click.option(
        "--encoding",
        metavar="NAME",
        help="Of text that is read and written: UTF8, UTF16, OEMCodePage or CodePage<number>.",
    ),
    click.option("--theme", type=click.Choice(THEMES, case_sensitive=False), help="Colours of messages."),
    click.option("--nc", "--no-color", "--no-colour", "no_color", is_flag=True, help="No colours."),
    click.option("-v", "--verbose", is_flag=True, help="Tell details."),
    click.option("--nb", "--no-banner", "no_banner", is_flag=True, help="Leave the first line out."),
    click.option("--json", "as_json", is_flag=True, help="Write the result, or the error, as JSON."),
)
_SERVER = (
    click.option(
        "-s",
        "--sign-server",
        metavar="URL",
        help="The signing server. Default: SIGNOTAUR_SERVER, else signServer of the settings file.",
    ),
    click.option(
        "--au",
        "--allow-untrusted",
        "allow_untrusted",
        is_flag=True,
        help="Accept a server certificate that nobody vouches for.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=1, max=3600),
        metavar="SECONDS",
        help=f"How long one answer of the server may take. Default: {DEFAULT_TIMEOUT:g}",
    ),
    click.option(
        "--rf",
        "--retries-on-failure",
        "retries",
        type=click.IntRange(min=0, max=20),
        metavar="N",
        help=f"How often to ask again where that is safe. Default: {DEFAULT_RETRIES}",
    ),
)
_KEY = (
    click.option(
        "-a",
        "--api-key",
        metavar="KEY",
        help="The API key itself; other users of this machine can see it. Better a key file.",
    ),
    click.option(
        "--af",
        "--api-key-file",
        "api_key_file",
        metavar="FILE",
        help="File that holds the API key: alone, or as a dotenv line.",
    ),
    click.option(
        "--akn",
        "--api-key-name",
        "api_key_name",
        metavar="NAME",
        help=f"The variable in a dotenv file or the environment that holds the API key. Default: {DEFAULT_NAME}",
    ),
)
_NAMES = {
    *("base_directory", "encoding", "theme", "no_color", "verbose", "no_banner", "as_json"),
    *("sign_server", "allow_untrusted", "timeout", "retries", "api_key", "api_key_file", "api_key_name"),
}


def signing_options(*, server: bool = False, key: bool = False) -> Callable[[F], F]:
    """Add the shared options to a command; it gets them as `options`, a `SigningOptions`."""

    def add(command: F) -> F:
        @functools.wraps(command)
        def wrapped(**given: Any) -> Any:  # noqa: ANN401 - as the command
            ours = {name: given.pop(name) for name in _NAMES & given.keys()}
            return command(options=_resolved(ours), **given)

        added = (*(_KEY if key else ()), *(_SERVER if server else ()), *_COMMON)
        for option in reversed(added):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[return-value]

    return add


def _resolved(given: Mapping[str, Any]) -> SigningOptions:
    config = load_config(default_config_path())
    theme = given["theme"] or config.text("theme") or "General"
    output.choose_colours("None" if given["no_color"] or config.flag("noColor") else theme)
    encoding = _codec(given["encoding"] or config.text("encoding"))
    if encoding is not None:
        output.choose_encoding(encoding)
    _banner(silent=given["no_banner"] or given["as_json"])
    base = chosen_path(given["base_directory"] or ".", base=Path.cwd())
    if not base.is_dir():
        raise BaseDirectoryError(f"{base} is no directory", hint="--base-directory names one")
    key, key_file = given.get("api_key"), given.get("api_key_file")
    timeout, retries = given.get("timeout"), given.get("retries")
    return SigningOptions(
        config=config,
        base_directory=base,
        as_json=given["as_json"],
        verbose=given["verbose"],
        encoding=encoding,
        sign_server=given.get("sign_server"),
        allow_untrusted=bool(given.get("allow_untrusted")) or config.flag("allowUntrusted"),
        timeout=DEFAULT_TIMEOUT if timeout is None else timeout,
        retries=DEFAULT_RETRIES if retries is None else retries,
        api_key=None if key is None else Secret(key.strip()),
        api_key_file=None if key_file is None else chosen_path(key_file, base=base),
        api_key_name=given.get("api_key_name") or config.text("apiKeyName") or DEFAULT_NAME,
    )


def _banner(*, silent: bool) -> None:
    """Say who speaks where a person may expect another program: under the name that is not ours."""
    program = click.get_current_context().find_root().info_name
    if silent or program != "SignotaurTool":
        return
    # Without the version: to look it up takes a sixth of a short command, and --version tells it.
    output.note("SignotaurTool of Sealstead (not affiliated with the owners of the name SignotaurTool)")


def _codec(name: str | None) -> str | None:
    """Return Python's name of an encoding.

    Raises:
        EncodingNameError: there is none of that name.
    """
    if name is None:
        return None
    import codecs

    wanted = name.strip().lower().replace("-", "").replace("_", "")
    number = wanted.removeprefix("codepage") if wanted.startswith("codepage") else ""
    known = {"utf8": "utf-8", "utf16": "utf-16-le", "oemcodepage": "oem" if os.name == "nt" else "cp437"}
    pages = {"65001": "utf-8", "1200": "utf-16-le", "1201": "utf-16-be", "28591": "latin-1", "20127": "ascii"}
    found = known.get(wanted) or pages.get(number) or (f"cp{number}" if number.isdecimal() else "")
    try:
        return codecs.lookup(found).name
    except (LookupError, ValueError):
        raise EncodingNameError(
            f"no encoding is called {name[:40]!r}",
            hint="use UTF8, UTF16, OEMCodePage or for example CodePage1252",
        ) from None
