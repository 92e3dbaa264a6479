"""The lifecycle commands as the harness plays them, and what has to be true whenever one of them was interrupted.

Everything is looked at with `witness`, which shares no code with the product, but for one thing: that the key can sign
is shown by the product's own `sign-file`, whose signature the witness then checks.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import witness
from tests.crash.harness import Ran, Runner, Scenario, tree

PAGES = ("https://example.org/~ada", "https://example.com/about")
EDIT = "# a line that the user wrote meanwhile\n"
CONFLICTS = {"change-conflict", "profile-changed", "keyring-changed", "journal-damaged", "staged-leftover"}
LOCKS = {".lock", ".keyring.lock"}

PROFILE = """\
# my profile, commented by hand
[profile]
kind = "individual"
display_name = 'Ada'   # single quotes stay
future_key = "unknown to every tool"

[identity]
pypi_username = "ada"

[[profiles]]
kind = "website"
label = "Home"
url = "https://example.org/~ada"

[[profiles]]
kind = "website"
label = "About"
url = "https://example.com/about"

[verification]
public_key = ""
"""


@dataclass(frozen=True, kw_only=True)
class Commands:
    """One lifecycle command and the state that it starts from."""

    name: str
    arguments: Sequence[str]
    keyring: bool = False
    prepare: Callable[[Play], None]
    after: Callable[[Play, str, Ran], None] | None = None
    profile: bool = True
    refusals: frozenset[str] = frozenset()
    """Codes with which a second run may refuse, since the first one did its work."""
    keeps_old: bool = True
    signs_before: bool = True
    """Whether a key fits the profile before the command."""
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    seconds: float = 30


class Play:
    """One case on one runner: where things are, and what is asked of them."""

    def __init__(self, runner: Runner, command: Commands) -> None:
        self.runner = runner
        self.command = command

    @property
    def keys(self) -> Path:
        return self.runner.case / "home" / ".pypi_profile"

    @property
    def work(self) -> Path:
        return self.runner.case / "work"

    @property
    def toml(self) -> Path:
        return self.work / "pypi_profile.toml"

    @property
    def keyring(self) -> Path:
        return self.runner.case / "keyring.json"

    def environment(self) -> dict[str, str]:
        return {
            "PYTHON_KEYRING_BACKEND": "tests.fakes.keyring_backend.FileKeyring",
            "SEALSTEAD_TEST_KEYRING": str(self.keyring),
        } | dict(self.command.environment)

    def run(self, *arguments: str, stdin: str = "", keyring: bool | None = None) -> Ran:
        return self.runner.run(
            self.complete(arguments, keyring=self.command.keyring if keyring is None else keyring),
            cwd=self.work,
            environment=self.environment(),
            stdin=stdin,
            seconds=self.command.seconds,
        )

    def complete(self, arguments: Sequence[str], *, keyring: bool) -> list[str]:
        return [*arguments, *(() if keyring else ("--no-keyring",)), "--json"]

    def must(self, *arguments: str, stdin: str = "", keyring: bool | None = None) -> Ran:
        ran = self.run(*arguments, stdin=stdin, keyring=keyring)
        assert ran.code == 0, f"{arguments}: {ran.state} {ran.code}: {ran.stderr}"
        return ran

    def begin(self) -> None:
        (self.runner.case / "home").mkdir(mode=0o700)
        self.work.mkdir()
        if self.command.profile:
            self.toml.write_text(PROFILE)
        self.command.prepare(self)

    def publics(self) -> dict[str, str | None]:
        """Name of each secret key file → its public line."""
        return {secret.path.name: secret.public for secret in witness.secrets_in(self.keys)}

    def old_key(self) -> str:
        """The public line that the profile had before the command."""
        return witness.public_key_of(self.runner.top / "before" / "work" / "pypi_profile.toml")

    # What must hold.

    def check_whole(self) -> None:
        witness.check_whole(self.keys)
        if self.keyring.exists():
            witness.keyring_entries(self.keyring)
        if self.toml.exists():
            witness.profile_of(self.toml)
            assert "# my profile, commented by hand" in self.toml.read_text(), "a comment is gone"
            if witness.public_key_of(self.toml):
                witness.check_stored_proofs(self.toml)

    def check_signs(self, *, required: bool = True) -> None:
        """A key that matches the profile can sign; and signing writes nothing."""
        line = witness.public_key_of(self.toml) if self.toml.exists() else ""
        if not line and not any(name.endswith(".key") for name in self.publics()):
            return  # nothing has been made yet
        if line and line not in self.publics().values() and not required:
            return
        before = tree(self.runner.case)
        message, signature = self.runner.top / "message", self.runner.top / "signature"
        message.write_bytes(b"what a holder signs\n")
        ran = self.run("sign-file", str(message), "--output", str(signature), "--force")
        assert ran.code == 0, f"no key can sign for the profile: {ran.code} {ran.stderr.strip()}"
        if line:
            witness.check_signature(signature.read_bytes(), message.read_bytes(), line)
        changed = {name for name, value in tree(self.runner.case).items() if before.get(name) != value}
        assert {Path(name).name for name in changed} <= LOCKS, f"signing changed {changed}"

    def at_rest(self, ran: Ran) -> None:
        self.check_whole()
        self.check_signs(required=self.command.signs_before)
        if ran.state == "exited" and ran.code:
            assert ran.error_code(), "an error without a code"

    def again(self, between: str, ran: Ran) -> None:
        """What holds after the command has run a second time, whatever happened in between."""
        self.check_whole()
        before = tree(self.runner.top / "between")
        if between == "the profile was edited":
            assert EDIT in self.toml.read_text(), "the user's edit is gone"
        if between == "the keyring was changed":
            assert FOREIGN in json.loads(self.keyring.read_text()).values(), "somebody else's entry is gone"
        if ran.code == 0 or ran.error_code() in self.command.refusals:
            witness.nothing_left(self.runner.case)
            self.check_signs(required=between != "the old profile was put back" or self.command.keeps_old)
            if self.command.after is not None:
                self.command.after(self, between, ran)
            return
        assert ran.error_code() in CONFLICTS, "neither done nor a conflict"
        assert between != "nothing", "a conflict although nothing happened in between"
        assert "hint" in ran.stderr, "a conflict without a way out"
        now = tree(self.runner.case)
        touched = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
        assert {Path(name).name for name in touched} <= LOCKS, f"a conflict, and yet changed: {touched}"
        self.check_signs(required=self.command.signs_before)

    def edit(self) -> None:
        self.toml.write_text(self.toml.read_text().replace("[identity]\n", EDIT + "[identity]\n", 1))

    def put_back(self) -> None:
        self.toml.write_bytes((self.runner.top / "before" / "work" / "pypi_profile.toml").read_bytes())

    def change_keyring(self) -> None:
        entries = json.loads(self.keyring.read_text()) if self.keyring.exists() else {}
        entries["pypi-profile/ada"] = FOREIGN
        self.keyring.write_text(json.dumps(entries))

    def empty_keyring(self) -> None:
        self.keyring.unlink(missing_ok=True)


def _foreign_key() -> str:
    """The entry of another key directory: a whole secret key that is none of the case's."""
    import hashlib

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    seed, key_id = b"foreign!" * 4, b"12345678"
    public = (
        Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    )
    checksum = hashlib.blake2b(b"Ed" + key_id + seed + public, digest_size=32).digest()
    raw = b"Ed\0\0B2" + bytes(48) + key_id + seed + public + checksum
    text = b"untrusted comment: minisign secret key\n" + base64.b64encode(raw) + b"\n"
    return base64.b64encode(text).decode()


