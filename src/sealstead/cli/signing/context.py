"""What a signing command starts from: the server, with the key that it is asked with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sealstead.cli import output
from sealstead.codesign.key_sources import FoundKey, find_key, find_server

if TYPE_CHECKING:
    from sealstead.cli.signing.options import SigningOptions
    from sealstead.codesign.server_api import ServerApi


def find_api_key(options: SigningOptions, *, exclusive: bool = False, again: bool = False) -> FoundKey:
    """Return the key of the options, the environment or the settings; raises as `find_key`.

    `again`: it has been read and told of before.
    """
    found = find_key(
        argument=options.api_key,
        key_file=options.api_key_file,
        name=options.api_key_name,
        config=options.config,
        exclusive=exclusive,
    )
    if again:
        return found
    for warning in found.warnings:
        output.warning(warning)
    options.tell(f"API key: from {found.where}")
    return found


def open_server(options: SigningOptions, key: FoundKey | None = None) -> ServerApi:
    """Return the server to ask, with the key of `find_api_key` unless another is given. Nothing is asked yet.

    Raises:
        NoServerError, ServerAddressError: none was named, or the key would travel in the clear.
        NoApiKeyError and what else `find_key` raises.
    """
    from sealstead.codesign.server_api import ServerApi  # a command that refuses at once need not load it

    url = find_server(options.sign_server, options.config)
    found = key or find_api_key(options)
    api = ServerApi(
        url,
        found.text,
        allow_untrusted=options.allow_untrusted,
        seconds=options.timeout,
        retries=options.retries,
        told=options.tell_of_waiting,
    )
    if options.allow_untrusted and url.strip().lower().startswith("https://"):
        output.warning("the server's certificate is not checked: whoever is in between can read the API key")
    options.tell(f"server: {api.url}")
    return api
