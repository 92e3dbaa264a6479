from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from gunicorn.config import Config as GunicornConfig

from sealstead.custody.sealed import KeyRing
from sealstead.server import logs
from sealstead.server.config import Config

TOKEN = "pypi-AgEIcHlwaS5vcmcCJDEyMzQ1Njc4LTEyMzQtMTIzNC0xMjM0LTEyMzQ1Njc4OTAxMg"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Everything logged in this test, as it would stand in the log."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root, access = logging.getLogger(), logging.getLogger(logs.ACCESS_LOGGER)
    names = ("django", "django.request", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}
    root_level, propagate = root.level, access.propagate
    logs.configure(Config(data_dir=Path("/x"), ring=KeyRing.generate()))
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for logger in (root, access):
        for handler in list(logger.handlers):
            if getattr(handler, "sealstead", False):
                logger.removeHandler(handler)
                handler.close()
    root.setLevel(root_level)
    access.propagate = propagate
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_a_line_is_json_with_moment_level_and_logger(lines: Any) -> None:
    structlog.get_logger("sealstead.test").warning("something happened", count=2, place=Path("/x"))
    (line,) = lines()
    assert line["event"] == "something happened"
    assert (line["level"], line["logger"], line["count"], line["place"]) == (
        "warning",
        "sealstead.test",
        2,
        "/x",
    )
    assert line["at"].endswith("+00:00")


def test_a_library_s_record_takes_the_same_way(lines: Any) -> None:
    logging.getLogger("some.library").error("failed for %s", TOKEN, extra={"password": "hunter2"})
    (line,) = lines()
    assert line["event"] == "failed for [redacted]"
    assert line["password"] == "[redacted]"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password1",
        "api_key",
        "apikey",
        "Authorization",
        "cookie",
        "csrf",
        "totp_secret",
        "token",
    ],
)
def test_values_under_sensitive_names_are_never_written(name: str) -> None:
    assert logs.redact(None, "", {name: "hunter2", "deep": [{name: ["hunter2"]}]}) == {
        name: "[redacted]",
        "deep": [{name: "[redacted]"}],
    }


def test_the_id_of_a_token_is_no_secret() -> None:
    assert logs.redact(None, "", {"token_id": "7", "token_name": "ci"}) == {
        "token_id": "7",
        "token_name": "ci",
    }


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        (f"upload with {TOKEN}!", "upload with [redacted]!"),
        ("seal_0123456789ab_" + "x" * 43 + "_abcdef", "[redacted]"),
        ("sealr-" + "x" * 40, "[redacted]"),
        ("Authorization: Basic X190b2tlbl9fOnB5cGk=", "[redacted]"),
        ("{'Authorization': 'token abc'}", "{'[redacted]'}"),
        ("bearer abcdefghijkl", "[redacted]"),
        ("postgresql://me:hunter2@host/db", "postgresql://[redacted]@host/db"),
        ("GET /account/password/reset/key/1-abc-def/", "GET /account/password/reset/key/[redacted]/"),
        ("/account/confirm-email/MTA:1abc:def/", "/account/confirm-email/[redacted]/"),
        ("<WSGIRequest: GET '/search/?q=hunter2'>", "<WSGIRequest: GET '/search/?[redacted]'>"),
        ("Cookie: sealstead=abcdef; csrftoken=ghi", "Cookie: [redacted]; [redacted]"),
        ("nothing to hide on the pypi-server", "nothing to hide on the pypi-server"),
    ],
)
def test_what_looks_like_a_secret_is_blanked_wherever_it_stands(text: str, safe: str) -> None:
    assert logs.redact_text(text) == safe


def test_a_trace_is_blanked_too(lines: Any) -> None:
    try:
        raise ValueError(f"bad token {TOKEN}")  # noqa: TRY301 - the trace is what this is about
    except ValueError:
        structlog.get_logger().exception("unexpected")
    (line,) = lines()
    assert "ValueError: bad token [redacted]" in line["exception"]
    assert TOKEN not in json.dumps(line)


def test_bytes_and_foreign_objects_say_little() -> None:
    class Thing:
        def __str__(self) -> str:
            return f"thing {TOKEN}"

    assert logs.redact(None, "", {"raw": b"hunter2", "thing": Thing()}) == {
        "raw": "7 bytes",
        "thing": "thing [redacted]",
    }


class Response:
    status = "403 Forbidden"
    sent = 12


def test_a_request_is_one_line_without_query_header_or_secret(lines: Any) -> None:
    logger = logs.ServerLogger(GunicornConfig())
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/account/password/reset/key/1-abc/",
        "QUERY_STRING": "q=hunter2",
        "HTTP_AUTHORIZATION": "Basic hunter2hunter2",
        "REMOTE_ADDR": "192.0.2.1",
        "sealstead.request_id": "abcdefgh",
    }
    logger.access(Response, None, environ, timedelta(milliseconds=12.34))
    (line,) = lines()
    del line["at"], line["pid"]
    assert line == {
        "event": "request",
        "request_id": "abcdefgh",
        "method": "GET",
        "path": "/account/password/reset/key/[redacted]/",
        "status": 403,
        "ms": 12.3,
        "bytes": 12,
        "ip": "192.0.2.1",
        "level": "info",
    }


def test_access_lines_can_be_switched_off(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs.ServerLogger, "access_lines", False)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.1"}
    logs.ServerLogger(GunicornConfig()).access(Response, None, environ, timedelta(0))
    assert lines() == []


def test_the_debug_level_is_ours_not_django_s(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (handler,) = [h for h in logging.getLogger().handlers if getattr(h, "sealstead", False)]
    assert isinstance(handler, logging.StreamHandler)
    monkeypatch.setattr(sys, "stderr", handler.stream)
    logs.configure(Config(data_dir=Path("/x"), ring=KeyRing.generate(), log_level="debug"))
    logging.getLogger("django.template").debug(
        "Exception while resolving variable, context: %s", {"url": "x"}
    )
    logging.getLogger("sealstead.server").debug("ours")
    assert [line["event"] for line in lines()] == ["ours"]


def test_a_log_file_is_the_owner_s_alone(tmp_path: Path, lines: Any) -> None:
    (tmp_path / "logs").mkdir()
    logs.configure(Config(data_dir=tmp_path, ring=KeyRing.generate(), log_to="file"))
    structlog.get_logger().info("written")
    path = tmp_path / "logs" / "server.log"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["event"] == "written"
    assert lines() == []
