"""Template tags of the frame: `{% load site %}`."""

from __future__ import annotations

from django import template
from django.conf import settings

from sealstead.server.site.language import Language, offered_languages

register = template.Library()


@register.simple_tag
def site_languages() -> list[Language]:
    return offered_languages()


@register.simple_tag
def site_name() -> str:
    """Return what the operator calls this server."""
    name: str = settings.SEALSTEAD.site_name
    return name


@register.filter
def starts_with(value: object, prefix: str) -> bool:
    """Tell whether `value` begins with `prefix`; an absent variable does not."""
    return str(value or "").startswith(prefix)
