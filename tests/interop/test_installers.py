"""The real pip and uv install from this index and from nothing else."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.environment import clean_environment
from tests.factories import make_wheel
from tests.server_process import Server
from tests.uploads import body_of, send

pytestmark = [pytest.mark.interop, pytest.mark.timeout(1200)]


@dataclass(frozen=True, kw_only=True)
class Index:
    """`app` needs `base`; both have a name of their own for each run, for the server is shared."""

    server: Server
    base: str
    app: str
    wheels: dict[str, Path]
    token: str

    @property
    def simple(self) -> str:
        return f"{self.server.url}/simple/"

    def change(self, statements: str) -> None:
        """Run statements on the server's database, as an operator would in a pinch."""
        script = (
            "import django; django.setup()\n"
            "from datetime import UTC, datetime\n"
            "from sealstead.server.index.models import File, Project, Release\n"
            "from sealstead.server.index.serial import bump\n"
            f"{statements}\n"
        )
        environment = clean_environment(self.server.environment) | {
            "SEALSTEAD_DATA_DIR": str(self.server.data_dir),
            "DJANGO_SETTINGS_MODULE": "sealstead.server.settings",
        }
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def requests(self) -> list[tuple[str, int]]:
        """Path and status of every request that was logged so far."""
        lines = self.server.log_lines()
        return [(line["path"], line["status"]) for line in lines if line.get("event") == "request"]

    def begin(self) -> int:
        """Return how many requests there have been, once all of them are logged."""
        request_id = send(self.server.port, b"", "").headers["X-Request-ID"]
        self.server.wait_for_answers(request_id)
        return len(self.requests())

    def requests_since(self, before: int, last: tuple[str, int]) -> list[tuple[str, int]]:
        """Name of what was asked for and status, once the last request has been logged, after its answer."""
        deadline = time.monotonic() + 60
        while True:
            seen = [(path.rpartition("/")[2], status) for path, status in self.requests()[before:]]
            if last in seen:
                return seen
            assert time.monotonic() < deadline, seen
            time.sleep(0.02)


