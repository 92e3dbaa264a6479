"""gunicorn as we run it: one supervising process without Django, workers with threads.

Rules:
  * the supervisor never imports Django, so that SIGHUP gives workers that read every setting anew;
  * settings and certificate are checked before a reload: with a mistake in them the old workers go on;
  * no control socket, no replacing of the program in flight (SIGUSR2): the lock of the data directory forbids it.
"""

from __future__ import annotations

import logging
import os
import signal
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from sealstead.errors import SealsteadError
from sealstead.server import logs
from sealstead.server.config import Config
from sealstead.server.config_file import read_config
from sealstead.server.patience import PatientTLSSocket
from sealstead.server.tls import CertificateFiles, certificate_files, needs_renewal, server_context
from sealstead.server.worker import Worker

THREADS = 8
GRACE_SECONDS = 60
KEEPALIVE_SECONDS = 15
_HEARTBEAT_SECONDS = 60
_RENEWAL_CHECK_SECONDS = 3600.0

_log = logging.getLogger(__name__)


class Supervisor(Arbiter):  # type: ignore[misc]
    def __init__(self, app: Server) -> None:
        self._renewal_checked_at = time.monotonic()
        super().__init__(app)

    def reload(self) -> None:
        try:
            self.app.reread()
        except SealsteadError as exc:
            _log.error(
                "not reloaded, the old settings hold: %s%s", exc.message, f" ({exc.hint})" if exc.hint else ""
            )
            return
        super().reload()

    def spawn_worker(self) -> Any:  # noqa: ANN401 - gunicorn's
        # Until its own handlers stand, a new process has copies of ours, which put a signal into a queue that nobody
        # reads: a stop that comes early would be lost, and waited for in vain. It waits there until `init_signals`.
        signal.pthread_sigmask(signal.SIG_BLOCK, Worker.SIGNALS)
        try:
            return super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, Worker.SIGNALS)

    def reexec(self) -> None:
        _log.warning("SIGUSR2 ignored: a data directory has one server; stop this one and start the new one")

    def manage_workers(self) -> None:
        super().manage_workers()
        if time.monotonic() - self._renewal_checked_at > _RENEWAL_CHECK_SECONDS:
            self._renewal_checked_at = time.monotonic()
            if self.app.certificate_ends():
                _log.info("the local certificate ends soon: reloading")
                os.kill(os.getpid(), signal.SIGHUP)


class Server(BaseApplication):  # type: ignore[misc]
    """`config` is what holds now; SIGHUP reads it again from `data_dir` and the environment."""

    def __init__(
        self,
        config: Config,
        descriptor: int,
        *,
        files: CertificateFiles | None,
        ready: Callable[[], None],
    ) -> None:
        self.config = config
        self.files = files
        self._descriptor = descriptor
        """Of the listening socket. gunicorn takes it over; the number names the listener for good."""
        self._ready = ready
        self._context = server_context(self.files) if self.files else None
        super().__init__()

    def load_config(self) -> None:
        logs.configure(self.config)
        logs.ServerLogger.trusted = self.config.trusted_proxies
        logs.ServerLogger.access_lines = self.config.access_log
        options: dict[str, Any] = {
            "bind": f"fd://{self._descriptor}",
            "workers": self.config.workers,
            "worker_class": Worker,
            "threads": THREADS,
            "worker_connections": 1000,
            "timeout": _HEARTBEAT_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": KEEPALIVE_SECONDS,
            "limit_request_line": 4094,
            "limit_request_fields": 60,
            "limit_request_field_size": 8190,
            # Forwarded headers are ours to judge (`forwarded.py`): gunicorn must not act on any.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "proxy_protocol": "off",
            "header_map": "drop",
            "http_parser": "auto",
            "control_socket_disable": True,
            "preload_app": False,
            "logger_class": logs.ServerLogger,
            "loglevel": self.config.log_level,
            "proc_name": "sealstead",
            "worker_tmp_dir": _memory_directory(),
            "when_ready": lambda _arbiter: self._ready(),
            "child_exit": lambda _arbiter, worker: worker.ended(),
        }
        if self.files:
            options |= {
                "certfile": str(self.files.certificate),
                "keyfile": str(self.files.key),
                "do_handshake_on_connect": False,
                "ssl_context": self._ssl_context,
            }
        for key, value in options.items():
            self.cfg.set(key, value)

    def reread(self) -> None:
        """Read settings and certificate again, for the workers to come.

        Raises:
            SealsteadError: they cannot be used; nothing has changed.
        """
        config = read_config(self.config.data_dir, os.environ)
        files = certificate_files(config)
        if bool(files) != bool(self.files):
            _log.warning("switching TLS on or off needs a restart; it stays as it was")
            files = self.files
        self._context = server_context(files) if files else None
        self.config, self.files = config, files

    def certificate_ends(self) -> bool:
        return bool(
            self.files
            and self.files.authority
            and needs_renewal(self.files.certificate, at=self.config.clock.now())
        )

    def load(self) -> object:
        from sealstead.server.wsgi import application, warm_up

        warm_up()
        return application

    def run(self) -> None:
        Supervisor(self).run()

    def _ssl_context(self, _config: object, _default: object) -> ssl.SSLContext:
        # gunicorn asks for every connection; files read once a generation of workers also mean that a certificate
        # replaced on disk in two steps is never served by half.
        assert self._context is not None  # noqa: S101 - set wherever files are; for the type checker
        self._context.sslsocket_class = PatientTLSSocket
        return self._context


def _memory_directory() -> str | None:
    # The heartbeat files of workers: on a disk that stalls, gunicorn would take a healthy worker for a dead one.
    memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes and unlinks an unnamed file there
    return str(memory) if memory.is_dir() and os.access(memory, os.W_OK) else None
