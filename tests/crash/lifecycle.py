"""The lifecycle commands as the harness plays them, and what has to be true whenever one of them was interrupted.

Everything is looked at with `witness`, which shares no code with the product, but for one thing: that the key can sign
is shown by the product's own `sign-file`, whose signature the witness then checks.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import witness
from tests.crash.harness import SECONDS, Ran, Runner, Scenario, tree

PAGES = ("https://example.org/~ada", "https://example.com/about")
EDIT = "# a line that the user wrote meanwhile\n"
CONFLICTS = {"change-conflict", "profile-changed", "keyring-changed", "journal-damaged", "staged-leftover"}
OLD_ID = "<the id of the key before>"
PASSPHRASE, NEW_PASSPHRASE = "PYPI_PROFILE_KEY_PASSWORD", "PYPI_PROFILE_NEW_KEY_PASSWORD"
LOCKS = {".lock", ".keyring.lock", ".profile.lock"}

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
PYPROJECT = (
    "[project]\nname = 'ada-tool'  # single quotes stay\n\n"
    + re.sub(r"^(\[+)", r"\1tool.pypi-profile.", PROFILE, flags=re.MULTILINE)
    + "\n[tool.other]\npublic_key = 'of another tool'\n"
)


@dataclass(frozen=True, kw_only=True)
class Commands:
    """One lifecycle command and the state that it starts from."""

    name: str
    arguments: Sequence[str]
    keyring: bool = False
    prepare: Callable[[Play], None]
    after: Callable[[Play, str, Ran], None] | None = None
    profile: bool = True
    pyproject: bool = False
    """The profile is a table of pyproject.toml."""
    identity: str = ""
    """Whose key the command is about, where that is not the profile's."""
    refusals: frozenset[str] = frozenset()
    """Codes with which a second run may refuse, since the first one did its work."""
    keeps_old: bool = True
    signs_before: bool = True
    """Whether a key fits the profile before the command."""
    environment: Mapping[str, str] = field(default_factory=dict)
    prepared_with: Mapping[str, str] = field(default_factory=dict)
    """The environment of the commands that make the state before."""
    stdin: str = ""
    seconds: float = SECONDS
    part: int = 30
    """Without `--crash all`, of this many faults one is injected."""


