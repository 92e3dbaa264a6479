"""Names and scopes of tokens as people pick them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sealstead.server.credentials.errors import (
    InvalidTokenNameError,
    InvalidTokenScopeError,
    TooManyProjectsError,
)

MAX_NAME_CHARS = 100
MAX_PROJECTS = 100
"""A bound on the row; long names reach that of the token's text sooner (`tokens.MAX_TOKEN_CHARS`)."""


def clean_name(name: str) -> str:
    """Return the name with its blanks settled, in NFC, so that two names that look the same are the same.

    Raises:
        InvalidTokenNameError: empty, too long, or with characters that cannot be seen.
    """
    settled = " ".join(unicodedata.normalize("NFC", name).split())
    if not settled:
        raise InvalidTokenNameError("Specify a token name")
    if len(settled) > MAX_NAME_CHARS:
        raise InvalidTokenNameError(f"a token name has at most {MAX_NAME_CHARS} characters")
    if any(unicodedata.category(character).startswith("C") for character in settled):
        raise InvalidTokenNameError("a token name has only visible characters")
    return settled


def scope_document(projects: Sequence[tuple[str, UUID]] | None) -> dict[str, Any]:
    """Return what the row holds for these projects (normalised name, id), or for all of the owner's if `None`.

    Raises:
        InvalidTokenScopeError: an empty choice, which must never read as "all".
        TooManyProjectsError: more than a row takes.
    """
    if projects is None:
        return {"all_projects": True}
    if not projects:
        raise InvalidTokenScopeError("Specify the token scope")
    if len(projects) > MAX_PROJECTS:
        raise TooManyProjectsError(len(projects))
    return {"projects": {name: str(project_id) for name, project_id in projects}}


def project_names(scope: dict[str, Any]) -> list[str] | None:
    """Return the names a scope document lists, or `None` when it covers all projects of the owner."""
    return None if scope.get("all_projects") is True else sorted(scope.get("projects", {}))
