"""Template tags of the frame: `{% load site %}`."""

from __future__ import annotations

from django import template

from sealstead.server.site.language import Language, offered_languages

register = template.Library()


@register.simple_tag
def site_languages() -> list[Language]:
    return offered_languages()


@register.filter
def starts_with(value: object, prefix: str) -> bool:
    """Tell whether `value` begins with `prefix`; an absent variable does not."""
    return str(value or "").startswith(prefix)
