"""Behind TLS the cookies are `__Host-` ones: never sent in the clear, never set by a neighbour."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator

import pytest
from tests.server_process import START_SECONDS, Server, start_server
from tests.visitor import Visitor

PASSWORD = "correct horse battery"


def ready(server: Server) -> bool:
    context = ssl._create_unverified_context()  # noqa: S323 - only to wait; the test itself checks the certificate
    try:
        return Visitor(f"https://127.0.0.1:{server.port}", context=context).get("/health/ready").status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("tls") / "data", "--tls-self-signed")
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready(running):
            assert time.monotonic() < deadline, running.log.read_text()
            time.sleep(0.05)
        running.admin(
            "create-user", "tess", "--email", "tess@example.org", "--password-stdin", stdin=PASSWORD + "\n"
        )
        yield running
    finally:
        running.stop()


def test_cookies_behind_tls(tls_server: Server) -> None:
    context = ssl.create_default_context(cafile=str(tls_server.data_dir / "tls" / "ca.pem"))
    visitor = Visitor(f"https://127.0.0.1:{tls_server.port}", context=context)
    assert visitor.sign_in("tess", PASSWORD).location == "/manage/account/"
    assert visitor.is_inside()
    lines = {line.partition("=")[0]: line for line in visitor.set_cookie_lines}
    for name in ("__Host-sealstead", "__Host-csrftoken"):
        attributes = {part.strip() for part in lines[name].split(";")[1:]}
        assert {"Secure", "Path=/", "HttpOnly", "SameSite=Lax"} <= attributes
        assert not any(attribute.startswith("Domain") for attribute in attributes)
    # The name without the prefix, which a neighbour host could set, is not looked at.
    key = visitor.cookies["__Host-sealstead"]
    assert not Visitor(visitor.url, context=context, cookies={"sealstead": key}).is_inside()
