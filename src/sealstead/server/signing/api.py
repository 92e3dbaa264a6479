"""Signing and certificates over `/api/v1`."""

from __future__ import annotations

from typing import Final

from sealstead.server.api_request import Routes

ROUTES: Final[Routes] = {}
