"""Signing with the real server over TLS, judged by programs of others: osslsigncode, lief, openssl and minisign.

The command lines of the mission document stand here as written, but for the host and the notation of paths.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.environment import clean_environment
from tests.executables import launchers
from tests.postgres import free_port
from tests.programs import require_program
from tests.server_process import Server, start_server
from tests.tsa import Tsa, serving

from sealstead.cli.main import run
from sealstead.cli.signing.main import signing

pytestmark = pytest.mark.interop

PROFILES = {"authenticode": "production", "cms-detached": "archives", "minisign": "releases"}
TOOL = Path(sys.executable).with_name("SignotaurTool")
SCRIPTS = {
    "plain.ps1": b"Write-Host 'hello'\r\n",
    "unix.psm1": b"function f {}\n",
    "bom.psd1": "\ufeff@{ Author = 'ö' }\r\n".encode(),
    "wide.ps1": b"\xff\xfe" + "Write-Host 'weit'\r\n".encode("utf-16-le"),
}


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Client:
    """Somebody with a home directory, a key of the account `ada` and the tool; `call` runs it within this process."""

    def __init__(self, place: Path, server: Server, key: str, call: Callable[[list[str]], Done]) -> None:
        self.home = place / "home"
        self.home.mkdir(parents=True)
        self.url = f"https://localhost:{server.port}"
        self.authority = server.data_dir / "tls/ca.pem"
        self.key_file = self.home / ".signotaur/api_key.txt"
        self.key = key
        self.call = call

    def run(self, *arguments: object, stdin: str = "", **environment: str) -> Done:
        """Run the tool as a process of its own."""
        done = subprocess.run(
            [str(TOOL), *map(str, arguments)],
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=3000,
            env=clean_environment(
                {"HOME": str(self.home), "SSL_CERT_FILE": str(self.authority)} | environment
            ),
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def sign(self, *arguments: object, label: str = "production", code: int = 0) -> Done:
        given = ["sign", "--api-key-file", self.key_file, "-s", self.url, "--label", label, *arguments]
        done = self.call([str(argument) for argument in given])
        assert done.code == code, done.err
        return done

    def programs(self, *names: str) -> list[Path]:
        """Put the launchers of installed wheels here (or those of these names), and return where they are."""
        found = launchers()
        if not found:
            pytest.skip("needs the launchers in the installed pip, which has none")
        return [
            Path(shutil.copy(path, self.home / name))
            for name, path in sorted(found.items())
            if not names or name in names
        ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port = free_port()
    running = start_server(
        tmp_path_factory.mktemp("signing") / "data",
        "--tls-self-signed",
        port=port,
        environment={"SEALSTEAD_PUBLIC_URL": f"https://localhost:{port}"},
    )
    try:
        commands = [["create-user", "ada", "--email", "ada@example.org", "--password-stdin"]]
        for profile, label in PROFILES.items():
            made = ["--test"] if profile != "minisign" else []
            commands.append(["create-certificate", *made, "--label", label, "--profile", profile])
            commands.append(["grant-certificate", "--user", "ada", "--label", label])
        commands.append(["create-certificate", "--test", "--label", "secret"])
        _admin(running, commands)
        yield running
    finally:
        running.stop()


def _admin(server: Server, commands: list[list[str]]) -> None:
    """Run several commands in one process: most of the time of one is its start."""
    script = "import json, sys; from sealstead.cli.main import cli, run\n"
    script += "for one in json.loads(sys.argv[1]): assert run(cli, 'sealstead', ['admin', *one]) == 0"
    given = json.dumps([[*one, "--data-dir", str(server.data_dir)] for one in commands])
    subprocess.run(
        [sys.executable, "-c", script, given],
        input="a long password\n",
        text=True,
        check=True,
        capture_output=True,
        timeout=3000,
        env=clean_environment(server.environment),
    )


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tsa]:
    with serving(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    made = server.admin("create-api-key", "--user", "ada", "--name", "ci", "--role", "Standard")
    return made.strip()


@pytest.fixture
def client(
    server: Server,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Client:
    made = Client(
        tmp_path, server, key, lambda given: Done(run(signing, "SignotaurTool", given), *capsys.readouterr())
    )
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    monkeypatch.chdir(made.home)
    made.key_file.parent.mkdir(mode=0o700)
    made.key_file.write_text(f"{key}\n")
    made.key_file.chmod(0o600)
    return made


@pytest.fixture(scope="module")
def root(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("root") / "root.pem"
    path.write_text(server.admin("export-certificate", "--label", "production", "--root"))
    return path


def osslsigncode(root: Path, path: Path, tsa: Tsa | None = None) -> str:
    command = [require_program("osslsigncode"), "verify", "-CAfile", str(root), "-in", str(path)]
    command += ["-TSA-CAfile", str(tsa.root)] if tsa else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lief_signatures(path: Path) -> list[Any]:
    lief = pytest.importorskip("lief")
    binary = lief.PE.parse(str(path))
    assert binary.verify_signature() == lief.PE.Signature.VERIFICATION_FLAGS.OK
    return list(binary.signatures)


def test_the_commands_of_the_mission_document(client: Client, root: Path) -> None:
    client.key_file.unlink()
    done = client.run(
        "auth", "set-key", "--from-stdin", "--write-key-file", client.key_file, stdin=f"{client.key}\n"
    )
    assert done.code == 0, done.err
    for program in client.programs("t64.exe", "w32.exe"):
        done = client.run(
            *("sign", "--api-key-file", client.key_file, "-s", client.url, "--label", "production"),
            *("--fd", "SHA256", program.name),
        )
        assert done.code == 0, done.err
        osslsigncode(root, program)
        (found,) = lief_signatures(program)
        assert found.digest_algorithm.name == "SHA_256"


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_programs_with_time_stamps(client: Client, root: Path, tsa: Tsa, algorithm: str) -> None:
    programs = client.programs("t32.exe", "w64-arm.exe")
    client.sign(
        *("*.exe", "--fd", algorithm, "--tr", tsa.url, "--td", algorithm, "--verify-after"),
        *("-d", "Ada's launcher", "--du", "https://ada.example"),
    )
    for program in programs:
        told = osslsigncode(root, program, tsa)
        assert "Timestamp Server Signature verification: ok" in told
        assert "Ada's launcher" in told
        lief_signatures(program)


def test_two_signatures_each_with_its_time_stamp(client: Client, root: Path, tsa: Tsa) -> None:
    (program,) = client.programs("w64.exe")
    client.sign(program)
    client.sign(program, "--append", "--fd", "SHA384", "--tr", tsa.url)
    assert "Number of verified signatures: 2" in osslsigncode(root, program, tsa)


def test_a_signature_of_another_program_is_replaced_or_added_to(client: Client, root: Path) -> None:
    key, certificate = client.home / "other.key", client.home / "other.crt"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Other", "-days", "5"]
    command += ["-addext", "extendedKeyUsage=codeSigning", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    replaced, both = client.home / "replaced.exe", client.home / "both.exe"
    command = [require_program("osslsigncode"), "sign", "-key", str(key), "-certs", str(certificate)]
    command += ["-in", str(client.programs("w64.exe")[0]), "-out", str(replaced)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    shutil.copy(replaced, both)
    client.sign(replaced)
    assert "Number of verified signatures: 1" in osslsigncode(root, replaced)
    client.sign(both, "--append")
    roots = client.home / "roots.pem"
    roots.write_bytes(root.read_bytes() + certificate.read_bytes())
    assert "Number of verified signatures: 2" in osslsigncode(roots, both)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts(client: Client, root: Path, tsa: Tsa, name: str) -> None:
    script = client.home / name
    script.write_bytes(SCRIPTS[name])
    client.sign(name, "--tr", tsa.url)
    osslsigncode(root, script, tsa)
    signed = script.read_bytes()
    script.write_bytes(signed.replace(b"e", b"a", 1))
    command = [require_program("osslsigncode"), "verify", "-CAfile", str(root), "-in", str(script)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=300).returncode != 0


def test_any_file_with_its_signature_beside_it(client: Client, server: Server, tsa: Tsa) -> None:
    wheel = client.home / "ada-1.0-py3-none-any.whl"
    wheel.write_bytes(os.urandom(100_000))
    client.sign("*.whl", "--tr", tsa.url, label="archives")
    root = client.home / "root.pem"
    root.write_text(server.admin("export-certificate", "--label", "archives", "--root"))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{wheel}.p7s"]
    command += ["-content", str(wheel), "-CAfile", str(root), "-purpose", "any", "-out", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    client.sign("*.whl", label="releases")
    public = server.admin("export-certificate", "--label", "releases").strip().splitlines()[-1]
    command = [require_program("minisign"), "-V", "-P", public, "-m", str(wheel)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=300).returncode == 0
    wheel.write_bytes(b"another")
    assert subprocess.run(command, capture_output=True, check=False, timeout=300).returncode != 0


def test_what_the_server_does_not_grant(client: Client) -> None:
    (program,) = client.programs("w64.exe")
    before = program.read_bytes()
    told = []
    for label in ("secret", "unknown"):
        done = client.sign(program, "--json", label=label, code=1)
        told.append(done.err.replace(label, "L"))
        assert json.loads(done.err.splitlines()[-1])["error"]["code"] == "no-certificate"
    assert told[0] == told[1]
    assert program.read_bytes() == before


def test_a_server_that_nobody_vouches_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    program = client.programs("w64.exe")[0]
    monkeypatch.setenv("SSL_CERT_FILE", str(client.home / "none.pem"))
    done = client.sign(program, code=5)
    assert "nobody vouches for the certificate" in done.err
    assert program.read_bytes() == launchers()[program.name].read_bytes()
    untrusted = ["--au", "--af", client.key_file, "-s", client.url, "--label", "production"]
    assert client.run("sign", program, *untrusted, SSL_CERT_FILE=str(client.home / "none.pem")).code == 0
