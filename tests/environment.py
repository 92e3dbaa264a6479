"""The environment of child processes."""

from __future__ import annotations

import os
from collections.abc import Mapping


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child process: without any setting of the product, then `extra`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SEALSTEAD_", "DJANGO_"))}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "default"} | dict(extra or {})
