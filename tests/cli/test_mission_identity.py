"""The commands of the first mission document, typed as they are written there.

Each as a process of its own, in order, in an empty directory and in one with a profile; with and without a terminal; with
a real keyring and without one. The document's sentences stand beside what shows them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.crash import witness
from tests.desktop import session_with_keyring
from tests.terminal import run_at_terminal

COMMAND = Path(sys.executable).with_name("pypi-profile")
PASSPHRASE = "correct horse battery"
URL = "https://example.org/~ada"
PROFILE = f"""\
# written by hand
[profile]
kind = "individual"
display_name = "Ada"

[identity]
pypi_username = "ada"

[[profiles]]
kind = "website"
label = "Home"
url = "{URL}"

[verification]
public_key = ""
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def everything(self) -> str:
        return self.out + self.err


@dataclass(kw_only=True)
class Place:
    """A person's machine: a home, the directory they are in, perhaps a keyring, perhaps a terminal."""

    home: Path
    work: Path
    terminal: bool
    environment: dict[str, str] = field(default_factory=dict)

    def type(self, line: str, *, answers: dict[str, str] | None = None) -> Done:
        """Run a command line as it is written in the document."""
        name, *arguments = line.split()
        assert name == "pypi-profile"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            **self.environment,
        }
        if self.terminal:
            shown = run_at_terminal(
                [str(COMMAND), *arguments],
                cwd=self.work,
                environment=environment,
                answers=answers or {r"(?i)pass(word|phrase)|repeat": PASSPHRASE, r"\[y/N\]": "y"},
            )
            return Done(shown.code, shown.screen, "")
        done = subprocess.run(
            [str(COMMAND), *arguments],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, line: str) -> Done:
        done = self.type(line)
        assert done.code == 0, f"{line}: exit {done.code}\n{done.everything}"
        return done

    @property
    def keys(self) -> Path:
        return self.home / ".pypi_profile"

    @property
    def toml(self) -> Path:
        return self.work / "pypi_profile.toml"

    def public(self, identity: str) -> str:
        name = "minisign" if identity == "default" else f"minisign.{identity}"
        return witness.read_public((self.keys / f"{name}.pub").read_bytes())

    def in_keyring(self) -> set[str]:
        """The identities that the system's keyring has a key for, asked without the product."""
        script = (
            "import keyring, sys\n"
            "for name in sys.argv[1:]:\n"
            "    if keyring.get_password('pypi-profile', name): print(name)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, "default", "ada", "work", "personal"],
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **self.environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return set(done.stdout.split())


@pytest.fixture(params=["no keyring", "gnome-keyring"])
def keyring(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        if request.param == "no keyring":
            yield {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        else:
            found = stack.enter_context(session_with_keyring(tmp_path_factory.mktemp("session")))
            yield found | {"PYTHONPATH": str(Path(__file__).parents[1] / "fakes" / "patient_keyring")}


@pytest.fixture(params=["no terminal", "terminal"])
def place(request: pytest.FixtureRequest, tmp_path: Path, keyring: dict[str, str]) -> Place:
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    return Place(
        home=tmp_path / "home",
        work=tmp_path / "work",
        terminal=request.param == "terminal",
        environment=dict(keyring),
    )


def has_keyring(place: Place) -> bool:
    return "fail" not in place.environment["PYTHON_KEYRING_BACKEND"]


def key_id(line: str) -> str:
    """As minisign prints it."""
    import base64

    return base64.b64decode(line)[2:10][::-1].hex().upper()


def test_in_an_empty_directory(place: Place) -> None:
    # "writes the secret and public key files under ~/.pypi_profile/"
    place.must("pypi-profile keygen")
    assert {"minisign.key", "minisign.pub"} <= {path.name for path in place.keys.iterdir()}
    # "Use --keyring-identity when you keep more than one signing key."
    place.must("pypi-profile keygen --keyring-identity work")
    place.must("pypi-profile keygen --keyring-identity personal")
    assert len({place.public(name) for name in ("default", "work", "personal")}) == 3
    # "stores the secret key in the system keyring when a usable backend exists"; "keeps a disk copy as a fallback"
    if has_keyring(place):
        assert place.in_keyring() == {"default", "work", "personal"}
    assert {path.name for path in place.keys.glob("*.key")} == {
        "minisign.key",
        "minisign.work.key",
        "minisign.personal.key",
    }
    assert key_id(place.public("default")) in place.must("pypi-profile key-info").out
    # "List all visible keys"
    shown = place.must("pypi-profile key-list").out
    for name in ("default", "work", "personal"):
        assert name in shown
        assert key_id(place.public(name)) in shown
    listed = place.must("pypi-profile key-list --json").out
    assert {row["identity"] for row in json.loads(listed)} == {"default", "work", "personal"}
    # No profile is here: it is named, and nothing happens to the key.
    before = place.public("default")
    for command in ("key-rotate", "key-recover"):
        refused = place.type(f"pypi-profile {command} pypi_profile.toml")
        assert refused.code == 2
        assert "pypi_profile.toml" in refused.everything
    assert place.public("default") == before


def test_in_a_directory_with_a_profile(place: Place) -> None:
    place.toml.write_text(PROFILE)
    # "keygen tries to default the keyring identity from identity.pypi_username in a local pypi_profile.toml"
    # "patches pypi_profile.toml with the public key when a local file is present in the current directory"
    place.must("pypi-profile keygen")
    first = place.public("ada")
    assert witness.public_key_of(place.toml) == first
    # The profile belongs to ada by now: the others get their keys, and both ids are named.
    for name in ("work", "personal"):
        done = place.must(f"pypi-profile keygen --keyring-identity {name}")
        assert witness.public_key_of(place.toml) == first
        assert key_id(first) in done.everything
        assert key_id(place.public(name)) in done.everything
    assert key_id(first) in place.must("pypi-profile key-info").out
    place.must("pypi-profile update-proofs")
    assert witness.check_stored_proofs(place.toml) == 1

    # "Rotate when you still have the old key and want to replace it"
    rotated = place.must("pypi-profile key-rotate pypi_profile.toml")
    second = witness.public_key_of(place.toml)
    assert second not in {
        first,
        place.public("work"),
        place.public("personal"),
    }  # "1. generates a new keypair"
    assert second == place.public("ada")  # "2. updates [verification].public_key"
    assert witness.check_stored_proofs(place.toml) == 1  # "3. re-signs all stored proofs"
    archived = [secret for secret in witness.secrets_in(place.keys) if secret.path.name.endswith(".bak")]
    assert [secret.public for secret in archived] == [first]  # "4. archives the old key"
    assert key_id(first) in rotated.everything
    assert key_id(second) in rotated.everything
    assert URL in rotated.everything
    assert "pypi-profile-proof:" in rotated.everything
    # "After rotation": the four things to do.
    for thing in ("proof", "commit", "rebuild", "republish"):
        assert thing in rotated.everything.lower(), thing
    assert place.toml.read_text().startswith("# written by hand\n")

    # "Replace a key you lost": this one is not lost, so nothing happens, and the right command is named.
    kept = place.toml.read_bytes()
    refused = place.type("pypi-profile key-recover pypi_profile.toml")
    assert refused.code == 1
    assert "key-rotate" in refused.everything
    assert place.toml.read_bytes() == kept

    # "Export for secure transfer", "Import on another machine"
    place.must("pypi-profile key-export --output backup-minisign.key")
    backup = place.work / "backup-minisign.key"
    assert backup.stat().st_mode & 0o777 == 0o600
    assert (
        witness.read_secret(backup.read_bytes()) is None
    ) == place.terminal  # a terminal was asked for a passphrase
    other = Place(
        home=place.home.with_name("other"),
        work=place.work,
        terminal=place.terminal,
        environment={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
    )
    other.home.mkdir()
    other.must("pypi-profile key-import backup-minisign.key --force")
    assert other.public("ada") == second
    assert key_id(second) in other.must("pypi-profile key-info").out

    # "Recover when the secret key is gone"
    lost = Place(
        home=place.home.with_name("lost"),
        work=place.work,
        terminal=place.terminal,
        environment=dict(other.environment),
    )
    lost.home.mkdir()
    recovered = lost.must("pypi-profile key-recover pypi_profile.toml")
    third = witness.public_key_of(place.toml)
    assert third == lost.public("ada") != second  # "generates a replacement keypair, updates the TOML"
    assert witness.check_stored_proofs(place.toml) == 1  # "and re-signs stored proofs"
    assert (
        URL in recovered.everything
    )  # "reports which external URLs need their published proof strings replaced"


def test_no_question_without_a_terminal(place: Place) -> None:
    if place.terminal:
        pytest.skip("this is about scripts")
    place.toml.write_text(PROFILE)
    for line in ("keygen", "update-proofs", "key-rotate pypi_profile.toml", "key-export --output F"):
        done = place.must(f"pypi-profile {line}")
        assert not re.search(r"\[y/N\]|: $", done.out)
