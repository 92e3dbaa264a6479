"""`sealstead` in a process of its own, forked from one that has imported already what no setting decides.

Importing is most of what a short command does. A test that is about how a process starts (its imports, its terminal, its
signals, variables of Python's own) starts one; one that is about what a command does need not wait for that.

The forking server is a program of its own with a single thread: only such a one may fork safely. It reads requests
from stdin, one JSON document a line, and answers each with the child's exit status.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tests.environment import clean_environment

PRELOADED = (
    *("asyncio", "click", "fido2.webauthn", "psycopg", "structlog"),
    *("cryptography.hazmat.primitives.serialization.pkcs12", "cryptography.x509"),
    *("django.core.management", "django.core.serializers.json", "django.db.models", "django.forms"),
    *("django.http", "django.template.backends.django", "django.urls", "django.utils.translation"),
    *(
        "sealstead.cli.main",
        "sealstead.cli.server",
        "sealstead.custody.key_import",
        "sealstead.custody.sealed",
    ),
)
"""Modules that take long to import and look at no setting."""
HUNG = "hung"


class _Forker:
    """The forking server of this process, started when it is first needed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._server: subprocess.Popen[str] | None = None

    def ask(self, request: Mapping[str, Any]) -> Any:
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.forked"],
                cwd=Path(__file__).parents[1],
                env=clean_environment({"PYTHONPATH": os.pathsep.join(("src", "."))}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self._server.communicate)
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())


_FORKER = _Forker()


def run_sealstead(
    arguments: Sequence[str],
    *,
    extra: Mapping[str, str] | None = None,
    stdin: str = "",
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run `sealstead` in a clean environment with `extra`; stdin, stdout and stderr are no terminal."""
    command = [sys.executable, "-m", "sealstead", *arguments]
    environment = clean_environment(extra)
    # Variables of Python's own count when it starts; and while one thread waits for its command, another has its own.
    if any(name.startswith("PYTHON") for name in extra or ()) or not _FORKER.lock.acquire(blocking=False):
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env=environment,
        )
    try:
        with tempfile.TemporaryDirectory(prefix="forked-") as place:
            files = {name: str(Path(place, name)) for name in ("stdin", "stdout", "stderr")}
            Path(files["stdin"]).write_text(stdin, encoding="utf-8")
            request = {"arguments": list(arguments), "environment": environment, "cwd": str(Path.cwd())}
            code = _FORKER.ask({**request, **files, "seconds": seconds})
            out, err = (Path(files[name]).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
    finally:
        _FORKER.lock.release()
    if code == HUNG:
        raise subprocess.TimeoutExpired(command, seconds, out, err)
    return subprocess.CompletedProcess(command, code, out, err)


def _serve() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    # Children have 0 and 1 for themselves.
    with os.fdopen(os.dup(0)) as requests, os.fdopen(os.dup(1), "w") as answers:
        for line in requests:
            request = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _become(request)
            answers.write(json.dumps(_wait(pid, request["seconds"])) + "\n")
            answers.flush()


def _become(request: Mapping[str, Any]) -> NoReturn:
    """Be the command. It ends as Python ends, which closes what is open: nothing may be caught on the way."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_WRONLY | os.O_CREAT if descriptor else os.O_RDONLY
        opened = os.open(request[name], flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    sys.argv = ["sealstead", *request["arguments"]]
    from sealstead.cli.main import main

    main()


def _wait(pid: int, seconds: float) -> int | str:
    """Return how the child ended as `subprocess` says it, or that it did not."""
    end = time.monotonic() + seconds
    while (remaining := end - time.monotonic()) > 0:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        signal.sigtimedwait({signal.SIGCHLD}, remaining)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return HUNG


if __name__ == "__main__":
    _serve()
