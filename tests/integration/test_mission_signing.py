"""The second mission document, typed as written, against a server behind TLS of its own making.

Only the host and the notation of paths differ from the document.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pip._vendor import distlib
from tests import tsa
from tests.environment import clean_environment
from tests.programs import require_program
from tests.server_process import START_SECONDS, Server, start_server

from sealstead.codesign.server_api import ServerApi
from sealstead.codesign.server_values import SignItem, SignRequest
from sealstead.errors import SealsteadError
from sealstead.secret import Secret

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
            timeout=300,
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
        """Move the clock of the running server, which reads the file at any moment."""
        new = self.ahead.with_suffix(".new")
        new.write_text(str(float(self.ahead.read_text()) + seconds))
        new.replace(self.ahead)


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


def test_a_signature_with_a_time_stamp_convinces_the_tools_of_others(desk: Desk, tmp_path: Path) -> None:
    import lief

    desk.settings["SIGNOTAUR_API_KEY"] = _new_key(desk, "stamps")
    signed = desk.put("stamped.exe")
    with tsa.serving(tmp_path / "tsa") as authority:
        desk.shell(
            f"SignotaurTool sign -s {desk.url} --label production --tr {authority.url}/ --td SHA384 stamped.exe"
        )
    del desk.settings["SIGNOTAUR_API_KEY"]
    _require_signed(desk, signed, "-TSA-CAfile", str(authority.root), says="Timestamp verified")
    parsed = lief.PE.parse(list(signed.read_bytes()))
    assert parsed is not None
    assert parsed.verify_signature() == lief.PE.Signature.VERIFICATION_FLAGS.OK


def test_a_server_that_nobody_vouches_for_is_refused_unless_asked_for(desk: Desk) -> None:
    desk.settings["SSL_CERT_FILE"] = os.devnull
    desk.settings["SIGNOTAUR_API_KEY"] = _new_key(desk, "untrusted")
    _, told = desk.shell(f"SignotaurTool auth status -s {desk.url}", code=5)
    assert "--allow-untrusted" in told
    _, told = desk.shell(f"SignotaurTool auth status --allow-untrusted --no-banner -s {desk.url}")
    assert told.splitlines() == [
        "warning: the server's certificate is not checked: whoever is in between can read the API key"
    ]
    desk.settings.clear()


def test_a_key_that_ends_soon_fails_the_build_before_anything_is_signed(desk: Desk) -> None:
    desk.settings["SIGNOTAUR_API_KEY"] = _new_key(desk, "soon")
    unsigned = desk.put("soon.exe").read_bytes()
    line = f"SignotaurTool sign -s {desk.url} --label production --fail-if-expiring-within"
    desk.shell(f"{line} 7d soon.exe")
    unsigned = desk.put("soon.exe").read_bytes()
    desk.shell(f"{line} 31d soon.exe", code=4)
    assert (desk.home / "soon.exe").read_bytes() == unsigned
    del desk.settings["SIGNOTAUR_API_KEY"]


def test_a_constant_load_runs_through_a_rotation_without_a_refusal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Builds read the key file when they need it; the rotation writes it meanwhile, and then the overlap ends."""
    monkeypatch.setenv("SSL_CERT_FILE", str(desk.ca))
    stored = desk.home / "load.txt"
    stored.write_text(_new_key(desk, "load"))
    stored.chmod(0o600)
    stop, refused = threading.Event(), []
    signed = [Counter[str]() for _ in range(3)]

    def build(counted: Counter[str]) -> None:
        while not stop.is_set():
            key = stored.read_text().strip()
            api = ServerApi(desk.url, Secret(key), retries=0)
            item = SignItem(kind="pe", digest=os.urandom(32), file_name="load.exe")
            request = SignRequest(
                items=[item], profile="authenticode", algorithm="SHA256", label="production"
            )
            try:
                api.sign(request)
                counted[key] += 1
            except SealsteadError as exc:
                refused.append(exc)

    builds = [threading.Thread(target=build, args=[counted]) for counted in signed]
    for one in builds:
        one.start()
    try:
        old = stored.read_text().strip()
        _eventually(lambda: all(counted[old] > 5 for counted in signed))
        desk.shell(
            f"SignotaurTool rotate-key --api-key-file load.txt -s {desk.url} --overlap-days 1 --write-key-file load.txt"
        )
        new = stored.read_text().strip()
        # Each build has used the new key: none has a request with the old one under way.
        _eventually(lambda: all(counted[new] > 5 for counted in signed))
        desk.let_pass(24 * 3600 + 1)
        before = [counted[new] for counted in signed]
        _eventually(lambda: all(counted[new] > had + 5 for counted, had in zip(signed, before, strict=True)))
    finally:
        stop.set()
        for one in builds:
            one.join()
    assert refused == []
    assert [counted.keys() for counted in signed] == [{old, new}] * 3


def _eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _require_signed(desk: Desk, path: Path, *more: str, says: str = "Succeeded") -> None:
    program = require_program("osslsigncode")
    done = subprocess.run(
        [program, "verify", "-CAfile", str(desk.home.parent / "root.pem"), "-in", str(path), *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert says in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