class Play:
    """One case on one runner: where things are, and what is asked of them."""

    def __init__(self, runner: Runner, command: Commands) -> None:
        self.runner = runner
        self.command = command
        self.preparing = False
        self.changed = False
        """The key has its new passphrase by now."""

    @property
    def keys(self) -> Path:
        return self.runner.case / "home" / ".pypi_profile"

    @property
    def work(self) -> Path:
        return self.runner.case / "work"

    @property
    def toml(self) -> Path:
        return self.work / ("pyproject.toml" if self.command.pyproject else "pypi_profile.toml")

    @property
    def keyring(self) -> Path:
        return self.runner.case / "keyring.json"

    def environment(self) -> dict[str, str]:
        chosen = dict(self.command.prepared_with if self.preparing else self.command.environment)
        if self.changed:
            chosen[PASSPHRASE] = chosen[NEW_PASSPHRASE]
        return {
            "PYTHON_KEYRING_BACKEND": "tests.fakes.keyring_backend.FileKeyring",
            "SEALSTEAD_TEST_KEYRING": str(self.keyring),
        } | chosen

    def run(self, *arguments: str, stdin: str = "", keyring: bool | None = None) -> Ran:
        return self.runner.run(
            self.complete(arguments, keyring=self.command.keyring if keyring is None else keyring),
            cwd=self.work,
            environment=self.environment(),
            stdin=stdin,
            seconds=self.command.seconds,
        )

    def complete(self, arguments: Sequence[str], *, keyring: bool) -> list[str]:
        words = [self.old_id() if word == OLD_ID else word for word in arguments]
        return [*words, *(() if keyring else ("--no-keyring",)), "--json"]

    def old_id(self) -> str:
        return (self.runner.top / "old-id").read_text()

    def must(self, *arguments: str, stdin: str = "", keyring: bool | None = None) -> Ran:
        ran = self.run(*arguments, stdin=stdin, keyring=keyring)
        assert ran.code == 0, f"{arguments}: {ran.state} {ran.code}: {ran.stderr}"
        return ran

    def begin(self) -> None:
        (self.runner.case / "home").mkdir(mode=0o700)
        self.work.mkdir()
        if self.command.profile:
            self.toml.write_text(PYPROJECT if self.command.pyproject else PROFILE)
        self.preparing = True
        self.command.prepare(self)

    def publics(self) -> dict[str, str | None]:
        """Name of each secret key file → its public line."""
        return {
            secret.path.name: secret.public for secret in witness.secrets_in(self.keys, self.passphrases())
        }

    def passphrases(self) -> list[str]:
        given = [*self.command.environment.items(), *self.command.prepared_with.items()]
        return list(dict.fromkeys(value for name, value in given if name.endswith("_PASSWORD")))

    def old_key(self) -> str:
        """The public line that the profile had before the command."""
        return witness.public_key_of(self.runner.top / "before" / "work" / self.toml.name)

    # What must hold.

    def check_whole(self) -> None:
        witness.check_whole(self.keys)
        for copy in self.work.glob("*.key"):
            try:
                witness.read_secret(copy.read_bytes())
            except ValueError as exc:
                raise AssertionError(f"{copy.name} is half written: {exc}") from exc
            assert copy.stat().st_mode & 0o077 == 0, f"{copy.name} is open to others"
        if self.keyring.exists():
            witness.keyring_entries(self.keyring)
        if self.toml.exists():
            witness.profile_of(self.toml)
            assert "# my profile, commented by hand" in self.toml.read_text(), "a comment is gone"
            if self.command.pyproject:
                document = tomllib.loads(self.toml.read_text())
                assert document["project"] == {"name": "ada-tool"}, "another table was changed"
                assert document["tool"]["other"] == {"public_key": "of another tool"}, "another tool's table"
            if witness.public_key_of(self.toml):
                witness.check_stored_proofs(self.toml)

    def check_signs(self, *, required: bool = True) -> None:
        """A key that matches the profile can sign; and signing writes nothing."""
        line = witness.public_key_of(self.toml) if self.toml.exists() else ""
        if (own := self.command.identity) and f"minisign.{own}.key" in self.publics():
            self.signs(self.publics()[f"minisign.{own}.key"] or "", own)
            if not line:
                return
        if not line and not any(name.endswith(".key") for name in self.publics()):
            return  # nothing has been made yet
        if line and line not in self.publics().values() and not required:
            return
        self.signs(line)

    def signs(self, line: str, identity: str = "") -> None:
        """The key of `identity` (the profile's, if none is named) can sign."""
        before = tree(self.runner.case)
        message, signature = self.runner.top / "message", self.runner.top / "signature"
        message.write_bytes(b"what a holder signs\n")
        words = ["sign-file", str(message), "--output", str(signature), "--force"]
        words += ["--keyring-identity", identity] if identity else []
        ran = self.run(*words)
        if ran.error_code() == "wrong-passphrase" and self.command.environment.get(NEW_PASSPHRASE):
            self.changed = True
            ran = self.run(*words)
            self.changed = False
        if ran.error_code() == "key-revoked" and self.command.arguments[0] == "key-revoke":
            assert line in self.publics().values(), "the revoked key is gone"
            return  # what the command was for
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
        put_back = between == "the old profile was put back" and not self.command.keeps_old
        if ran.code == 0 or ran.error_code() in self.command.refusals | ({"no-key"} if put_back else set()):
            witness.nothing_left(self.runner.case)
            self.check_signs(required=not put_back)
            if self.command.after is not None and not put_back:
                self.command.after(self, between, ran)
            return
        assert ran.error_code() in CONFLICTS, "neither done nor a conflict"
        assert between != "nothing", "a conflict although nothing happened in between"
        assert "hint" in ran.stderr, "a conflict without a way out"
        now = tree(self.runner.case)
        touched = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
        assert {Path(name).name for name in touched} <= LOCKS, f"a conflict, and yet changed: {touched}"
        self.check_signs(required=self.command.signs_before and not put_back)

    def edit(self) -> None:
        head = "[tool.pypi-profile.identity]\n" if self.command.pyproject else "[identity]\n"
        self.toml.write_text(self.toml.read_text().replace(head, EDIT + head, 1))

    def put_back(self) -> None:
        self.toml.write_bytes((self.runner.top / "before" / "work" / self.toml.name).read_bytes())

    def change_keyring(self) -> None:
        entries = json.loads(self.keyring.read_text()) if self.keyring.exists() else {}
        entries[f"pypi-profile/{self.command.identity or 'ada'}"] = FOREIGN
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
        arguments=lambda runner: play(runner).complete(command.arguments, keyring=command.keyring),
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


