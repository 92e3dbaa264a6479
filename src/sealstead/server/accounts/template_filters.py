"""Template filters of accounts (library `accounts`)."""

from __future__ import annotations

import json

from django import template
from django.core.serializers.json import DjangoJSONEncoder

register = template.Library()


@register.filter
def as_json(value: object) -> str:
    """Return JSON for an attribute; the template escapes it. A script block would be inline, which the policy forbids."""
    return json.dumps(value, cls=DjangoJSONEncoder)
