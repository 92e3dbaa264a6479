from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from sealstead import errors
from sealstead.server import problem
from sealstead.server.index.permissions import NotAllowedError, UploadNotAllowedError


class ProbeError(errors.ConflictError):
    code = "probe-of-this-test"


def answer(exc: errors.SealsteadError, accept: str = "*/*") -> Any:
    return problem.refusal(RequestFactory().post("/legacy/", headers={"accept": accept}), exc)


def test_the_text_is_in_the_reason_phrase_and_in_a_plain_body() -> None:
    response = answer(ProbeError("file already there"))
    assert response.status_code == 409
    assert response.reason_phrase == "file already there"
    assert response.content == b"409 file already there\n"
    assert response["Content-Type"].startswith("text/plain")
    assert response["Cache-Control"] == "no-store"
    assert set(response["Vary"].split(", ")) >= {"Accept", "Authorization"}


@pytest.mark.parametrize(
    "accept", ["application/json", "application/problem+json", "text/html, application/json;q=0.5"]
)
def test_a_client_that_reads_json_gets_problem_details(accept: str) -> None:
    response = answer(ProbeError("file already there"), accept)
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content) == {
        "type": "about:blank",
        "title": "Probe of this test",
        "status": 409,
        "detail": "file already there",
        "code": "probe-of-this-test",
    }


def test_a_refusal_links_to_the_help_page_of_this_server() -> None:
    exc = UploadNotAllowedError("The user 'ada' isn't allowed to upload to project 'x'.")
    link = "http://127.0.0.1:8000/help/#project-name"
    assert answer(exc).reason_phrase == (
        f"The user 'ada' isn't allowed to upload to project 'x'. See {link} for more information."
    )
    assert json.loads(answer(exc, "application/json").content)["type"] == link


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("two\r\nSet-Cookie: x=1", "two Set-Cookie: x=1"),
        ("naïve", "naïve"),
        ("日本", "??"),
        ("bell\x07", "bell?"),
        ("x" * 900, "x" * 497 + "..."),
    ],
)
def test_a_reason_phrase_is_one_safe_bounded_line(text: str, phrase: str) -> None:
    assert answer(ProbeError(text)).reason_phrase == phrase


@pytest.mark.parametrize(
    ("family", "status"),
    [
        (errors.InputError, 400),
        (errors.ParseError, 400),
        (errors.VerificationError, 400),
        (errors.DeniedError, 403),
        (errors.NotFoundError, 404),
        (errors.ConflictError, 409),
        (errors.ExpiredError, 403),
        (errors.KeyUnavailableError, 503),
        (errors.UpstreamError, 502),
        (errors.SealsteadError, 400),
    ],
)
def test_every_family_has_its_status(family: type[errors.SealsteadError], status: int) -> None:
    assert problem.status_of(family("x")) == status


def middleware() -> problem.ProblemMiddleware:
    return problem.ProblemMiddleware(lambda _request: HttpResponse())


def test_an_unexpected_error_of_an_api_path_is_a_plain_500_with_the_request_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    request = RequestFactory().get("/simple/x/")
    response = middleware().process_exception(request, RuntimeError("hunter2"))
    assert response is not None
    assert response.status_code == 500
    assert b"hunter2" not in response.content
    assert b"Traceback" not in response.content


def test_an_unexpected_error_of_a_page_is_left_to_the_500_page() -> None:
    assert middleware().process_exception(RequestFactory().get("/help/"), RuntimeError()) is None


def test_an_expected_error_takes_the_form_of_the_path() -> None:
    page, api = RequestFactory().get("/project/x/"), RequestFactory().get("/pypi/x/json")
    with pytest.raises(Http404):
        middleware().process_exception(page, errors.NotFoundError("no such project"))
    with pytest.raises(PermissionDenied):
        middleware().process_exception(page, NotAllowedError("not yours"))
    conflict = middleware().process_exception(page, ProbeError("changed meanwhile"))
    assert conflict is not None
    assert conflict.status_code == 409
    found = middleware().process_exception(api, errors.NotFoundError("no such project"))
    assert found is not None
    assert (found.status_code, found.reason_phrase) == (404, "no such project")
