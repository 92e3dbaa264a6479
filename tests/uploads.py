"""Uploads as clients send them: fields and body for a file, and tokens to send them with."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import parse_sdist_filename, parse_wheel_filename

BOUNDARY = "7f3c9f6a1f5e4b7d"


def form_of(path: Path, **changes: str | list[str] | None) -> dict[str, str | list[str]]:
    """The fields twine sends for a file. `changes` replaces some; None drops one."""
    data = path.read_bytes()
    wheel = path.name.endswith(".whl")
    if wheel:
        name, version, _, _ = parse_wheel_filename(path.name)
    else:
        name, version = parse_sdist_filename(path.name)
    fields: dict[str, str | list[str] | None] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.3",
        "name": name,
        "version": str(version),
        "summary": "An example",
        "filetype": "bdist_wheel" if wheel else "sdist",
        "pyversion": "py3" if wheel else "source",
        "md5_digest": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "sha256_digest": hashlib.sha256(data).hexdigest(),
        "blake2_256_digest": hashlib.blake2b(data, digest_size=32).hexdigest(),
    }
    fields |= {(":action" if key == "action" else key): value for key, value in changes.items()}
    return {key: value for key, value in fields.items() if value is not None}


def part(name: str, value: bytes, *, filename: str | None = None, content_type: str = "") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    if content_type:
        head += f"\r\nContent-Type: {content_type}"
    return head.encode() + b"\r\n\r\n" + value + b"\r\n"


CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
CLOSING = f"--{BOUNDARY}--\r\n".encode()


def parts_of(fields: Mapping[str, str | list[str]]) -> bytes:
    pairs = [
        (key, item)
        for key, value in fields.items()
        for item in ([value] if isinstance(value, str) else value)
    ]
    return b"".join(part(key, item.encode()) for key, item in pairs)


def body_of(path: Path, *, filename: str | None = None, **changes: str | list[str] | None) -> bytes:
    """A whole body: fields, then the content."""
    return (
        parts_of(form_of(path, **changes))
        + part(
            "content",
            path.read_bytes(),
            filename=path.name if filename is None else filename,
            content_type="application/octet-stream",
        )
        + CLOSING
    )


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    reason: str
    text: str
    headers: Mapping[str, str]


def send(
    port: int, body: bytes, token: str, *, headers: Mapping[str, str] | None = None, path: str = "/legacy/"
) -> Answer:
    """Post a body to a real server."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        given = {"Content-Type": CONTENT_TYPE, "Authorization": f"Bearer {token}"} | dict(headers or {})
        connection.request("POST", path, body=body, headers=given)
        response = connection.getresponse()
        return Answer(
            status=response.status,
            reason=response.reason,
            text=response.read().decode(),
            headers=dict(response.headers.items()),
        )
    finally:
        connection.close()


def issue_token(username: str, project: str | None = None) -> str:
    """A token of the account, in this process's database: for all its projects, or for one that exists."""
    from django.conf import settings

    from sealstead.server.accounts.models import User
    from sealstead.server.audit.record import Origin
    from sealstead.server.credentials.issue import issue_upload_token
    from sealstead.server.index.models import Project

    projects = None
    if project is not None:
        row = Project.objects.get(normalized_name=project)
        projects = [(row.normalized_name, row.pk)]
    _, secret = issue_upload_token(
        owner=User.objects.get(username=username),
        name=f"token-{project or 'all'}",
        projects=projects,
        expires_at=None,
        at=settings.SEALSTEAD.clock.now(),
        origin=Origin(),
    )
    return str(secret.reveal())