def only_a_key(play: Play) -> None:
    play.must("keygen")


def named_key(play: Play) -> None:
    play.must("keygen", *WORK)


def lost(play: Play) -> None:
    with_a_key(play)
    shutil.rmtree(play.keys)
    play.keyring.unlink(missing_ok=True)


def elsewhere(play: Play) -> None:
    """The key is in a file that came from another machine."""
    with_a_key(play)
    play.must("key-export", "--output", "backup.key", "--no-password")
    shutil.rmtree(play.keys)
    play.keyring.unlink(missing_ok=True)


def another_is_here(play: Play) -> None:
    elsewhere(play)
    profile = play.toml.read_bytes()
    play.toml.unlink()
    play.must("keygen", "--keyring-identity", "ada")
    play.toml.write_bytes(profile)


def rotated_before(play: Play) -> None:
    with_a_key(play)
    (play.runner.top / "old-id").write_text(json.loads(play.must("key-info").stdout)["key_id"])
    play.must("key-rotate", "pypi_profile.toml")


def copy_is_there(play: Play) -> None:
    with_a_key(play)
    play.must("key-export", "--output", "copy.key", "--no-password")
    play.must("key-rotate", "pypi_profile.toml")


def key_is_made(play: Play, between: str, ran: Ran) -> None:
    assert play.publics() or between == "the keyring was changed", "no key was made"


def key_is_new(play: Play, between: str, ran: Ran) -> None:
    if between != "the old profile was put back":
        assert witness.public_key_of(play.toml) != play.old_key(), "the profile still has the old key"
    assert witness.check_stored_proofs(play.toml) == len(PAGES)


def old_key_is_kept(play: Play, between: str, ran: Ran) -> None:
    key_is_new(play, between, ran)
    assert play.old_key() in play.publics().values(), "the old key is gone"


def old_key_is_destroyed(play: Play, between: str, ran: Ran) -> None:
    key_is_new(play, between, ran)
    if between == "nothing":
        assert play.old_key() not in play.publics().values(), "the old key is still there"


def key_has_arrived(play: Play, between: str, ran: Ran) -> None:
    assert play.publics().get("minisign.ada.key") == witness.public_key_of(play.toml)
    assert (play.keys / "minisign.ada.pub").exists()


def nobody_is_lost(play: Play, between: str, ran: Ran) -> None:
    key_has_arrived(play, between, ran)
    others = [line for name, line in play.publics().items() if name != "minisign.ada.key"]
    assert others, "the key that gave way is gone"


def copy_is_whole(play: Play, between: str, ran: Ran) -> None:
    assert witness.read_secret((play.work / "copy.key").read_bytes()) == witness.public_key_of(play.toml)


def is_encrypted(play: Play, between: str, ran: Ran) -> None:
    assert witness.is_sealed(play.keys / "minisign.ada.key")
    assert play.publics()["minisign.ada.key"] == witness.public_key_of(play.toml), (
        "the passphrase does not fit"
    )


def has_new_passphrase(play: Play, between: str, ran: Ran) -> None:
    content = (play.keys / "minisign.ada.key").read_bytes()
    new = play.command.environment[NEW_PASSPHRASE]
    assert witness.read_secret(content, [new]) == witness.public_key_of(play.toml)


def stays_encrypted(play: Play, between: str, ran: Ran) -> None:
    old_key_is_kept(play, between, ran)
    for path in play.keys.glob("minisign.ada*"):
        assert path.suffix == ".pub" or witness.is_sealed(path), f"{path.name} is not encrypted"