@pytest.fixture(scope="module")
def index(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Index:
    mark = secrets.token_hex(4)
    base, app, user = f"base-{mark}", f"app-{mark}", f"installer-{mark}"
    server.admin(
        *("create-user", user, "--email", f"{user}@example.org", "--password-stdin"),
        stdin=secrets.token_hex(12) + "\n",
    )
    token = server.admin("create-token", "--user", user, "--name", "tests", "--all-projects").strip()
    directory = tmp_path_factory.mktemp("dist")
    wheels = {
        "base-1.0": make_wheel(directory, base, "1.0"),
        "base-1.1": make_wheel(directory, base, "1.1"),
        "base-2.0": make_wheel(directory, base, "2.0", fields={"Requires-Python": ">=99"}),
        "app": make_wheel(directory, app, "1.0", fields={"Requires-Dist": f"{base}<3"}),
    }
    for key, path in wheels.items():
        changes = {"base-2.0": {"requires_python": ">=99"}, "app": {"requires_dist": f"{base}<3"}}.get(
            key, {}
        )
        answer = send(server.port, body_of(path, **changes), token)
        assert answer.status == 200, answer.text
    return Index(server=server, base=base, app=app, wheels=wheels, token=token)


def run(*command: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_CONFIG": "1",
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=300, cwd=home
    )


def pip(command: str, *args: str, index: Index, home: Path, code: int = 0) -> str:
    done = run(
        *(sys.executable, "-m", "pip", command, "--no-cache-dir", "--no-input", "--index-url", index.simple),
        *args,
        home=home,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def uv(*args: str, index: Index, home: Path, code: int = 0) -> str:
    done = run(
        *(sys.executable, "-m", "uv", "pip", "install", "--no-cache", "--python", sys.executable),
        *("--index-url", index.simple),
        *args,
        home=home,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def installed(target: Path) -> set[str]:
    return {path.name.removesuffix(".dist-info") for path in target.glob("*.dist-info")}


def module(name: str, version: str) -> str:
    return f"{name.replace('-', '_')}-{version}"


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_project_and_what_it_needs(index: Index, tmp_path: Path, tool: str) -> None:
    target = tmp_path / "target"
    if tool == "pip":
        pip("install", "--target", str(target), index.app, index=index, home=tmp_path)
    else:
        uv("--target", str(target), index.app, index=index, home=tmp_path)

    # 2.0 is for a Python of the future: Requires-Python decided, from the index alone.
    assert installed(target) == {module(index.app, "1.0"), module(index.base, "1.1")}


def test_pip_reads_the_metadata_beside_the_wheel(index: Index, tmp_path: Path) -> None:
    before = index.begin()
    pip("install", "--dry-run", "--target", str(tmp_path / "t"), index.app, index=index, home=tmp_path)

    wheel = index.wheels["app"].name
    seen = index.requests_since(before, (wheel, 200))
    # It is resolved from metadata alone; only what was decided on is fetched afterwards.
    decided = seen.index((f"{index.wheels['base-1.1'].name}.metadata", 200))
    assert seen.index((f"{wheel}.metadata", 200)) < decided < seen.index((wheel, 200))


def test_pip_reads_only_parts_of_a_wheel_without_metadata_beside_it(index: Index, tmp_path: Path) -> None:
    name = f"lazy-{secrets.token_hex(4)}"
    path = make_wheel(tmp_path, name, "1.0", files={"lazy/data.bin": secrets.token_bytes(100_000)})
    assert send(index.server.port, body_of(path), index.token).status == 200
    index.change(
        f"File.objects.filter(filename={path.name!r}).update(metadata_blake2b='', metadata_sha256='')\n"
        f"bump(Project.objects.get(normalized_name={name!r}))"
    )
    before = index.begin()
    pip(
        *("install", "--dry-run", "--target", str(tmp_path / "t"), "--use-feature=fast-deps", name),
        index=index,
        home=tmp_path,
    )
    assert index.requests_since(before, (path.name, 206))


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_hashes_are_held_to(index: Index, tmp_path: Path, tool: str) -> None:
    wheel = index.wheels["base-1.1"]
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements = tmp_path / "requirements.txt"
    args = ("--require-hashes", "--target", str(tmp_path / "target"), "-r", str(requirements))

    requirements.write_text(f"{index.base}==1.1 --hash=sha256:{'0' * 64}\n")
    if tool == "pip":
        assert "DO NOT MATCH" in pip("install", *args, index=index, home=tmp_path, code=1)
    else:
        assert "ash mismatch" in uv(*args, index=index, home=tmp_path, code=1)
    assert installed(tmp_path / "target") == set()

    requirements.write_text(f"{index.base}==1.1 --hash=sha256:{right}\n")
    if tool == "pip":
        pip("install", *args, index=index, home=tmp_path)
    else:
        uv(*args, index=index, home=tmp_path)
    assert installed(tmp_path / "target") == {module(index.base, "1.1")}


def test_downloads_are_the_uploaded_bytes(index: Index, tmp_path: Path) -> None:
    wheel = index.wheels["base-1.0"]
    pip("download", "--no-deps", "-d", str(tmp_path), f"{index.base}==1.0", index=index, home=tmp_path)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_pip_lists_the_versions(index: Index, tmp_path: Path) -> None:
    args = ("versions", "--ignore-requires-python", index.base)
    assert "2.0, 1.1, 1.0" in pip("index", *args, index=index, home=tmp_path)


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_yanked_version_is_taken_only_when_pinned(index: Index, tmp_path: Path, tool: str) -> None:
    name = f"yanked-{secrets.token_hex(4)}"
    for version in ("1.0", "1.1"):
        path = make_wheel(tmp_path, name, version)
        assert send(index.server.port, body_of(path), index.token).status == 200
    index.change(
        f"project = Project.objects.get(normalized_name={name!r})\n"
        "Release.objects.filter(project=project, version='1.1').update("
        "yanked_at=datetime.now(UTC), yanked_reason='broken')\n"
        "bump(project)"
    )

    def install(requirement: str, target: Path) -> str:
        if tool == "pip":
            return pip("install", "--target", str(target), requirement, index=index, home=tmp_path)
        return uv("--target", str(target), requirement, index=index, home=tmp_path)

    install(name, tmp_path / "free")
    assert installed(tmp_path / "free") == {module(name, "1.0")}
    assert "broken" in install(f"{name}==1.1", tmp_path / "pinned")
    assert installed(tmp_path / "pinned") == {module(name, "1.1")}


def test_a_project_that_is_not_there(index: Index, tmp_path: Path) -> None:
    args = ("--target", str(tmp_path / "t"), "not-there-at-all")
    assert "No matching distribution" in pip("install", *args, index=index, home=tmp_path, code=1)
    assert "not found" in uv(*args, index=index, home=tmp_path, code=1)
