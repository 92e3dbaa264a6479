"""Accounts on a real server with two workers: limits and one-time codes hold between them, a dump signs nobody in."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from tests.server_process import Server
from tests.visitor import Answer, Visitor

pytestmark = pytest.mark.database

PASSWORD = "correct horse battery"
AT_ONCE = 8


@pytest.fixture
def name(server: Server) -> str:
    """An account of its own for each test."""
    name = f"user-{secrets.token_hex(5)}"
    server.admin(
        "create-user", name, "--email", f"{name}@example.org", "--password-stdin", stdin=PASSWORD + "\n"
    )
    return name


def at_once(count: int, act: Callable[[int], Answer]) -> Counter[int]:
    """Do it `count` times from several threads and count the statuses."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(answer.status for answer in pool.map(act, range(count)))


def dump(server: Server) -> str:
    """Everything the database holds, as text; binary columns in hex and as they are."""
    url = server.environment.get("SEALSTEAD_DATABASE_URL")
    if url:
        import psycopg

        with psycopg.connect(url) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            rows = [
                row
                for (table,) in tables
                for row in connection.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608
            ]
    else:
        with closing(sqlite3.connect(server.data_dir / "db.sqlite3")) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            rows = [
                row
                for (table,) in tables
                for row in connection.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608
            ]
    cells = [cell for row in rows for cell in row]
    return "\n".join(
        f"{cell.hex()}\n{cell.decode('latin-1')}"
        if isinstance(cell, bytes)
        else json.dumps(cell, default=str)
        for cell in cells
    )


def test_wrong_passwords_in_a_row_are_limited_over_both_workers(server: Server, name: str) -> None:
    # From many connections at once, which the two workers share as they come.
    statuses = at_once(26, lambda _number: Visitor(server.url).sign_in(name, "wrong horse"))
    assert statuses == {200: 20, 429: 6}
    refused = Visitor(server.url).sign_in(name, PASSWORD)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900


def test_a_dump_of_the_database_signs_nobody_in(server: Server, name: str) -> None:
    before = dump(server)
    visitor = Visitor(server.url)
    assert visitor.sign_in(name, PASSWORD).location == "/manage/account/"
    assert visitor.is_inside()
    key = visitor.cookies["sealstead"]
    held = dump(server)
    assert name in held
    assert key not in held
    assert PASSWORD not in held
    # What has come into it and looks like a key of a session, sent as a cookie, opens nothing.
    keys = re.compile(r"\b[0-9a-z]{32,64}\b")
    candidates = set(keys.findall(held)) - set(keys.findall(before))
    assert candidates
    for candidate in candidates:
        assert not Visitor(server.url, cookies={"sealstead": candidate}).is_inside()


def test_signing_in_changes_the_key_and_signing_out_ends_it(server: Server, name: str) -> None:
    visitor = Visitor(server.url)
    visitor.sign_in(name, PASSWORD)
    first = visitor.cookies["sealstead"]
    visitor.post("/account/logout/")
    visitor.sign_in(name, PASSWORD)
    assert visitor.cookies["sealstead"] != first
    assert not Visitor(server.url, cookies={"sealstead": first}).is_inside()


def code_now(secret: str, *, later: int = 0) -> str:
    from sealstead.server.accounts.totp import code_of

    return code_of(secret, int(time.time()) // 30 + later)


def set_up_app(server: Server, name: str) -> tuple[Visitor, str]:
    visitor = Visitor(server.url)
    visitor.sign_in(name, PASSWORD)
    page = visitor.get("/account/2fa/totp/activate/").text
    found = re.search(r'id="totp-key"[^>]*>([A-Z2-7]+)<', page)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    assert token
    # Not through `post`, which would open the page again and so be given another key.
    answer = visitor._send(
        "POST",
        "/account/2fa/totp/activate/",
        {"code": code_now(found[1]), "csrfmiddlewaretoken": token[1]},
    )
    assert answer.location == "/account/2fa/recovery-codes/", answer.text
    return visitor, found[1]


def inside_with(server: Server, name: str, find_code: Callable[[], str]) -> list[bool]:
    """Enter the password several times, then the same code from all at once; tell who got in.

    The code is looked for at the last moment: those of an app are good for a minute.
    """
    visitors = [Visitor(server.url) for _ in range(AT_ONCE)]
    for visitor in visitors:
        assert visitor.sign_in(name, PASSWORD).location == "/account/2fa/authenticate/"
    code = find_code()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda one: one.post("/account/2fa/authenticate/", {"code": code}), visitors))
    return [visitor.is_inside() for visitor in visitors]


def test_a_code_signs_in_once_over_both_workers(server: Server, name: str) -> None:
    visitor, secret = set_up_app(server, name)
    # One step ahead: the present one was used to set the app up.
    assert sum(inside_with(server, name, lambda: code_now(secret, later=1))) == 1
    codes = re.findall(r"\b[a-z0-9]{5}-[a-z0-9]{5}\b", visitor.post("/account/2fa/recovery-codes/").text)
    assert len(codes) == 10
    assert sum(inside_with(server, name, lambda: codes[0])) == 1
    held = dump(server)
    assert secret not in held
    assert not any(code in held or code.replace("-", "") in held for code in codes)


def mail_to(server: Server, name: str) -> str:
    """Wait for the one mail to this account: it is sent while the answer is on its way."""
    deadline = time.monotonic() + 60
    while True:
        mails = [path.read_text() for path in (server.data_dir / "outbox").glob("*.eml")]
        found = [mail for mail in mails if f"\nTo: {name}@example.org\n" in mail]
        if found:
            (mail,) = found
            return mail
        assert time.monotonic() < deadline, "no mail came"
        time.sleep(0.02)


def test_a_reset_link_is_mailed_with_the_servers_own_address(server: Server, name: str) -> None:
    answer = Visitor(server.url).post("/account/password/reset/", {"email": f"{name}@example.org"})
    assert answer.location == "/account/password/reset/done/"
    link = re.search(
        r"^http://127\.0\.0\.1:\d+(/account/password/reset/key/\S+)", mail_to(server, name), re.MULTILINE
    )
    assert link
    visitor = Visitor(server.url)
    form = visitor.get(link[1]).location
    new = "staple battery horse"
    done = visitor.post(form, {"password1": new, "password2": new})
    assert done.location == "/account/password/reset/key/done/"
    assert not Visitor(server.url).sign_in(name, PASSWORD).location
    assert Visitor(server.url).sign_in(name, new).location == "/manage/account/"


def test_no_password_or_key_is_logged(server: Server, name: str) -> None:
    visitor = Visitor(server.url)
    visitor.sign_in(name, "hunter2 hunter2 hunter2")
    visitor.sign_in("hunter3-typed-as-name", PASSWORD)
    visitor.sign_in(name, PASSWORD)
    key = visitor.cookies["sealstead"]
    logged = server.log.read_text()
    for secret in ("hunter2", "hunter3", PASSWORD, key):
        assert secret not in logged
