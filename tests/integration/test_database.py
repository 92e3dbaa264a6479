"""What every test of the database relies on: that it is the chosen one."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_database_is_the_one_asked_for(pytestconfig: pytest.Config) -> None:
    vendors = {"sqlite": "sqlite", "postgres": "postgresql"}
    assert connection.vendor == vendors[pytestconfig.getoption("--database")]
    assert connection.settings_dict["NAME"] != "postgres"
