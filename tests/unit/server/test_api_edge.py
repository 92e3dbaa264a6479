"""The JSON protocol in process: what is answered before a view is asked, and how what it raises is told."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import DatabaseError, DataError

from sealstead.errors import ConflictError, DeniedError
from sealstead.server.api_edge import ApiEdge
from sealstead.server.api_request import MAX_BODY_BYTES, ApiRequest

pytestmark = pytest.mark.django_db


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class BusyError(DeniedError):
    code = "too-many-failures"
    retry_after = timedelta(seconds=1.2)


class TwiceError(ConflictError):
    code = "twice-for-tests"

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.facts = {"successor": "id", "status": 200}


def echo(request: ApiRequest) -> dict[str, Any]:
    return {"sent": request.json(), "query": request.query()}


def hello(request: ApiRequest) -> dict[str, Any]:
    return {"ip": request.origin.ip, "agent": request.origin.user_agent, "id": request.origin.request_id}


def raising(exc: Exception) -> Any:
    def view(_request: ApiRequest) -> dict[str, Any]:
        raise exc

    return view


VIEWS = {
    ("POST", "/api/v1/echo"): echo,
    ("GET", "/api/v1/hello"): hello,
    ("POST", "/api/v1/hello"): hello,
    ("GET", "/api/v1/busy"): raising(BusyError("slow down")),
    ("GET", "/api/v1/twice"): raising(TwiceError("done before", hint="look")),
    ("GET", "/api/v1/nul"): raising(DataError("NUL")),
    ("GET", "/api/v1/down"): raising(DatabaseError("secret of the driver")),
    ("GET", "/api/v1/broken"): raising(RuntimeError("secret of ours")),
}


def django(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("X-Answered-By", "django")])
    return [b"django"]


def ask(
    path: str,
    body: bytes = b"",
    *,
    method: str = "GET",
    length: int | None = -1,
    environ: dict[str, Any] | None = None,
) -> Response:
    """`length` is the announced one: -1 is the true one, None is a body in chunks."""
    facts: dict[str, Any] = {"REQUEST_METHOD": method, "REMOTE_ADDR": "192.0.2.1"} | (environ or {})
    facts["PATH_INFO"], _, facts["QUERY_STRING"] = path.partition("?")
    facts["wsgi.input"] = BytesIO(body)
    if length is None:
        facts["HTTP_TRANSFER_ENCODING"] = "chunked"
    else:
        facts["CONTENT_LENGTH"] = str(len(body) if length == -1 else length)
    setup_testing_defaults(facts)
    seen: list[Any] = []
    answer = b"".join(ApiEdge(django, views=VIEWS)(facts, lambda *given: seen.append(given)))  # type: ignore[arg-type,return-value]
    (status, listed) = seen[0]
    return Response(int(status[:3]), dict(listed), answer)


def post(body: bytes, **facts: Any) -> Response:
    return ask("/api/v1/echo", body, method="POST", **facts)


def test_everything_else_goes_on() -> None:
    for path in ("/", "/api/v1x", "/api/v2/hello", "/simple/"):
        assert ask(path).headers["X-Answered-By"] == "django"


def test_a_view_is_told_who_asks_and_the_answer_names_the_request() -> None:
    answer = ask("/api/v1/hello", environ={"HTTP_USER_AGENT": "ci\x1b[31m"})
    assert answer.status == 200
    assert answer.json["ip"] == "192.0.2.1"
    assert answer.json["agent"] == "ci?[31m"
    assert answer.json["id"] == answer.headers["X-Request-ID"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


def test_head_is_a_get_without_a_body() -> None:
    answer = ask("/api/v1/hello", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 10


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/hello/"])
def test_an_unknown_path_is_told_as_a_problem(path: str) -> None:
    answer = ask(path, environ={"HTTP_ACCEPT": "text/html"})
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["code"] == "no-such-endpoint"


def test_a_wrong_method_is_told_the_right_ones() -> None:
    answer = ask("/api/v1/hello", method="DELETE")
    assert (answer.status, answer.json["code"]) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_json_and_query_arrive() -> None:
    answer = ask("/api/v1/echo?a=1&b=%C3%A4", '{"ä": [1]}'.encode(), method="POST")
    assert answer.json == {"sent": {"ä": [1]}, "query": {"a": "1", "b": "ä"}}


def test_a_body_in_chunks_arrives() -> None:
    assert post(b'{"a": 1}', length=None).json["sent"] == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"[]",
            b"null",
            b'{"a": 1, "a": 2}',
            b'{"a": NaN}',
            b'{"a": "\\uD800"}',
            b'{"a"',
            b'\xff{"a": 1}',
        ),
        *(b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"{}{}"),
    ],
    ids=range(12),
)
def test_what_is_not_one_json_object_is_refused(body: bytes) -> None:
    answer = post(body)
    assert (answer.status, answer.json["code"]) == (400, "malformed-body")


def test_a_body_that_ends_early_is_refused() -> None:
    answer = post(b'{"a": 1}', length=9)
    assert (answer.status, answer.json["code"]) == (400, "malformed-body")


def test_the_size_of_a_body_is_limited_at_both_edges() -> None:
    largest = b'{"a": "' + b"x" * (MAX_BODY_BYTES - 9) + b'"}'
    assert len(largest) == MAX_BODY_BYTES
    assert post(largest).status == post(largest, length=None).status == 200
    for length in (-1, None):
        answer = post(largest + b" ", length=length)
        assert (answer.status, answer.json["code"]) == (413, "body-too-large")


def test_a_gigabyte_is_refused_by_its_announcement() -> None:
    assert post(b"", length=1_000_000_000).status == 413


@pytest.mark.parametrize("query", ["a=1&a=2", "a=%FF", "&".join(f"a{n}=" for n in range(21))])
def test_a_query_that_reads_two_ways_is_refused(query: str) -> None:
    answer = ask("/api/v1/echo?" + query, b"{}", method="POST")
    assert (answer.status, answer.json["code"]) == (400, "malformed-query")


def test_a_refusal_says_when_to_come_back() -> None:
    answer = ask("/api/v1/busy")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")


def test_a_refusal_brings_its_facts_but_never_another_status() -> None:
    answer = ask("/api/v1/twice")
    assert answer.status == 409
    assert answer.json["successor"] == "id"
    assert (answer.json["status"], answer.json["hint"]) == (409, "look")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("nul", 400, "impossible-value"), ("down", 503, "database-busy"), ("broken", 500, "internal")],
)
def test_a_failure_tells_nothing_of_its_cause(path: str, status: int, code: str) -> None:
    answer = ask(f"/api/v1/{path}")
    assert (answer.status, answer.json["code"]) == (status, code)
    assert b"secret" not in answer.body
    assert ("Retry-After" in answer.headers) == (status == 503)
