"""What a holder of an API key asks about the key itself: `/api/v1/key` and its rotation."""

from __future__ import annotations

from typing import Final

from sealstead.server.api_request import Routes

ROUTES: Final[Routes] = {}
