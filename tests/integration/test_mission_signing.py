"""The second mission document, typed as written, against a server behind TLS of its own making.

Only the host and the notation of paths differ from the document.
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pip._vendor import distlib
from tests.programs import require_program
from tests.server_process import START_SECONDS, Server, clean_environment, start_server

LAUNCHERS = sorted(Path(distlib.__file__).parent.glob("*.exe"))
"""Real executables that others made: pip carries them to start console scripts on Windows."""


@dataclass(kw_only=True)
class Desk:
    """A build machine: a home of its own, and the server it signs with."""

    home: Path
    server: Server
    url: str
    ahead: Path
    ca: Path
    settings: dict[str, str] = field(default_factory=dict)

    def shell(self, line: str, *, code: int = 0) -> tuple[str, str]:
        """Run one line as a shell does; return what it wrote to stdout and to stderr."""
        programs = str(Path(sys.executable).parent)
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.home,
            env=clean_environment(
                {"HOME": str(self.home), "SSL_CERT_FILE": str(self.ca), "NO_COLOR": "1", **self.settings}
            )
            | {"PATH": f"{programs}:/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (line, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout, done.stderr

    def put(self, name: str) -> Path:
        """Put a fresh, unsigned launcher into the working directory."""
        target = self.home / name
        shutil.copyfile(LAUNCHERS[0], target)
        return target

    def let_pass(self, seconds: float) -> None:
        """Move the clock of the running server."""
        self.ahead.write_text(str(float(self.ahead.read_text()) + seconds))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    place = tmp_path_factory.mktemp("signing")
    ahead = place / "ahead"
    ahead.write_text("0")
    fakes = Path(__file__).parents[1] / "fakes" / "moved_clock"
    settings = {"PYTHONPATH": str(fakes), "AHEAD_OF_CLOCK": str(ahead)}
    server = start_server(place / "data", "--tls-self-signed", environment=settings)
    try:
        ca = server.data_dir / "tls" / "ca.pem"
        _wait_until_ready(server, ca)
        server.admin(
            "create-user",
            "ada",
            "--email",
            "ada@example.org",
            "--password-stdin",
            stdin="correct horse battery\n",
        )
        server.admin("create-certificate", "--test", "--label", "production")
        server.admin("grant-certificate", "--user", "ada", "--label", "production")
        (place / "root.pem").write_text(server.admin("export-certificate", "--label", "production", "--root"))
        home = place / "home"
        home.mkdir()
        yield Desk(home=home, server=server, url=f"https://127.0.0.1:{server.port}", ahead=ahead, ca=ca)
    finally:
        server.stop()


def _wait_until_ready(server: Server, ca: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            context = ssl.create_default_context(cafile=str(ca))
            with urllib.request.urlopen(
                f"https://127.0.0.1:{server.port}/health/ready", timeout=5, context=context
            ):
                return
        except OSError:
            assert time.monotonic() < deadline, server.log.read_text()
            time.sleep(0.05)


def _new_key(desk: Desk, name: str) -> str:
    roles = ["--role", "Standard", "--role", "ApiKeyRotator"]
    return desk.server.admin(
        "create-api-key", "--user", "ada", "--name", name, "--expires", "30d", *roles
    ).strip()


def test_store_sign_and_rotate_as_the_document_says(desk: Desk) -> None:
    key = _new_key(desk, "build")
    stored = desk.home / ".signotaur" / "api_key.txt"

    desk.shell(
        f"echo {key} | SignotaurTool auth set-key --from-stdin --write-key-file ~/.signotaur/api_key.txt"
    )
    assert stored.read_text().strip() == key
    assert stored.stat().st_mode & 0o777 == 0o600
    assert stored.parent.stat().st_mode & 0o777 == 0o700

    signed = desk.put("myapp.exe")
    desk.shell(
        f"SignotaurTool sign --api-key-file ~/.signotaur/api_key.txt -s {desk.url} --label production --fd SHA256 myapp.exe"
    )
    _require_signed(desk, signed)

    desk.shell(
        f"SignotaurTool rotate-key --api-key-file ~/.signotaur/api_key.txt -s {desk.url} --write-key-file ~/.signotaur/api_key.txt"
    )
    new = stored.read_text().strip()
    assert new != key
    assert new.startswith("seal_")
    assert stored.stat().st_mode & 0o777 == 0o600

    # Inside the overlap of seven days both keys sign, after it the new one alone.
    line = f"SignotaurTool sign -s {desk.url} --label production myapp.exe"
    for one in (key, new):
        desk.put("myapp.exe")
        desk.settings["SIGNOTAUR_API_KEY"] = one
        desk.shell(line)
    said, _ = desk.shell(f"SignotaurTool auth status -s {desk.url} --json")
    status = json.loads(said)
    assert status["predecessor"]["uses_since_rotation"][0]["address"] == "127.0.0.1"
    desk.let_pass(7 * 24 * 3600 + 1)
    unsigned = desk.put("myapp.exe").read_bytes()
    desk.settings["SIGNOTAUR_API_KEY"] = key
    _, told = desk.shell(line, code=3)
    assert "revoked automatically by rotation" in told
    assert (desk.home / "myapp.exe").read_bytes() == unsigned
    desk.settings["SIGNOTAUR_API_KEY"] = new
    desk.shell(line)
    del desk.settings["SIGNOTAUR_API_KEY"]


def test_a_key_that_ends_soon_fails_the_build_before_anything_is_signed(desk: Desk) -> None:
    desk.settings["SIGNOTAUR_API_KEY"] = _new_key(desk, "soon")
    unsigned = desk.put("soon.exe").read_bytes()
    line = f"SignotaurTool sign -s {desk.url} --label production --fail-if-expiring-within"
    desk.shell(f"{line} 7d soon.exe")
    unsigned = desk.put("soon.exe").read_bytes()
    desk.shell(f"{line} 31d soon.exe", code=4)
    assert (desk.home / "soon.exe").read_bytes() == unsigned
    del desk.settings["SIGNOTAUR_API_KEY"]


def _require_signed(desk: Desk, path: Path) -> None:
    program = require_program("osslsigncode")
    done = subprocess.run(
        [program, "verify", "-CAfile", str(desk.home.parent / "root.pem"), "-in", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Succeeded" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
