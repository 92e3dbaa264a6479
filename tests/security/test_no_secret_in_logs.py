"""No secret reaches a log, the database in the clear, or any other file: they are searched for after real use.

The secrets go in at every place they can: right, wrong, misplaced in the address, in broken requests, and through
commands that fail.
"""

from __future__ import annotations

import base64
import http.client
import http.cookiejar
import re
import secrets
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.server_process import Server, start_server

PASSWORD = "Sesame-open-" + secrets.token_hex(8)
WRONG = "Wrong-password-" + secrets.token_hex(8)
MASTER = re.compile(rb'"([A-Za-z0-9+/]{43}=)"')


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Visitor:
    """A browser without the browser: cookies and forms."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.jar = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar)).open

    def get(self, path: str) -> str:
        try:
            with self._open(self.url + path, timeout=30) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as exc:
            with exc:
                return str(exc.read().decode())

    def post(self, path: str, **fields: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path))
        form = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": found[1] if found else ""})
        request = urllib.request.Request(self.url + path, form.encode(), {"Referer": self.url + path})
        try:
            with self._open(request, timeout=30) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as exc:
            with exc:
                return str(exc.read().decode())


def upload(server: Server, authorization: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    body = b'--b\r\nContent-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n--b--\r\n'
    connection.request(
        "POST",
        "/legacy/",
        body,
        {"Authorization": authorization, "Content-Type": "multipart/form-data; boundary=b"},
    )
    connection.getresponse().read()
    connection.close()


def raw(server: Server, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass


@pytest.mark.timeout(240)
def test_no_secret_is_left_anywhere(tmp_path: Path, fresh_database: Callable[[], dict[str, str]]) -> None:
    # The most talkative logs there are.
    server = start_server(tmp_path / "data", environment={**fresh_database(), "SEALSTEAD_LOG_LEVEL": "debug"})
    try:
        found = use(server)
        found["master key"] = MASTER.findall((server.data_dir / "keyring.json").read_bytes())[-1].decode()
    finally:
        server.stop()
    assert "request" in server.log.read_text()  # there is something to search
    assert leaks(found, [server.log, *server.data_dir.rglob("*")]) == []


def use(server: Server) -> dict[str, str]:
    """Use the server in every way that a secret takes; return the secrets by name."""
    server.admin("create-user", "ada", "--email", "ada@example.org", "--password-stdin", stdin=PASSWORD)
    token = server.admin("create-token", "--user", "ada", "--name", "ci", "--all-projects").strip()
    assert token.startswith("pypi-")
    forged = "pypi-" + secrets.token_urlsafe(80)

    for authorization in (
        basic("__token__", token),
        basic("__token__", forged),
        basic("ada", PASSWORD),
        basic("ada", WRONG),
        f"Bearer {token}",
        f"token {token[:-4]}",
        f"Nonsense {token}",
    ):
        upload(server, authorization)

    visitor = Visitor(server)
    visitor.post("/account/login/", login="ada", password=WRONG)
    visitor.post("/account/login/", login="ada", password=PASSWORD)
    session = [cookie.value or "" for cookie in visitor.jar if cookie.name.endswith("sealstead")]
    assert len(session) == 1, "signed in"
    visitor.post("/account/password/reset/", email="ada@example.org")
    visitor.get(f"/search/?q={token}")
    visitor.get(f"/account/password/reset/key/1-{forged[5:40]}/")
    visitor.get(f"/project/{token}/")
    visitor.get(f"/files/aa/bb/{token}/x.whl")
    links = [
        match[1]
        for path in (server.data_dir / "outbox").iterdir()
        for match in re.finditer(r"/reset/key/([^/\s]+)/", path.read_text())
    ]
    assert links, "a mail with a link that signs in"
    for link in links:
        visitor.get(f"/account/password/reset/key/{link}/")

    host = b"Host: localhost\r\n"
    raw(server, b"GET / HTTP/1.1\r\n" + host + f"Authorization {token}\r\n\r\n".encode())
    raw(server, b"GET / HTTP/1.1\r\n" + host + f"Bad Header {token}: x\r\n\r\n".encode())
    raw(server, f"GET /?{token} HTTP/9.9\r\n".encode() + host + b"\r\n")
    raw(server, b"GET / HTTP/1.1\r\n" + f"Host: {token}\r\n\r\n".encode())
    raw(server, b"GET / HTTP/1.1\r\n" + host + b"Cookie: " + token.encode() * 100 + b"\r\n\r\n")
    return {
        "password": PASSWORD,
        "wrong password": WRONG,
        "token": token,
        "forged token": forged,
        "token in a header": basic("__token__", token)[6:],
        "password in a header": basic("ada", PASSWORD)[6:],
        "session": session[0],
        **{f"link {number}": link for number, link in enumerate(links)},
    }


def leaks(found: dict[str, str], paths: list[Path]) -> list[str]:
    hits = []
    for path in paths:
        if not path.is_file():
            continue
        content = path.read_bytes()
        for name, secret in found.items():
            at_home = (name.startswith("link") and path.parent.name == "outbox") or (
                name == "master key" and path.name == "keyring.json"
            )
            # The tail too: a redaction that stops early would leave it.
            if not at_home and (secret.encode() in content or secret[-24:].encode() in content):
                hits.append(f"{name} in {path.name}")
    return hits
