"""API keys on a real server with two workers: rotations at the same moment, what is refused and how, and its logs."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.server_process import Server

from sealstead.formats.api_key_text import ApiKeyText, make_api_key

pytestmark = pytest.mark.usefixtures("server")


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.json = status, headers, json.loads(body)


def ask(server: Server, path: str, key: str, body: Any = None, **headers: str) -> Answer:
    request = urllib.request.Request(
        f"{server.url}/api/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as exc:
        return Answer(exc.code, exc.headers, exc.read())


def rotate(server: Server, key: str, new: ApiKeyText, *, run: str, overlap: int = 3600) -> Answer:
    body = {"id": new.id, "secret_sha256": new.secret_sha256, "overlap_seconds": overlap}
    return ask(server, "key/rotate", key, body, **{"Idempotency-Key": run})


@pytest.fixture
def key(server: Server) -> str:
    name = f"keyed-{secrets.token_hex(4)}"
    server.admin(
        "create-user",
        name,
        "--email",
        f"{name}@example.org",
        "--password-stdin",
        stdin="correct horse staple",
    )
    roles = ("--role", "Standard", "--role", "ApiKeyRotator")
    return server.admin("create-api-key", "--user", name, "--name", "ci", "--expires", "30d", *roles).strip()


def test_eight_rotations_at_once_make_one_living_successor(server: Server, key: str) -> None:
    """Different ones: each that succeeds takes the place of one never used, so that one lives in the end."""
    made = [make_api_key(os.urandom) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: rotate(server, key, made[n], run=f"run-{n}"), range(8)))
    assert {answer.status for answer in answers} <= {200, 409}
    living = [one.id for one in made if ask(server, "key", one.text.reveal()).status == 200]
    assert len(living) == 1
    shown = ask(server, "key", key).json
    assert shown["state"] == "retiring"
    assert shown["successor"]["id"] == living[0]


def test_one_rotation_sent_eight_times_at_once_is_one(server: Server, key: str) -> None:
    new = make_api_key(os.urandom)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: rotate(server, key, new, run="run", overlap=0), range(8)))
    assert [answer.status for answer in answers] == [200] * 8
    assert sum(not answer.json["repeated"] for answer in answers) == 1
    assert {answer.json["key"]["id"] for answer in answers} == {new.id}
    old = ask(server, "key", key)
    assert (old.status, old.json["code"]) == (401, "api-key-retired")
    assert old.json["detail"].startswith("the API key was revoked automatically by rotation")
    assert ask(server, "key", new.text.reveal()).json["predecessor"]["state"] == "retired"


def test_refusals_are_problem_details(server: Server, key: str) -> None:
    wrong = make_api_key(os.urandom).text.reveal()
    answers = [ask(server, "key", one) for one in (wrong, "", "pypi-x", key[:-1])]
    assert len({json.dumps(answer.json) for answer in answers}) == 1
    for answer in answers:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["code"] == "invalid-api-key"
    late = rotate(server, key, make_api_key(os.urandom), run="x", overlap=31 * 86_400)
    assert (late.status, late.json["code"]) == (400, "invalid-overlap")
    limited = server.admin(
        *("create-api-key", "--user", ask(server, "key", key).json["owner"], "--name", "slow"),
        *("--rate", "1/h", "--network", "127.0.0.0/8"),
    ).strip()
    assert ask(server, "key", limited).status == 200
    refused = ask(server, "key", limited)
    assert (refused.status, refused.json["code"]) == (429, "key-rate-exceeded")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600


def test_no_secret_reaches_the_log_or_the_disk(server: Server, key: str) -> None:
    new = make_api_key(os.urandom)
    rotate(server, key, new, run="run")
    ask(server, "key", new.text.reveal())
    parts = [key.split("_")[2].encode(), new.secret.reveal().encode(), new.secret_sha256.encode()]
    parts.append(bytes.fromhex(new.secret_sha256))
    files = [server.log, *(path for path in server.data_dir.rglob("*") if path.is_file())]
    for path in files:
        with contextlib.suppress(FileNotFoundError):  # of SQLite, which removes some as it goes
            content = path.read_bytes()
            assert not any(part in content for part in parts), path
