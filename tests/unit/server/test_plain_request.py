"""What is plain enough to be answered without gunicorn's parser, and what must never be."""

from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from sealstead.server.plain_request import environ_of, read_plain, serialize_head

HEAD = b"GET /simple/six/ HTTP/1.1\r\nHost: index.example\r\nAccept: */*\r\n\r\n"


def test_a_request_of_an_installer_is_read() -> None:
    data = (
        b'GET /simple/six/ HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: pip/25.0 {"ci":null}\r\n'
        b"Accept: application/vnd.pypi.simple.v1+json, text/html;q=0.01\r\nAccept-Encoding: gzip, deflate\r\n"
        b'Connection: keep-alive\r\nIf-None-Match: "s1-00"\r\n\r\n'
    )
    assert read_plain(data) == (
        "GET",
        "/simple/six/",
        {
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_USER_AGENT": 'pip/25.0 {"ci":null}',
            "HTTP_ACCEPT": "application/vnd.pypi.simple.v1+json, text/html;q=0.01",
            "HTTP_ACCEPT_ENCODING": "gzip, deflate",
            "HTTP_CONNECTION": "keep-alive",
            "HTTP_IF_NONE_MATCH": '"s1-00"',
        },
    )


def test_what_is_read_is_what_the_parser_would_have_read() -> None:
    plain = read_plain(HEAD)
    assert plain is not None
    request = next(RequestParser(Config(), iter([HEAD]), ("127.0.0.1", 1)))
    assert (request.method, request.path) == plain[:2]
    assert {"HTTP_" + name.replace("-", "_"): value for name, value in request.headers} == plain[2]
    assert environ_of(*plain, ("192.0.2.7", 5))["REMOTE_ADDR"] == "192.0.2.7"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD[:-1],
        HEAD[:20],
        HEAD + HEAD,
        HEAD + b"x",
        HEAD.replace(b"GET", b"POST"),
        HEAD.replace(b"GET", b"get"),
        HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        HEAD.replace(b"/six/", b"/six/?format=json"),
        HEAD.replace(b"/six/", b"/%73ix/"),
        HEAD.replace(b"/simple", b"http://elsewhere/simple"),
        HEAD.replace(b"\r\n", b"\n"),
        HEAD.replace(b"Host: index.example\r\n", b""),
        HEAD.replace(b"Host: index.example", b"Host:"),
        HEAD.replace(b"Accept: */*", b"Host: other.example"),
        HEAD.replace(b"Accept: */*", b"Accept : */*"),
        HEAD.replace(b"Accept: */*", b"Accept: a\r\n b"),
        HEAD.replace(b"Accept: */*", b"Accept: a\tb"),
        HEAD.replace(b"Accept: */*", b"Accept: a\rb"),
        HEAD.replace(b"Accept: */*", b"Accept: \xff"),
        HEAD.replace(b"Accept: */*", b"X_Forwarded_For: 192.0.2.1"),
        HEAD.replace(b"Accept: */*", b"Content-Length: 5"),
        HEAD.replace(b"Accept: */*", b"Content-Length: 0"),
        HEAD.replace(b"Accept: */*", b"Transfer-Encoding: chunked"),
        HEAD.replace(b"Accept: */*", b"Connection: close"),
        HEAD.replace(b"Accept: */*", b"Upgrade: h2c"),
        HEAD.replace(b"Accept: */*", b"Expect: 100-continue"),
        HEAD.replace(b"Accept: */*", b"Authorization: Basic eDp5"),
        HEAD.replace(b"Accept: */*", b"Cookie: a=b"),
    ],
)
def test_everything_else_is_left_to_the_parser(data: bytes) -> None:
    assert read_plain(data) is None


def test_a_head_is_written_as_http_writes_it() -> None:
    head = serialize_head("200 OK", [("Content-Length", "0")], date="Thu, 01 Jan 2026 00:00:00 GMT")
    assert head == (
        b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"
    )
