"""Forks a fresh process for each command, after everything has been imported once.

Started by `harness.Runner` as a program of its own, because only a process with a single thread may fork safely. Reads
requests from stdin, one JSON document a line, and answers each with one line. A child is a real process: it dies
by SIGKILL, and what it left on disk is what the next one finds.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from typing import Any

from tests.crash import shim


def main(target: str, preload: list[str]) -> None:
    shim.install()
    module, _, name = target.partition(":")
    command = getattr(importlib.import_module(module), name)
    for extra in preload:
        with contextlib.suppress(ImportError):
            _preload(extra)
    gc.freeze()  # a child that looks through all of it for what could be freed would copy it
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    for line in sys.stdin:
        request = json.loads(line)
        pid = request.get("resume") or _start(request, command)
        if "resume" in request:
            os.kill(pid, signal.SIGCONT)
        answer = _wait(pid, request["seconds"])
        sys.stdout.write(json.dumps({"pid": pid, **answer}) + "\n")
        sys.stdout.flush()


def _preload(name: str) -> None:
    """Import a module; `module:hook` also calls the hook, once."""
    module, _, hook = name.partition(":")
    loaded = importlib.import_module(module)
    if hook:
        getattr(loaded, hook)()


def _start(request: dict[str, Any], command: Any) -> int:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = _child(request, command)
        except BaseException:  # noqa: BLE001 - told on stderr; nothing may return into the parent's loop
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    return pid


def _child(request: dict[str, Any], command: Any) -> int:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for descriptor, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(request[name], flags, 0o600), descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    shim.SHIM.arm(roots=request["roots"], fault=request["fault"], log=log)
    sys.argv = ["command", *request["arguments"]]
    try:
        result = command(request["arguments"])
    except SystemExit as exc:
        result = exc.code
    return result if isinstance(result, int) else 0


def _wait(pid: int, seconds: float) -> dict[str, Any]:
    """Wait until the child ends or stops itself; kill it when its time is over."""
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if found and os.WIFSTOPPED(status):
            return {"state": "stopped", "code": None}
        if found and os.WIFSIGNALED(status):
            return {"state": "killed", "code": -os.WTERMSIG(status)}
        if found:
            return {"state": "exited", "code": os.WEXITSTATUS(status)}
        remaining = end - time.monotonic()
        if remaining <= 0:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return {"state": "hung", "code": None}
        signal.sigtimedwait({signal.SIGCHLD}, remaining)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
