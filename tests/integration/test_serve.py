"""`sealstead serve` as an operator meets it: first start, refusals, signals, TLS, proxies, sudden death."""

from __future__ import annotations

import contextlib
import http.client
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from tests.environment import clean_environment
from tests.postgres import free_port
from tests.server_process import STOP_SECONDS, Server, has_ended, start_server

from sealstead.server import tls


def serve(
    data_dir: Path, *args: str, environment: dict[str, str] | None = None, **more: Any
) -> tuple[int, str]:
    """Run a server that is expected not to start; return its exit code and what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "sealstead", "serve", "--data-dir", str(data_dir), "--port", "0", *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=clean_environment(environment),
        **more,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.fixture
def running(tmp_path: Path) -> Iterator[list[Server]]:
    """Servers that a test starts; they are ended with it."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        if server.process.poll() is None:
            server.kill()


def eventually(condition: Any, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_first_start_says_where_it_is_and_how_to_go_on(tmp_path: Path, running: list[Server]) -> None:
    began = time.monotonic()
    server = start_server(tmp_path / "data")
    running.append(server)
    print(f"ready after {time.monotonic() - began:.1f} s")  # noqa: T201 - told, not asserted: machines differ
    said = server.log.read_text()
    assert f"Sealstead answers at {server.url}/\n" in said
    command = (
        f"sealstead admin create-user NAME --email NAME@example.org --admin --data-dir {server.data_dir}"
    )
    assert command in said
    modes: dict[int, set[int]] = defaultdict(set)
    for path in server.data_dir.iterdir():
        with contextlib.suppress(FileNotFoundError):  # of SQLite, which makes and removes some as it goes
            mode = path.stat().st_mode
            modes[stat.S_IFMT(mode)].add(stat.S_IMODE(mode))
    assert modes == {stat.S_IFDIR: {0o700}, stat.S_IFREG: {0o600}}
    assert server.data_dir.stat().st_mode & 0o777 == 0o700

    # Once there is an account, and with TLS, which is a start of another kind, the hint is gone.
    server.admin(
        "create-user", "ada", "--email", "ada@example.org", "--password-stdin", stdin="correct horse battery"
    )
    assert server.stop() == 0
    server.log.unlink()
    again = start_server(tmp_path / "data", "--tls-self-signed")
    running.append(again)
    eventually(lambda: "Ctrl-C stops it" in again.log.read_text())
    assert "create-user" not in again.log.read_text()
    _check_local_authority(again)


def test_a_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = serve(tmp_path / "data", "--port", str(port))
    assert code == 1
    assert said == (
        f"error: cannot listen on 127.0.0.1:{port}: the port is in use\n"
        "hint: choose another with --port, or stop what listens there\n"
    )
    assert not (tmp_path / "data").exists()


def test_commands_know_the_address_of_the_server_that_was_started(
    tmp_path: Path, running: list[Server]
) -> None:
    server = start_server(tmp_path / "data")
    running.append(server)
    server.admin("test-mail", "ada@example.org")
    (mail,) = (server.data_dir / "outbox").glob("*.eml")
    assert f"the operator of {server.url}." in mail.read_text()


def test_an_address_of_another_machine_is_one_clear_line(tmp_path: Path) -> None:
    code, said = serve(tmp_path / "data", "--host", "192.0.2.1")
    assert code == 2
    assert said.startswith("error: cannot listen on 192.0.2.1:0: no such address on this machine\nhint: ")


def test_a_directory_that_others_may_read_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    code, said = serve(data)
    assert (code, said) == (3, f"error: {data} is open to other users\nhint: run: chmod 700 {data}\n")
    assert list(data.iterdir()) == []


def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory to another user")
    data = tmp_path / "data"
    data.mkdir(0o700)
    os.chown(data, pwd.getpwnam("nobody").pw_uid, -1)
    code, said = serve(data)
    assert code == 3
    assert said.startswith(f"error: {data} belongs to another user\nhint: run as its owner")
    assert list(data.iterdir()) == []


def test_a_second_server_on_the_same_directory_is_refused(tmp_path: Path, running: list[Server]) -> None:
    running.append(start_server(tmp_path / "data"))
    code, said = serve(tmp_path / "data")
    assert code == 1
    assert said.startswith(f"error: a server is running on {tmp_path}/data already\nhint: ")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that has been made ready; tests copy it."""
    path = tmp_path_factory.mktemp("made") / "data"
    done = subprocess.run(
        [sys.executable, "-m", "sealstead", "admin", "migrate", "--data-dir", str(path)],
        check=False,
        capture_output=True,
        timeout=60,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_a_newer_schema_is_refused_and_left_alone(data: Path) -> None:
    with closing(sqlite3.connect(data / "db.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('index', '9999_later', '2030-01-01')"
        )
    code, said = serve(data)
    assert code == 1
    assert said.startswith(
        "error: the database was written by a newer version of Sealstead (index.9999_later)\nhint: "
    )


def test_a_lost_key_ring_is_never_replaced(data: Path) -> None:
    (data / "keyring.json").unlink()
    code, said = serve(data)
    assert code == 3
    assert said.startswith(f"error: {data}/keyring.json is missing, but the database is not empty\nhint: ")
    assert not (data / "keyring.json").exists()


def test_a_database_that_went_away_is_told_as_at_the_first_start(data: Path) -> None:
    away = {"SEALSTEAD_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x"}
    code, said = serve(data, environment=away)
    assert (code, said.partition("\n")[0]) == (5, "error: the database does not answer")
    assert "hunter2" not in said


def test_a_damaged_key_ring_is_never_replaced(data: Path) -> None:
    (data / "keyring.json").write_text('{"version": 1')
    code, said = serve(data)
    assert code == 3
    assert said.startswith(f"error: {data}/keyring.json is not a key ring, or is damaged\nhint: ")
    assert (data / "keyring.json").read_text() == '{"version": 1'


def test_a_key_ring_open_to_others_is_refused(data: Path) -> None:
    (data / "keyring.json").chmod(0o640)
    code, said = serve(data)
    assert (code, said) == (
        3,
        f"error: {data}/keyring.json is open to other users\nhint: run: chmod 600 {data}/keyring.json\n",
    )


def test_a_setting_misspelt_is_refused_with_its_place(data: Path) -> None:
    (data / "sealstead.toml").write_text('public_url = "https://x.example"\ntrusted_proxy = ["10.0.0.1"]\n')
    code, said = serve(data)
    assert code == 2
    assert said == (
        f"error: {data}/sealstead.toml, line 2: no setting is called trusted_proxy\n"
        "hint: did you mean trusted_proxies?\n"
    )


@pytest.mark.parametrize("sign", ["setup.lock", "keyring.json", "db.sqlite3", "1 migration", "20 migrations"])
def test_a_first_start_that_is_killed_is_finished_by_the_next(tmp_path: Path, sign: str) -> None:
    """Killed the moment a certain file appears, or after some of the migrations."""
    data = tmp_path / "data"
    command = [sys.executable, "-m", "sealstead", "admin", "migrate", "--data-dir", str(data)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment()
    )
    count = sign.partition(" ")[0]
    reached = (lambda: _applied(data) >= int(count)) if count.isdigit() else ((data / sign).exists)
    while process.poll() is None and not reached():
        time.sleep(0.001)
    process.kill()
    process.wait()
    ring = (data / "keyring.json").read_bytes() if (data / "keyring.json").exists() else None
    again = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=clean_environment()
    )
    assert (again.returncode, "error" in again.stderr) == (0, False), again.stderr
    assert ring is None or (data / "keyring.json").read_bytes() == ring


def _applied(data: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{data}/db.sqlite3?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM django_migrations").fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        if "database" in locals():
            database.close()


def workers(server: Server) -> set[int]:
    return {worker.pid for worker in server.workers()}


def test_sigterm_finishes_a_running_request(tmp_path: Path, running: list[Server]) -> None:
    server = start_server(tmp_path / "data")
    running.append(server)
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        # A request that is half sent when the signal comes, and completed afterwards.
        body = b"username=ada"
        sock.sendall(
            b"POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % len(body)
        )
        eventually(lambda: holds(server, sock.getsockname()[1]))
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: refuses(server.port))
        assert server.process.poll() is None
        sock.sendall(body)
        answer = sock.recv(65536)
        while more := sock.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 403 ")  # no CSRF token: it ran to its end
    assert server.process.wait(STOP_SECONDS) == 0


def holds(server: Server, port: int) -> bool:
    """Tell whether a worker has taken the connection from this port: until then it waits in the kernel."""
    connections = [each for worker in server.workers() for each in worker.net_connections("tcp")]
    return any(each.raddr and each.raddr.port == port for each in connections)


def refuses(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30):
            return False
    except ConnectionError:
        return True


def get(server: Server, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path, headers={name.replace("_", "-"): v for name, v in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_sighup_reads_the_settings_again_and_keeps_the_old_ones_if_they_are_wrong(
    tmp_path: Path, running: list[Server]
) -> None:
    server = start_server(tmp_path / "data")
    running.append(server)
    settings = server.data_dir / "sealstead.toml"

    settings.write_text('allowed_hosts = ["packages.example.org"]\nport = "many"\n')
    before = workers(server)
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "not reloaded, the old settings hold" in server.log.read_text())
    assert workers(server) == before
    assert get(server, "/help/", Host="packages.example.org")[0].status == 400

    settings.write_text('allowed_hosts = ["packages.example.org"]\n')
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(workers(server)) == 2 and not workers(server) & before)
    assert get(server, "/help/", Host="packages.example.org")[0].status == 200
    assert get(server, "/health/ready")[0].status == 200


def certificate(port: int, authority: Path) -> x509.Certificate:
    """The certificate a client sees that trusts `authority`."""
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection(("127.0.0.1", port)) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as wrapped,
    ):
        found = wrapped.getpeercert(binary_form=True)
    assert found
    return x509.load_der_x509_certificate(found)


def test_sighup_puts_a_new_certificate_before_clients(tmp_path: Path, running: list[Server]) -> None:
    now = datetime.now(UTC)
    (tmp_path / "tls").mkdir()
    files = tls.local_certificate(tmp_path / "tls", ["localhost"], at=now)
    assert files.authority
    port = free_port()
    server = start_server(
        tmp_path / "data", "--tls-cert", str(files.certificate), "--tls-key", str(files.key), port=port
    )
    running.append(server)
    eventually(lambda: "Sealstead answers at https://" in server.log.read_text())
    first = certificate(port, files.authority).serial_number

    context = ssl.create_default_context(cafile=str(files.authority))
    connection = http.client.HTTPSConnection("localhost", port, timeout=30, context=context)
    connection.request("GET", "/account/login/")
    response = connection.getresponse()
    response.read()
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert all("; Secure" in cookie for cookie in response.headers.get_all("Set-Cookie", []))
    connection.close()

    # Broken files change nothing ...
    good = files.certificate.read_bytes()
    files.certificate.write_text("half a certificate")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "not reloaded" in server.log.read_text())
    assert certificate(port, files.authority).serial_number == first
    files.certificate.write_bytes(good)
    # ... a renewed one is served at once.
    tls.local_certificate(tmp_path / "tls", ["localhost"], at=now + timedelta(days=380))
    renewed = x509.load_pem_x509_certificate(files.certificate.read_bytes()).serial_number
    before = workers(server)
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: not workers(server) & before)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is of next year
    with (
        socket.create_connection(("127.0.0.1", port)) as sock,
        context.wrap_socket(sock) as wrapped,
    ):
        seen = wrapped.getpeercert(binary_form=True)
    assert seen
    assert x509.load_der_x509_certificate(seen).serial_number == renewed


def _check_local_authority(server: Server) -> None:
    authority = server.data_dir / "tls" / "ca.pem"
    said = server.log.read_text()
    assert f"SSL_CERT_FILE={authority}" in said
    assert tls.fingerprint(authority) in said
    context = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=30, context=context)
    connection.request("GET", "/health/ready")
    response = connection.getresponse()
    assert response.status == 200
    response.read()
    # It would outlive the authority and lock other programs on this host out of plain HTTP.
    assert response.headers["Strict-Transport-Security"] is None
    connection.close()


def test_a_certificate_without_its_key_is_one_clear_line(data: Path, tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("x")
    code, said = serve(data, "--tls-cert", str(tmp_path / "c.pem"))
    assert (code, said) == (2, "error: tls_cert and tls_key belong together: one of them is missing\n")
    code, said = serve(data, "--tls-cert", str(tmp_path / "c.pem"), "--tls-key", str(tmp_path / "k.pem"))
    assert (code, said) == (3, f"error: {tmp_path}/k.pem is missing\nhint: tls_key names it\n")


def test_forged_headers_and_hosts_count_for_nothing(server: Server) -> None:
    forged = {"X_Forwarded_For": "6.6.6.6", "X_Forwarded_Proto": "https", "X_Request_ID": "forged-request-id"}
    response, _ = get(server, "/help/", X_Forwarded_Host="evil.example", **forged)
    assert response.status == 200
    assert response.headers["X-Request-ID"] != "forged-request-id"
    assert response.headers["Strict-Transport-Security"] is None
    refused, body = get(server, "/help/", Host="evil.example")
    assert refused.status == 400
    assert b"evil.example" not in body
    ids = {str(each.headers["X-Request-ID"]) for each in (response, refused)}
    lines = server.wait_for_answers(*ids)
    assert {line["ip"] for line in lines if line.get("event") == "request"} == {"127.0.0.1"}


def test_a_trusted_proxy_is_believed_up_to_the_first_stranger(tmp_path: Path, running: list[Server]) -> None:
    server = start_server(
        tmp_path / "data",
        environment={
            "SEALSTEAD_TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8",
            "SEALSTEAD_PUBLIC_URL": "https://packages.example.org",
        },
    )
    running.append(server)
    response, _ = get(
        server,
        "/help/",
        X_Forwarded_For="6.6.6.6, 192.0.2.55, 10.1.2.3",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="packages.example.org",
        X_Request_ID="from-the-proxy",
    )
    assert response.status == 200
    assert response.headers["X-Request-ID"] == "from-the-proxy"
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
    (ip,) = [
        line["ip"]
        for line in server.wait_for_answers("from-the-proxy")
        if line.get("request_id") == "from-the-proxy"
    ]
    assert ip == "192.0.2.55"


def test_workers_end_with_a_supervisor_that_is_killed(tmp_path: Path, running: list[Server]) -> None:
    """And the directory is free again only then: an orphaned worker must not share it with a new server."""
    server = start_server(tmp_path / "data")
    orphans = server.workers()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait(STOP_SECONDS)
    eventually(lambda: all(map(has_ended, orphans)))
    running.append(start_server(tmp_path / "data"))
