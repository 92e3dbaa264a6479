"""A real server starts with two workers, on its own data directory, on either database."""

from __future__ import annotations

import pytest
from tests.server_process import Server


@pytest.mark.database
def test_two_workers_answer_on_an_own_data_directory(server: Server) -> None:
    assert len(server.workers()) == 2
    assert (server.data_dir / "keyring.json").exists()


@pytest.mark.database
def test_an_account_is_made_while_the_server_runs(server: Server) -> None:
    assert server.admin(
        "create-user",
        "grace",
        "--email",
        "grace@example.org",
        "--password-stdin",
        stdin="correct horse battery\n",
    )
