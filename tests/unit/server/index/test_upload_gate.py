"""What may change while the body of an upload comes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.test.client import FakePayload
from tests.factories import make_wheel
from tests.fakes.clock import FakeClock
from tests.rows import make_user
from tests.uploads import CONTENT_TYPE, body_of, issue_token

from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke
from sealstead.server.index.models import File, Project

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class Body(FakePayload):
    """A body during whose first read something else happens."""

    def __init__(self, content: bytes, meanwhile: Callable[[], object]) -> None:
        super().__init__(content)
        self._meanwhile: Callable[[], object] | None = meanwhile

    def read(self, size: int | None = None) -> bytes:
        if self._meanwhile is not None:
            self._meanwhile, meanwhile = None, self._meanwhile
            meanwhile()
        data: bytes = super().read(size)
        return data


def revoke_token(clock: FakeClock) -> None:
    row = Credential.objects.get()
    revoke(row, actor=row.owner, at=clock.now(), origin=Origin())


def close_account(_clock: FakeClock) -> None:
    User.objects.update(is_active=False)


@pytest.mark.parametrize("meanwhile", [revoke_token, close_account])
def test_a_credential_that_ends_while_the_body_comes_in_writes_nothing(
    tmp_path: Path, fake_clock: FakeClock, settings: Any, meanwhile: Callable[[FakeClock], None]
) -> None:
    (tmp_path / "data").mkdir()
    settings.SEALSTEAD = replace(settings.SEALSTEAD, data_dir=tmp_path / "data")
    make_user("ada")
    token = issue_token("ada")
    body = body_of(make_wheel(tmp_path, "example", "1.0"))
    extra: dict[str, Any] = {
        "wsgi.input": Body(body, lambda: meanwhile(fake_clock)),
        "CONTENT_TYPE": CONTENT_TYPE,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {token}",
    }
    response = Client().generic("POST", "/legacy/", **extra)
    assert response.status_code == 403
    assert "Invalid or non-existent authentication information" in response.reason_phrase
    assert not File.objects.exists()
    assert not Project.objects.exists()
