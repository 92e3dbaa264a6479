"""The address under which samples and `security.txt` name this server."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def server_address(request: HttpRequest) -> str:
    """Return scheme and host without a final slash.

    The operator's `public_url`; where none was set it is the listening address, and then the host the visitor
    used says more. Django has refused hosts that are not ours by the time a view runs.
    """
    public: str = settings.SEALSTEAD.public_url
    here = f"{request.scheme}://{request.get_host()}"
    if urlsplit(public).hostname in _LOOPBACK and urlsplit(here).hostname not in _LOOPBACK:
        return here
    return public
