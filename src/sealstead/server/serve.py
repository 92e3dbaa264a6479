"""`sealstead serve`: make the data directory ready, then hand over to the supervisor.

Steps: the directory → its lock → settings → the listening socket → key ring and schema, in a process of their own
(the supervisor stays without Django) → workers. What is in the way ends the start with one line.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sealstead.errors import SealsteadError
from sealstead.server.config import PREFIX, Config
from sealstead.server.config_file import read_config, read_settings
from sealstead.server.datadir import claim_server, default_data_dir, make_data_dir, write_address
from sealstead.server.listen import listen
from sealstead.server.tls import certificate_files, fingerprint


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What an operator is told once the server listens."""

    url: str
    data_dir: Path
    default_data_dir: bool
    has_accounts: bool
    authority: Path | None
    """Certificate of the local authority, if there is one, and its SHA-256 fingerprint."""
    authority_fingerprint: str | None


def serve(*, data_dir: Path, overrides: Mapping[str, str], announce: Callable[[Announcement], None]) -> None:
    """Run the server until it is told to stop. `overrides` are settings of the command line, as text.

    Raises:
        SealsteadError: it cannot start; the message is one line.
    """
    os.umask(0o077)
    os.environ |= {PREFIX + name.upper(): value for name, value in overrides.items()}
    first = not data_dir.exists()
    if not first:
        data_dir, lock = _claim(data_dir)
    wanted = read_settings(data_dir, os.environ)
    sock = listen(wanted.get("host", Config.host), wanted.get("port", Config.port))
    with contextlib.ExitStack() as undo:
        undo.enter_context(sock)
        if first:  # only now: a busy port leaves nothing behind
            data_dir, lock = _claim(data_dir)
        os.environ[PREFIX + "PORT"] = str(sock.getsockname()[1])
        has_accounts = in_own_process(_prepare, data_dir)
        config = read_config(data_dir, os.environ)
        files = certificate_files(config)
        undo.pop_all()  # from here on the supervisor holds the socket

    from sealstead.server.supervisor import Server

    write_address(lock, config.public_url)

    def ready() -> None:
        authority = files.authority if files else None
        announce(
            Announcement(
                url=config.public_url,
                data_dir=data_dir,
                default_data_dir=data_dir == default_data_dir().resolve(),
                has_accounts=has_accounts,
                authority=authority,
                authority_fingerprint=fingerprint(authority) if authority else None,
            )
        )

    Server(config, sock.detach(), files=files, ready=ready).run()


def _claim(data_dir: Path) -> tuple[Path, int]:
    data_dir = make_data_dir(data_dir)
    os.environ[PREFIX + "DATA_DIR"] = str(data_dir)  # where workers find everything else
    return data_dir, claim_server(data_dir)  # held until the last process that inherits it has ended


def in_own_process(work: Callable[[Path], Any], argument: Path) -> Any:  # noqa: ANN401 - whatever `work` returns
    """Return what `work` returns, or raise the expected error that it raised, after its process has ended.

    Raises:
        SealsteadError: as `work` did.
        RuntimeError: it failed in another way; the message is its trace.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(work, argument, sender), name="prepare")
    process.start()
    sender.close()
    try:
        kind, *facts = receiver.recv()
    except EOFError:
        kind, facts = "ended", []
    process.join()
    match kind:
        case "returned":
            return facts[0]
        case "refused":
            family, message, hint = facts
            raise family(message, hint=hint)
        case "failed":
            raise RuntimeError(facts[0])
        case _:
            raise RuntimeError(f"preparation ended with status {process.exitcode}")


def _report(work: Callable[[Path], Any], argument: Path, sender: Connection) -> None:
    try:
        sender.send(("returned", work(argument)))
    except SealsteadError as exc:
        sender.send(("refused", type(exc), exc.message, exc.hint))
    except Exception:  # noqa: BLE001 - it is raised again on the other side
        sender.send(("failed", traceback.format_exc()))


def _prepare(data_dir: Path) -> bool:
    from sealstead.server.prepare import prepare

    prepare(data_dir, os.environ)
    from django.db import connections

    from sealstead.server.accounts.models import User

    has_accounts = User.objects.exists()
    connections.close_all()
    return has_accounts
