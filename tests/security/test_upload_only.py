"""Threat: somebody copies an upload token. It uploads, and opens nothing else.

Every route of the server is asked with every method, once as a stranger and then with the token in each way a token
is carried. Everywhere but at the upload itself the answers are those of the stranger, and everything that was there
before is there afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import secrets
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.factories import make_wheel
from tests.server_process import Server

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
VARYING = re.compile(
    r"""(name="csrfmiddlewaretoken"\ value=")[^"]*
      | (csrf-token"\ content=")[^"]*
      | (nonce=")[^"]*
      | (request\ )[0-9a-f-]{8,}""",
    re.VERBOSE,
)
"""What differs from answer to answer for one and the same visitor."""


@dataclass(frozen=True, kw_only=True)
class Victim:
    """A publisher with a project, a release, a file and two tokens."""

    token: str
    credential_id: str
    user_id: str
    project: str
    filename: str


@pytest.fixture(scope="module")
def victim(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Victim:
    name = f"victim-{secrets.token_hex(4)}"
    user_id = server.admin(
        "create-user",
        name,
        "--email",
        f"{name}@example.org",
        "--password-stdin",
        stdin="correct horse battery\n",
    ).strip()
    made = json.loads(
        server.admin(
            "create-token", "--user", name, "--name", "ci", "--all-projects", "--expires", "1d", "--json"
        )
    )
    server.admin("create-token", "--user", name, "--name", "x", "--project", name)
    wheel = make_wheel(tmp_path_factory.mktemp("wheel"), name, "1.0")
    answer = upload(server, wheel, name, basic(made["token"]))
    assert answer[0] == 200, answer
    return Victim(
        token=made["token"], credential_id=made["id"], user_id=user_id, project=name, filename=wheel.name
    )


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"__token__:{token}".encode()).decode()


def ask(
    server: Server, method: str, path: str, authorization: str | None, body: bytes = b"", kind: str = ""
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Accept": "text/html", "Content-Type": kind or "application/x-www-form-urlencoded"}
    if authorization:
        headers["Authorization"] = authorization
    connection.request(method, path, body=body, headers=headers)
    response = connection.getresponse()
    answer = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    connection.close()
    return answer


def upload(server: Server, wheel: Path, project: str, authorization: str | None) -> tuple[int, Any, bytes]:
    boundary = "x" * 32
    fields = {":action": "file_upload", "protocol_version": "1", "name": project, "version": "1.0"}
    fields["sha256_digest"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    fields |= {"filetype": "bdist_wheel", "pyversion": "py3", "metadata_version": "2.3"}
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{wheel.name}"\r\n'
    parts.append(
        head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + wheel.read_bytes() + b"\r\n"
    )
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return ask(server, "POST", "/legacy/", authorization, body, f"multipart/form-data; boundary={boundary}")


def routes(victim: Victim) -> Iterator[str]:
    """Every path of the URLconf, filled in with what is the victim's, and the fast read path's."""
    from django.urls import get_resolver

    samples = {
        "credential_id": victim.credential_id,
        "user_id": victim.user_id,
        "name": victim.project,
        "version": "1.0",
        "filename": victim.filename,
        "invitation": victim.credential_id,
        "state": "archived",
        "action": "delete",
        "source": "pfx",
        "part": "certificate",
        "certificate_id": victim.credential_id,
        "path": "css/site.css",
        "pk": "1",
        "key": "abc-def",
        "uidb36": "1",
    }
    for route in _patterns(get_resolver(), ""):
        plain = re.sub(r"\(\?P<(\w+)>(?:\[[^]]*\]\+?|[^)[])*\)", r"<\1>", route).strip("^$").replace("^", "")
        yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: samples[found[1]], plain)
    yield from (
        "/simple/",
        f"/simple/{victim.project}/",
        f"/pypi/{victim.project}/json",
        f"/pypi/{victim.project}/1.0/json",
        "/api/v1/key",
        "/api/v1/key/rotate",
        "/api/v1/certificates",
        "/api/v1/sign",
        "/api/v1/openapi.json",
        "/health/live",
        "/health/ready",
        "/no/such/page/",
    )


def _patterns(resolver: Any, prefix: str) -> Iterator[str]:
    from django.urls.resolvers import RegexPattern, URLResolver

    for entry in resolver.url_patterns:
        pattern = entry.pattern
        path = prefix + (pattern._regex if isinstance(pattern, RegexPattern) else str(pattern))
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, path)
        else:
            yield path


def essence(answer: tuple[int, dict[str, str], bytes]) -> tuple[Any, ...]:
    status, headers, body = answer
    text = VARYING.sub(
        lambda found: "".join(group or "" for group in found.groups()), body.decode("utf-8", "replace")
    )
    return status, headers.get("location"), headers.get("www-authenticate"), "sessionid" in str(headers), text


def test_every_route_is_found(victim: Victim) -> None:
    found = list(routes(victim))
    assert len(found) > 50
    assert not [path for path in found if set(path) & set("<>^$()?")]
    for path in ("/manage/account/token/", f"/manage/project/{victim.project}/settings/delete/", "/legacy/"):
        assert path in found


@pytest.mark.parametrize("carried", ["basic", "bearer", "token"])
def test_only_upload_answers_to_a_token(server: Server, victim: Victim, carried: str) -> None:
    authorization = basic(victim.token) if carried == "basic" else f"{carried.title()} {victim.token}"
    different = []
    for path in routes(victim):
        for method in METHODS:
            if path == "/legacy/" and method == "POST":
                continue
            body = urllib.parse.urlencode({"answer": "accept", "confirm": victim.project}).encode()
            stranger = essence(ask(server, method, path, None, body))
            holder = essence(ask(server, method, path, authorization, body))
            if stranger != holder:
                different.append((method, path, stranger[:4], holder[:4]))
            assert victim.token.encode() not in str(holder).encode()
    assert not different
    # And nothing of the victim's has gone or changed.
    status, _, page = ask(server, "GET", f"/simple/{victim.project}/", None)
    assert status == 200
    assert victim.filename.encode() in page
    rows = json.loads(server.admin("list-tokens", "--user", victim.project, "--json"))
    assert {row["state"] for row in rows} == {"active"}


def test_the_upload_itself_does(server: Server, victim: Victim, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, victim.project, "1.0")
    assert upload(server, wheel, victim.project, None)[0] == 403
    assert upload(server, wheel, victim.project, basic(victim.token))[0] == 200
