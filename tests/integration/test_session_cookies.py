"""Behind TLS the cookies are `__Host-` ones: never sent in the clear, never set by a neighbour."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
from tests.server_process import Server, start_server
from tests.visitor import Visitor

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("tls") / "data", "--tls-self-signed")
    try:
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
