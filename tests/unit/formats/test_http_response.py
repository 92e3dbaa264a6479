from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealstead.errors import ParseError
from sealstead.formats.http_response import Body, MalformedResponseError, parse_head


def read(head: bytes, body: bytes, *, step: int = 0, most: int = 10_000) -> bytes:
    reader = Body(parse_head(head))
    parts = [body[at : at + step] for at in range(0, len(body), step)] if step else [body]
    return b"".join(reader.feed(part, most=most) for part in parts)


def test_a_head_in_full() -> None:
    head = parse_head(b"HTTP/1.1 200 Fine thanks\r\nContent-Type:  text/html \r\nVary: a\r\nvary: b")
    assert (head.status, head.reason) == (200, "Fine thanks")
    assert head.fields == {"content-type": "text/html", "vary": "a, b"}
    assert head.keeps_open


def test_a_number_that_no_specification_has() -> None:
    assert parse_head(b"HTTP/1.1 999 Request denied").status == 999


@pytest.mark.parametrize("data", [b"HTTP/1.0 200 OK", b"HTTP/1.1 200 OK\r\nConnection: Close"])
def test_connections_that_end(data: bytes) -> None:
    assert not parse_head(data).keeps_open


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 200 OK\r\n folded: line",
        b"HTTP/1.1 200 OK\r\nContent-Length : 3",
        b"HTTP/1.1 200 OK\r\nnonsense",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4",
        b"HTTP/1.1 200 OK\nContent-Length: 3",
    ],
)
def test_what_is_no_head(data: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        parse_head(data)


@pytest.mark.parametrize(
    "fields",
    [
        b"Transfer-Encoding: chunked\r\nContent-Length: 3",
        b"Transfer-Encoding: gzip, chunked",
        b"Content-Length: -1",
        b"Content-Length: 3, 3",
        b"Content-Length: 0x3",
        b"Content-Encoding: br",
    ],
)
def test_framing_that_could_be_read_in_two_ways(fields: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        Body(parse_head(b"HTTP/1.1 200 OK\r\n" + fields))


@pytest.mark.parametrize("step", [0, 1, 2, 7])
def test_chunks_however_they_arrive(step: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
    assert read(head, b"3;x=y\r\nabc\r\n5\r\ndefgh\r\n0\r\nTrailer: x\r\n\r\n", step=step) == b"abcdefgh"


@pytest.mark.parametrize("body", [b"zz\r\n", b"-3\r\nabc\r\n", b"3\r\nabcd\r\n", b"1" * 2000, b"\r\n"])
def test_chunks_that_are_broken(body: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", body)


def test_an_end_before_the_end() -> None:
    for fields, body in ((b"Content-Length: 9", b"short"), (b"Transfer-Encoding: chunked", b"9\r\nshort")):
        reader = Body(parse_head(b"HTTP/1.1 200 OK\r\n" + fields))
        assert reader.feed(body, most=100) == b"short"
        with pytest.raises(MalformedResponseError):
            reader.end()


def test_until_the_connection_ends() -> None:
    reader = Body(parse_head(b"HTTP/1.1 200 OK"))
    assert reader.feed(b"abc", most=100) == b"abc"
    assert not reader.done
    reader.end()
    assert reader.done


@pytest.mark.parametrize(
    ("fields", "body"),
    [(b"Content-Length: 3", b"abcHTTP/1.1"), (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\nHTTP")],
)
def test_bytes_after_the_end_taint_the_connection(fields: bytes, body: bytes) -> None:
    reader = Body(parse_head(b"HTTP/1.1 200 OK\r\n" + fields))
    assert reader.feed(body, most=100) == b"abc"
    assert reader.done
    assert not reader.clean


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(status: int) -> None:
    assert Body(parse_head(b"HTTP/1.1 %d X\r\nContent-Length: 10" % status)).done


@pytest.mark.parametrize(("coding", "pack"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)])
def test_a_bomb_inflates_only_as_far_as_asked(coding: bytes, pack: object) -> None:
    assert callable(pack)
    packed = pack(b"0" * 50_000_000)
    head = parse_head(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding)
    assert Body(head).feed(packed, most=1000) == b"0" * 1000
    assert Body(head).feed(pack(b"abc"), most=1000) == b"abc"
    with pytest.raises(MalformedResponseError):
        Body(head).feed(b"not compressed at all", most=1000)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(head: bytes, body: bytes) -> None:
    try:
        reader = Body(parse_head(b"HTTP/1.1 200 OK\r\n" + head))
        reader.feed(body, most=100)
        reader.end()
    except ParseError:
        pass
