from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fakes.web import Web, start_web


@pytest.fixture
def web() -> Iterator[Web]:
    with start_web() as web:
        yield web