FOREIGN = _foreign_key()


def scenario(command: Commands) -> Scenario:
    def play(runner: Runner) -> Play:
        return Play(runner, command)

    between: dict[str, Callable[[Runner], None]] = {}
    if command.profile:
        between["the profile was edited"] = lambda runner: play(runner).edit()
        between["the old profile was put back"] = lambda runner: play(runner).put_back()
    if command.keyring:
        between["the keyring was changed"] = lambda runner: play(runner).change_keyring()
        between["the keyring was emptied"] = lambda runner: play(runner).empty_keyring()

    def done(runner: Runner, ran: Ran) -> None:
        assert ran.code == 0, f"{command.name}: {ran.code} {ran.stderr}"
        runner.keep("between")
        play(runner).again("nothing", ran)

    return Scenario(
        name=command.name,
        arguments=[*command.arguments, *(() if command.keyring else ("--no-keyring",)), "--json"],
        prepare=lambda runner: play(runner).begin(),
        at_rest=lambda runner, ran: play(runner).at_rest(ran),
        after=lambda runner, name, ran: play(runner).again(name, ran),
        done=done,
        between=between,
        cwd="work",
        stdin=command.stdin,
        environment=lambda runner: play(runner).environment(),
        seconds=command.seconds,
    )


# The commands.


def nothing(_: Play) -> None:
    """The command begins from an empty key directory."""


def with_a_key(play: Play) -> None:
    play.must("keygen")
    play.must("update-proofs")
    assert witness.check_stored_proofs(play.toml) == len(PAGES)


def key_is_made(play: Play, between: str, ran: Ran) -> None:
    assert play.publics() or between == "the keyring was changed", "no key was made"


COMMANDS: list[Commands] = [
    Commands(
        name="keygen",
        arguments=["keygen"],
        prepare=nothing,
        after=key_is_made,
        refusals=frozenset({"key-exists", "path-exists"}),
    ),
    Commands(
        name="keygen, keyring",
        arguments=["keygen"],
        keyring=True,
        prepare=nothing,
        after=key_is_made,
        refusals=frozenset({"key-exists", "path-exists"}),
    ),
    Commands(
        name="keygen, no profile",
        arguments=["keygen"],
        keyring=True,
        profile=False,
        prepare=nothing,
        after=key_is_made,
        refusals=frozenset({"key-exists", "path-exists"}),
    ),
    Commands(
        name="keygen --force",
        arguments=["keygen", "--force"],
        prepare=lambda play: (play.must("keygen"), None)[1],
        after=key_is_made,
    ),
]
