"""`/security/` and `/.well-known/security.txt` (RFC 9116), from the operator's settings.

Without a contact there is no `security.txt`: a file whose reports reach nobody is worse than none (RFC 9116, section
5.3). `/security/` then tells the operator which setting is missing.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sealstead.server.config import Config
from sealstead.server.site.address import server_address

PATH = ".well-known/security.txt"
_DEFAULT_LIFE = timedelta(days=364)
"""RFC 9116, section 2.5.5 recommends less than a year ahead."""


def expires_at(config: Config, *, now: datetime) -> datetime:
    """Return the moment after which the contact should not be relied upon.

    Without a date from the operator it moves along: the server speaks for its own settings as long as it runs.
    """
    if config.security_expires:
        day = datetime.fromisoformat(config.security_expires)
        return day.replace(tzinfo=UTC) if day.tzinfo is None else day.astimezone(UTC)
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC) + _DEFAULT_LIFE


def security_txt(config: Config, *, address: str, now: datetime) -> str:
    """Return the file. Contacts stand in order of preference; every field is one line."""
    fields = [("Contact", contact) for contact in config.security_contact]
    fields.append(("Expires", expires_at(config, now=now).strftime("%Y-%m-%dT%H:%M:%SZ")))
    if config.security_languages:
        fields.append(("Preferred-Languages", ", ".join(config.security_languages)))
    fields.append(("Canonical", f"{address}/{PATH}"))
    fields.append(("Policy", config.security_policy or f"{address}/security/"))
    return "".join(f"{name}: {' '.join(value.split())}\r\n" for name, value in fields)


@require_safe
def security_txt_file(request: HttpRequest) -> HttpResponse:
    config: Config = settings.SEALSTEAD
    if not config.security_contact:
        raise Http404
    text = security_txt(config, address=server_address(request), now=config.clock.now())
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
def security_page(request: HttpRequest) -> HttpResponse:
    config: Config = settings.SEALSTEAD
    context = {
        "contacts": config.security_contact,
        "policy": config.security_policy,
        "languages": config.security_languages,
        "expires_at": expires_at(config, now=config.clock.now()),
        "security_txt": f"/{PATH}",
    }
    return render(request, "site/security.html", context)
