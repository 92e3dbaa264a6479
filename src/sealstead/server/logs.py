"""Structured logs: one JSON object a line (readable lines on a terminal), to stderr or `logs/server.log`.

Every record, ours or a library's, passes `redact`: nothing that looks like a credential leaves this process in a log,
wherever it came from. A request is one line with method, path, status and duration; never the query, a header
of the client's, or the secret part of a mailed link.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from gunicorn.glogging import Logger as GunicornLogger

from sealstead.clock import SystemClock
from sealstead.server.config import Config
from sealstead.server.forwarded import Network, peer_of, request_id_of

LOG_FILE = "server.log"
ACCESS_LOGGER = "sealstead.access"
REDACTED = "[redacted]"

_SENSITIVE = re.compile(
    r"pass(?:word|phrase|wd)|secret|token(?!_?id\b|_?name\b)|authorization|cookie|api_?key|private|csrf|recovery|otp",
    re.IGNORECASE,
)
"""Names of values that are never written, whatever they hold."""

_SECRETS = re.compile(
    r"""
      \b(?:pypi-|sealr?[_-])[A-Za-z0-9_=-]{8,}            # our credentials, and look-alikes of the reference index
    | \b(?:Basic|Bearer)\s+[A-Za-z0-9+/_=.~-]{8,}          # the same in a header, Basic as base64
    | \bAuthorization["']?:\s*["']?[A-Za-z]+\s[^\s"']+
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)                      # user:password@ in an address
    | (?<=/account/password/reset/key/)[^/\s"']+           # links of mails work once, but until then they work
    | (?<=/account/confirm-email/)[^/\s"']+
    | (?:sealstead|csrftoken)=[^;\s"']+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CLOCK = SystemClock()
"""Log lines tell the machine's time, also in tests that move another clock."""
_dumps = json.JSONEncoder(separators=(", ", ": ")).encode
_QUERY = re.compile(r"(?<=/)([^\s?\"']*)\?[^\s\"']+")


def configure(config: Config) -> None:
    """Send every logger of this process through one handler. Calling it again replaces what it did before."""
    terminal = config.log_to == "stderr" and sys.stderr.isatty()
    root, access = logging.getLogger(), logging.getLogger(ACCESS_LOGGER)
    _replace_handler(root, _handler(config), _formatter(terminal=terminal))
    access.propagate = terminal
    _replace_handler(access, None if terminal else _handler(config), None)
    root.setLevel(config.log_level.upper())
    logging.captureWarnings(capture=True)
    # Django's debug records quote statements with their values and templates with all they are given, a mail's
    # one-time link among them: no pattern could tell those from text.
    logging.getLogger("django").setLevel(max(root.level, logging.INFO))
    logging.getLogger("asyncio").setLevel(max(root.level, logging.WARNING))
    # Every request is in the access line already; the reasons of a refusal are audit events.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _replace_handler(
    logger: logging.Logger, handler: logging.Handler | None, form: logging.Formatter | None
) -> None:
    for old in list(logger.handlers):
        if getattr(old, "sealstead", False):
            logger.removeHandler(old)
            old.close()
    if handler is not None:
        handler.setFormatter(form)
        handler.sealstead = True  # type: ignore[attr-defined]
        logger.addHandler(handler)


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any] | MutableMapping[str, Any]:
    """A structlog processor: blank values by the name they go under and by what they look like."""
    return {key: _clean(key, value) for key, value in event.items()}


def redact_text(text: str) -> str:
    return _QUERY.sub(r"\1?" + REDACTED, _SECRETS.sub(REDACTED, text))


def _clean(key: str, value: object) -> object:
    if _SENSITIVE.search(key):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, Mapping):
        return {str(k): _clean(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))


def _flatten(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.update(event.pop("access", {}))
    return event


def _moment(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record = event.get("_record")
    created = record.created if isinstance(record, logging.LogRecord) else None
    if created is not None:
        event["at"] = datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds")
    event["pid"] = os.getpid()
    return event


def access_line(fields: Mapping[str, Any], *, at: datetime, pid: int) -> str:
    """Write one request as JSON. Only the path comes from the client, so only the path is searched for secrets."""
    clean = {**fields, "path": redact_text(fields["path"])}
    moment = at.isoformat(timespec="milliseconds")
    return _dumps({"event": "request", **clean, "at": moment, "pid": pid, "level": "info"})


def _write_line(handler: logging.Handler, line: str) -> None:
    """Write what needs no record, formatter or filter: they would cost more than answering the request."""
    assert isinstance(handler, logging.StreamHandler)  # noqa: S101 - `_handler` makes no other; for the type checker
    handler.acquire()
    try:
        if isinstance(handler, logging.handlers.WatchedFileHandler):
            handler.reopenIfNeeded()
        handler.stream.write(line + handler.terminator)
        handler.flush()
    finally:
        handler.release()


def _formatter(*, terminal: bool) -> logging.Formatter:
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ, timestamp_key="at")
        if terminal
        else structlog.processors.JSONRenderer(default=str)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, structlog.stdlib.ExtraAdder()],
        processors=[
            _flatten,
            _moment,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
    )


def _handler(config: Config) -> logging.Handler:
    if config.log_to == "stderr":
        return logging.StreamHandler(sys.stderr)
    path: Path = config.data_dir / "logs" / LOG_FILE
    # Created here, so that it is nobody else's from its first byte on; watched, so that logrotate may move it.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600))
    return logging.handlers.WatchedFileHandler(path, encoding="utf-8")


class ServerLogger(GunicornLogger):  # type: ignore[misc]
    """gunicorn's records in our form, and one line a request, for Django's and the fast path's alike."""

    trusted: tuple[Network, ...] = ()
    access_lines = True

    def setup(self, cfg: object) -> None:
        self.cfg = cfg
        self._access = logging.getLogger(ACCESS_LOGGER)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        self.error_log.setLevel(logging.NOTSET)

    @property
    def access_log_enabled(self) -> bool:
        return self.access_lines and self._access.isEnabledFor(logging.INFO)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:  # noqa: ANN401
        if not self.access_log_enabled:
            return
        peer = peer_of(environ, self.trusted)
        fields = {
            "request_id": request_id_of(environ, peer),
            "method": environ.get("REQUEST_METHOD", ""),
            "path": environ.get("PATH_INFO", ""),
            "status": int(str(resp.status).partition(" ")[0]),
            "ms": round(request_time.total_seconds() * 1000, 1),
            "bytes": getattr(resp, "sent", None),
            "ip": peer.ip,
        }
        if self._access.propagate:
            self._access.info("request", extra={"access": fields})
        for handler in self._access.handlers:
            _write_line(handler, access_line(fields, at=_CLOCK.now(), pid=os.getpid()))

    def reopen_files(self) -> None:
        """Nothing to do: `WatchedFileHandler` notices by itself."""
