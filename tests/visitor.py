"""A browser without a screen for tests over HTTP: cookies, forms with their token, no redirect followed unasked."""

from __future__ import annotations

import http.client
import re
import ssl
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")


@dataclass
class Visitor:
    """`url` is the server's. Each request uses a connection of its own, so that any worker may answer it."""

    url: str
    context: ssl.SSLContext | None = None
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookie_lines: list[str] = field(default_factory=list)

    def get(self, path: str) -> Answer:
        return self._send("GET", path)

    def post(self, path: str, facts: dict[str, str] | None = None, *, form: str | None = None) -> Answer:
        """Send `facts` with the token found on the page `form` (default: `path` itself)."""
        found = TOKEN.search(self.get(form or path).text)
        token = {"csrfmiddlewaretoken": found[1]} if found else {}
        return self._send("POST", path, token | (facts or {}))

    def sign_in(self, login: str, password: str) -> Answer:
        return self.post("/account/login/", {"login": login, "password": password})

    def is_inside(self) -> bool:
        return self.get("/manage/account/").status == 200

    def _send(self, method: str, path: str, facts: dict[str, str] | None = None) -> Answer:
        parts = urlsplit(self.url)
        assert parts.hostname
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=60, context=self.context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if method == "POST":
            body = urlencode(facts or {})
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Referer": self.url + path}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            self.set_cookie_lines.append(line)
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return Answer(status=answer.status, headers=answer.headers, text=text)
