"""The operator's policy for credentials, out of the settings."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from sealstead.lifecycle.policy import Policy


def current_policy() -> Policy:
    config = settings.SEALSTEAD
    return Policy(
        longest_life=config.longest_life,
        longest_overlap=config.longest_overlap,
        never_expires_allowed=config.allow_never_expires,
        longest_line=config.line_max_age,
    )


def default_life() -> timedelta:
    """Return the life to propose for a new credential, within the policy."""
    config = settings.SEALSTEAD
    return (
        config.default_life if config.longest_life is None else min(config.default_life, config.longest_life)
    )


def default_overlap() -> timedelta:
    return min(settings.SEALSTEAD.default_overlap, settings.SEALSTEAD.longest_overlap)
