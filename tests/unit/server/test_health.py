from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

pytestmark = pytest.mark.django_db


def probe(path: str, **extra: Any) -> tuple[int, Any]:
    response = Client().get(path, **extra)
    assert response["Cache-Control"] == "no-store"
    return response.status_code, json.loads(response.content)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_working_server_is_well_whatever_host_the_probe_names(path: str) -> None:
    assert probe(path) == (200, {"status": "ok"})
    assert probe(path, headers={"host": "10.0.0.5:8000"}) == (200, {"status": "ok"})
    assert probe(path, headers={"host": "not a host"}) == (200, {"status": "ok"})


def test_a_probe_opens_no_session() -> None:
    assert not Client().get("/health/ready").cookies


def test_a_schema_behind_is_not_ready() -> None:
    MigrationRecorder.Migration.objects.filter(app="audit").delete()
    assert probe("/health/ready") == (503, {"status": "unavailable", "failed": ["schema"]})
    assert probe("/health/live")[0] == 200


def test_storage_that_is_gone_is_not_ready(settings: Any, tmp_path: Path) -> None:
    settings.SEALSTEAD = replace(settings.SEALSTEAD, data_dir=tmp_path / "gone")
    assert probe("/health/ready") == (503, {"status": "unavailable", "failed": ["storage"]})


def test_a_database_that_does_not_answer_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError, connection

    def closed() -> None:
        raise OperationalError("password authentication failed for user me")

    monkeypatch.setattr(connection, "cursor", closed)
    assert probe("/health/ready") == (503, {"status": "unavailable", "failed": ["database"]})


def test_nothing_is_posted_to_it() -> None:
    response = Client().post("/health/ready")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
