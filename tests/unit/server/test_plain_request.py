"""What is plain enough to be answered without gunicorn's parser, and what must never be."""

from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from sealstead.server.plain_request import (
    LOOK_BYTES,
    environ_of,
    environ_of_post,
    read_plain,
    read_plain_post,
    serialize_head,
)

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


POST = (
    b"POST /api/v1/sign HTTP/1.1\r\nHost: sign.example\r\nAuthorization: Bearer seal_x\r\n"
    b"Content-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"items":1}'
)


def test_a_short_post_is_read_as_the_parser_would_have_read_it() -> None:
    plain = read_plain_post(POST)
    assert plain is not None
    assert "seal_x" not in repr(plain)
    request = next(RequestParser(Config(), iter([POST]), ("127.0.0.1", 1)))
    assert (plain.path, plain.body, plain.length, plain.missing) == (
        request.path,
        request.body.read(),
        len(POST),
        0,
    )
    environ = environ_of_post(plain, ("192.0.2.7", 5))
    listed = {name.replace("-", "_"): value for name, value in request.headers}
    assert environ["CONTENT_LENGTH"] == listed.pop("CONTENT_LENGTH")
    assert {name: environ[f"HTTP_{name}"] for name in listed} == listed
    assert (environ["REQUEST_METHOD"], environ["wsgi.input"].read()) == ("POST", b'{"items":1}')


@pytest.mark.parametrize("there", [0, 1, 10])
def test_a_post_whose_body_is_on_its_way_is_waited_for(there: int) -> None:
    begun = read_plain_post(POST[: len(POST) - 11 + there])
    assert begun is not None
    assert (begun.length, begun.missing) == (len(POST), 11 - there)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        POST[:30],
        POST + b"x",
        POST + POST,
        POST.replace(b"POST", b"PUT"),
        POST.replace(b"/sign", b"/sign?x=1"),
        POST.replace(b"HTTP/1.1", b"HTTP/1.0"),
        POST.replace(b"Host: sign.example\r\n", b""),
        POST.replace(b"Content-Length: 11\r\n", b""),
        POST.replace(b"Length: 11", b"Length: 0"),
        POST.replace(b"Length: 11", b"Length: +11"),
        POST.replace(b"Length: 11", b"Length: 011"),
        POST.replace(b"Length: 11", b"Length: 11, 11"),
        POST.replace(b"Length: 11", b"Length: 11\r\nContent-Length: 12"),
        POST.replace(b"Length: 11", b"Length: %d" % LOOK_BYTES),
        POST.replace(b"Length: 11", b"Length: 11\r\nTransfer-Encoding: chunked"),
        POST.replace(b"Length: 11", b"Length: 11\r\nExpect: 100-continue"),
        POST.replace(b"Length: 11", b"Length: 11\r\nConnection: close"),
        POST.replace(b"Bearer seal_x", b"Bearer seal_x\r\nAuthorization: Bearer seal_y"),
        POST.replace(b"Bearer seal_x", b"Bearer seal_x\r\n folded"),
        POST.replace(b"Bearer seal_x", b"Bearer \xff"),
        POST.replace(b"Bearer seal_x", b"Bearer seal_x\r\nCookie: a=b"),
        POST.replace(b"\r\nContent-Type", b"\nContent-Type"),
    ],
)
def test_any_other_post_is_left_to_the_parser(data: bytes) -> None:
    assert read_plain_post(data) is None
