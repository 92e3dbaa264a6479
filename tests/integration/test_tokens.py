"""Tokens on a real server with two workers: at the same moment, from one address, and in its logs."""

from __future__ import annotations

import base64
import http.client
import json
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from typing import Any

import pytest
from tests.server_process import Server, start_server

from sealstead.formats.token_text import parse_token
from sealstead.server.credentials.tokens import MAX_TOKEN_CHARS

PASSWORD = "correct horse battery staple"
TOKEN = re.compile(r"pypi-[A-Za-z0-9_-]{80,}")
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Visitor:
    """A signed-in person, without a browser."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.name = f"user-{secrets.token_hex(5)}"
        email = f"{self.name}@example.org"
        server.admin("create-user", self.name, "--email", email, "--password-stdin", stdin=PASSWORD + "\n")
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open
        status, _ = self.post("/account/login/", login=self.name, password=PASSWORD)
        assert status == 200

    def get(self, path: str) -> str:
        with self._open(self.server.url + path, timeout=30) as answer:
            return str(answer.read().decode())

    def form(self, path: str, **fields: str) -> urllib.request.Request:
        """Read the page, and return its form filled in."""
        found = CSRF.search(self.get(path))
        assert found is not None
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": found[1], **fields}).encode()
        return urllib.request.Request(self.server.url + path, data=body, headers={"Referer": self.server.url})

    def send(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as exc:
            return exc.code, exc.read().decode()

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        return self.send(self.form(path, **fields))

    def tokens(self) -> list[dict[str, Any]]:
        return list(json.loads(self.server.admin("list-tokens", "--user", self.name, "--json")))


def present(server: Server, token: str, *, scheme: str = "basic") -> tuple[int, str, dict[str, str]]:
    """Begin an upload that is refused for its form at the latest: 400 means that the token was good."""
    carried = {
        "basic": "Basic " + base64.b64encode(f"__token__:{token}".encode()).decode(),
        "bearer": f"Bearer {token}",
    }[scheme]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\r\n--x--\r\n'
    headers = {"Authorization": carried, "Content-Type": "multipart/form-data; boundary=x"}
    connection.request("POST", "/legacy/", body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.reason, {k.lower(): v for k, v in answer.getheaders()}


def good(server: Server, token: str) -> bool:
    status, _, _ = present(server, token)
    assert status in {400, 403}
    return status == 400


def at_once(visitor: Visitor, requests: list[urllib.request.Request]) -> list[tuple[int, str]]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(visitor.send, requests))


def test_rotations_at_the_same_moment_leave_one_living_successor(server: Server) -> None:
    visitor = Visitor(server)
    created = json.loads(
        server.admin("create-token", "--user", visitor.name, "--name", "ci", "--all-projects", "--json")
    )
    path = f"/manage/account/token/{created['id']}/rotate/"
    answers = at_once(
        visitor, [visitor.form(path, overlap="7", idempotency_key=f"key-{number}") for number in range(8)]
    )
    assert {status for status, _ in answers} <= {200, 409}
    shown = [TOKEN.findall(page)[0] for status, page in answers if status == 200]
    assert shown
    assert len(set(shown)) == len(shown)
    living = [row for row in visitor.tokens() if row["predecessor"] and row["state"] == "active"]
    assert len(living) == 1
    of_the_living = [text for text in shown if living[0]["id"].encode() == parse_token(text).identifier]
    assert [good(server, text) for text in of_the_living] == [True]
    assert good(server, created["token"])


def test_one_rotation_sent_eight_times_makes_one_successor(server: Server) -> None:
    visitor = Visitor(server)
    created = json.loads(
        server.admin("create-token", "--user", visitor.name, "--name", "ci", "--all-projects", "--json")
    )
    path = f"/manage/account/token/{created['id']}/rotate/"
    answers = at_once(visitor, [visitor.form(path, overlap="7", idempotency_key="one") for _ in range(8)])
    assert [status for status, _ in answers] == [200] * 8
    assert len({TOKEN.findall(page)[0] for _, page in answers}) == 1
    assert len(visitor.tokens()) == 2


def test_one_form_sent_eight_times_makes_one_token(server: Server) -> None:
    visitor = Visitor(server)
    fields = {"name": "ci", "scope": "projects", "new_project": visitor.name, "expiry": "30"}
    answers = at_once(visitor, [visitor.form("/manage/account/token/", **fields) for _ in range(8)])
    assert sorted(status for status, _ in answers)[:1] == [200]
    assert sum(status == 200 for status, _ in answers) == 1
    assert {status for status, _ in answers} <= {200, 400, 409}
    assert len(visitor.tokens()) == 1


def test_use_counts_although_the_upload_is_refused_later(server: Server) -> None:
    visitor = Visitor(server)
    token = server.admin("create-token", "--user", visitor.name, "--name", "ci", "--all-projects").strip()
    for _ in range(3):
        assert present(server, token)[0] == 400
    assert present(server, token + "\n")[0] == 400
    assert present(server, token, scheme="bearer")[0] == 400
    (row,) = visitor.tokens()
    assert row["use_count"] == 5
    assert row["last_used_ip"] == "127.0.0.1"
    assert row["last_used_at"] is not None


def test_an_ended_token_is_refused_at_once_by_every_worker(server: Server) -> None:
    visitor = Visitor(server)
    token = server.admin("create-token", "--user", visitor.name, "--name", "ci", "--all-projects").strip()
    assert good(server, token)
    server.admin("revoke-token", "ci", "--user", visitor.name)
    for _ in range(2):
        status, reason, headers = present(server, token)
        assert status == 403
        assert reason.startswith("Invalid or non-existent authentication information. See ")
        assert reason.endswith("/help/#invalid-auth for more information.")
        assert "www-authenticate" not in headers


def test_the_longest_token_comes_through(server: Server) -> None:
    status, reason, _ = present(server, "pypi-" + "A" * (MAX_TOKEN_CHARS - 5))
    assert status == 403
    assert reason.startswith("Invalid or non-existent")


@pytest.fixture(scope="module")
def guessed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    """A server of its own: what is counted by address would meet the other tests of this process."""
    environment = {}
    if request.config.getoption("--database") == "postgres":
        from tests.conftest import new_database

        environment = {"SEALSTEAD_DATABASE_URL": new_database()}
    running = start_server(tmp_path_factory.mktemp("guessed") / "data", environment=environment)
    yield running
    running.stop()


def test_twenty_wrong_ones_in_a_row_over_two_workers(guessed: Server) -> None:
    visitor = Visitor(guessed)
    token = guessed.admin("create-token", "--user", visitor.name, "--name", "ci", "--all-projects").strip()
    wrong = token[:-6] + ("AAAAAA" if not token.endswith("AAAAAA") else "BBBBBB")
    answers = [present(guessed, wrong) for _ in range(20)]
    assert [status for status, _, _ in answers] == [403] * 19 + [429]
    assert 0 < int(answers[-1][2]["retry-after"]) <= 300
    assert answers[-1][1].startswith("Too many wrong credentials from this address.")
    # The neighbour behind the same address goes on with its good token.
    assert good(guessed, token)
    log = guessed.log.read_text()
    for secret in (token, wrong, token[-40:], PASSWORD):
        assert secret not in log


def test_the_tokens_of_a_disabled_account_are_refused_by_both_workers_at_once(server: Server) -> None:
    visitor = Visitor(server)
    token = server.admin("create-token", "--user", visitor.name, "--name", "ci", "--all-projects").strip()
    assert [good(server, token) for _ in range(6)] == [True] * 6
    server.admin("disable-user", visitor.name)
    assert [good(server, token) for _ in range(6)] == [False] * 6
    server.admin("enable-user", visitor.name)
    assert [good(server, token) for _ in range(6)] == [True] * 6
