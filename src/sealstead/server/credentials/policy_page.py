"""`/manage/policy/`: the one policy for API keys and tokens, as it holds now, and for administrators where it is set.

It is read only: who may loosen it is who may write the operator's settings.
"""

from __future__ import annotations

import os
from dataclasses import fields
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from sealstead.lifecycle.policy import MAX_OVERLAP
from sealstead.server.config import PREFIX, Config
from sealstead.server.credentials.policy import current_policy, default_life, default_overlap


@never_cache
@login_required
@require_GET
def policy_page(request: HttpRequest) -> HttpResponse:
    context = {
        "rules": _rules(),
        "longest_possible": _length(MAX_OVERLAP),
        "shows_settings": getattr(request.user, "is_superuser", False),
        "settings_file": "sealstead.toml",
    }
    return render(request, "credentials/policy.html", context)


def _rules() -> list[dict[str, Any]]:
    policy = current_policy()
    without_end = policy.never_expires_allowed and policy.longest_life is None
    return [
        _rule(
            "longest_life",
            _("Longest life"),
            _length(policy.longest_life) if policy.longest_life else _("no limit"),
            _("A new key or token ends at the latest so long after it is made."),
        ),
        _rule(
            "allow_never_expires",
            _("Without an end"),
            _("allowed") if without_end else _("not allowed"),
            _("Whether a key or token may be made that never expires. A longest life rules that out."),
        ),
        _rule(
            "default_life",
            _("Proposed life"),
            _length(default_life()),
            _("What forms and commands propose."),
        ),
        _rule(
            "longest_overlap",
            _("Longest overlap"),
            _length(policy.longest_overlap),
            _("After a rotation the old one is accepted at most so long beside the new one."),
        ),
        _rule(
            "default_overlap",
            _("Proposed overlap"),
            _length(default_overlap()),
            _("What a rotation takes unless told otherwise."),
        ),
        _rule(
            "line_max_age",
            _("Oldest line"),
            _length(policy.longest_line) if policy.longest_line else _("no limit"),
            _(
                "So long after the first of its line was made, no rotation goes on: a new one must be made by hand."
            ),
        ),
    ]


def _rule(setting: str, name: str, value: str, meaning: str) -> dict[str, Any]:
    return {
        "setting": setting,
        "variable": PREFIX + setting.upper(),
        "name": name,
        "value": value,
        "meaning": meaning,
        "source": _source(setting),
    }


def _source(setting: str) -> str:
    """Return where the value comes from: the environment wins over the file."""
    if PREFIX + setting.upper() in os.environ:
        return "environment"
    declared = next(one for one in fields(Config) if one.name == setting)
    return "default" if getattr(settings.SEALSTEAD, setting) == declared.default else "file"


def _length(value: timedelta) -> str:
    """Return a duration in words, rounded to nothing: what no unit divides is told in smaller ones."""
    seconds = int(value.total_seconds())
    if seconds % 86_400 == 0:
        count = seconds // 86_400
        text = ngettext("%(count)d day", "%(count)d days", count)
    elif seconds % 3600 == 0:
        count = seconds // 3600
        text = ngettext("%(count)d hour", "%(count)d hours", count)
    elif seconds % 60 == 0:
        count = seconds // 60
        text = ngettext("%(count)d minute", "%(count)d minutes", count)
    else:
        count = seconds
        text = ngettext("%(count)d second", "%(count)d seconds", count)
    return text % {"count": count}