def proofs_are_there(play: Play, between: str, ran: Ran) -> None:
    assert witness.public_key_of(play.toml) == play.old_key(), "the key was changed"
    assert witness.check_stored_proofs(play.toml) == len(PAGES)


def named_key_is_made(play: Play, between: str, ran: Ran) -> None:
    if play.toml.exists():
        assert witness.public_key_of(play.toml) == play.old_key(), "another identity's profile was changed"
        assert witness.check_stored_proofs(play.toml) == len(PAGES)
    assert "minisign.work.key" in play.publics() or between == "the keyring was changed", "no key was made"
    if between == "nothing":
        line = witness.read_public((play.keys / "minisign.work.pub").read_bytes())
        # A keyring that did not let itself be looked at gets nothing.
        assert witness.keyring_entries(play.keyring).get("work", line) == line


def named_key_is_new(play: Play, between: str, ran: Ran) -> None:
    before = witness.read_public(
        (play.runner.top / "before" / "home" / ".pypi_profile" / "minisign.work.pub").read_bytes()
    )
    assert play.publics()["minisign.work.key"] != before, "the key is the old one"
    assert before in play.publics().values(), "the old key is gone"


def is_clear(play: Play, between: str, ran: Ran) -> None:
    assert not witness.is_sealed(play.keys / "minisign.ada.key")
    assert play.publics()["minisign.ada.key"] == witness.public_key_of(play.toml)


def is_revoked(play: Play, between: str, ran: Ran) -> None:
    statements = witness.profile_of(play.toml)["verification"].get("statements", [])
    assert any("revocation" in text for text in statements) or between != "nothing", "not revoked"
    if between == "nothing":
        (beside,) = play.keys.glob("minisign.ada.*.revoked")
        assert beside.read_text().strip() == statements[-1].strip(), "the key directory forgets it"


def a_file_to_sign(play: Play) -> None:
    only_a_key(play)
    (play.work / "release").write_bytes(b"a release\n")


def file_is_signed(play: Play, between: str, ran: Ran) -> None:
    line = next(iter(play.publics().values()))
    assert line
    witness.check_signature((play.work / "release.minisig").read_bytes(), b"a release\n", line)


SEALED = {PASSPHRASE: "correct horse", NEW_PASSPHRASE: "correct horse"}
MADE = frozenset({"key-exists", "path-exists"})
WORK = ("--keyring-identity", "work")
ROTATE = ("key-rotate", "pypi_profile.toml")

COMMANDS: list[Commands] = [
    Commands(name="keygen", arguments=["keygen"], prepare=nothing, after=key_is_made, refusals=MADE),
    Commands(
        name="keygen, keyring",
        arguments=["keygen"],
        keyring=True,
        prepare=nothing,
        after=key_is_made,
        refusals=MADE,
    ),
    Commands(
        name="keygen, no profile",
        arguments=["keygen"],
        keyring=True,
        profile=False,
        prepare=nothing,
        after=key_is_made,
        refusals=MADE,
    ),
    Commands(name="keygen --force", arguments=["keygen", "--force"], prepare=only_a_key, after=key_is_made),
    Commands(name="key-rotate", arguments=ROTATE, prepare=with_a_key, after=old_key_is_kept),
    Commands(
        name="key-rotate, keyring", arguments=ROTATE, keyring=True, prepare=with_a_key, after=old_key_is_kept
    ),
    Commands(
        name="key-rotate --overlap",
        arguments=[*ROTATE, "--overlap", "7d"],
        prepare=with_a_key,
        after=old_key_is_kept,
    ),
    Commands(
        name="key-rotate --no-keep-old",
        arguments=[*ROTATE, "--no-keep-old", "--force"],
        keyring=True,
        prepare=with_a_key,
        after=old_key_is_destroyed,
        keeps_old=False,
    ),
    Commands(
        name="update-proofs", part=60, arguments=["update-proofs"], prepare=only_a_key, after=proofs_are_there
    ),
    Commands(
        name="key-recover",
        arguments=["key-recover", "pypi_profile.toml"],
        keyring=True,
        prepare=lost,
        after=key_is_new,
        refusals=frozenset({"key-still-there"}),
        keeps_old=False,
        signs_before=False,
    ),
    Commands(
        name="key-import",
        arguments=["key-import", "backup.key"],
        keyring=True,
        prepare=elsewhere,
        after=key_has_arrived,
        refusals=MADE,
        signs_before=False,
    ),
    Commands(
        name="key-import --force",
        arguments=["key-import", "backup.key", "--force"],
        keyring=True,
        prepare=another_is_here,
        after=nobody_is_lost,
        signs_before=False,
    ),
    Commands(
        name="sign-file",
        part=5,
        arguments=["sign-file", "release"],
        profile=False,
        prepare=a_file_to_sign,
        after=file_is_signed,
    ),
    Commands(
        name="key-export",
        arguments=["key-export", "--output", "copy.key", "--no-password"],
        prepare=with_a_key,
        after=copy_is_whole,
        refusals=MADE,
    ),
    Commands(
        name="key-export --force",
        arguments=["key-export", "--output", "copy.key", "--no-password", "--force"],
        prepare=copy_is_there,
        after=copy_is_whole,
    ),
    Commands(
        name="key-password set",
        arguments=["key-password", "set"],
        keyring=True,
        prepare=with_a_key,
        after=is_encrypted,
        environment=SEALED,
        refusals=frozenset({"passphrase-state"}),
    ),
    Commands(
        name="key-password remove",
        arguments=["key-password", "remove"],
        prepare=with_a_key,
        prepared_with=SEALED,
        after=is_clear,
        environment=SEALED,
        refusals=frozenset({"passphrase-state"}),
    ),
    Commands(
        name="key-password change",
        part=80,
        arguments=["key-password", "change"],
        keyring=True,
        prepare=with_a_key,
        prepared_with=SEALED,
        after=has_new_passphrase,
        environment={PASSPHRASE: "correct horse", NEW_PASSPHRASE: "battery staple"},
        refusals=frozenset({"wrong-passphrase"}),
    ),
    Commands(
        name="key-rotate, encrypted",
        part=80,
        arguments=ROTATE,
        keyring=True,
        prepare=with_a_key,
        prepared_with=SEALED,
        after=stays_encrypted,
        environment={PASSPHRASE: "correct horse"},
    ),
    Commands(
        name="key-rotate, pyproject.toml",
        part=80,
        arguments=["key-rotate", "pyproject.toml"],
        keyring=True,
        pyproject=True,
        prepare=with_a_key,
        after=old_key_is_kept,
    ),
    Commands(
        name="key-rotate, named, no profile",
        part=80,
        arguments=["key-rotate", *WORK],
        keyring=True,
        profile=False,
        identity="work",
        prepare=named_key,
        after=named_key_is_new,
    ),
    Commands(
        name="keygen --force, encrypted",
        part=80,
        arguments=["keygen", "--force"],
        prepare=only_a_key,
        prepared_with=SEALED,
        after=key_is_made,
        environment={PASSPHRASE: "correct horse"},
    ),
    Commands(
        name="key-restore, encrypted",
        part=80,
        arguments=["key-restore", OLD_ID, "--force"],
        keyring=True,
        prepare=rotated_before,
        prepared_with=SEALED,
        after=stays_encrypted,
        environment={PASSPHRASE: "correct horse"},
        refusals=frozenset({"key-active"}),
    ),
    Commands(
        name="keygen, named",
        part=80,
        arguments=["keygen", *WORK],
        keyring=True,
        identity="work",
        prepare=with_a_key,
        after=named_key_is_made,
        refusals=MADE,
    ),
    Commands(
        name="keygen, named, no profile",
        part=80,
        arguments=["keygen", *WORK],
        keyring=True,
        profile=False,
        identity="work",
        prepare=nothing,
        after=named_key_is_made,
        refusals=MADE,
    ),
    Commands(
        name="key-revoke",
        arguments=["key-revoke", "--reason", "compromised", "--force"],
        prepare=with_a_key,
        after=is_revoked,
        refusals=frozenset({"already-revoked"}),
    ),
    Commands(
        name="key-restore",
        arguments=["key-restore", OLD_ID, "--force"],
        keyring=True,
        prepare=rotated_before,
        after=key_is_new,
        refusals=frozenset({"key-active"}),
    ),
]
