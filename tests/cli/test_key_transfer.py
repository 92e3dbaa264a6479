"""`key-export` and `key-import`: a key gets to another machine whole, checked, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.cli.test_key_rotate import now, published, refused, snapshot
from tests.keys import key, key_file
from tests.publisher import Publisher

from sealstead.formats.minisign import parse_public_key, parse_secret_key, serialize_public_key
from sealstead.secret import Secret


@pytest.fixture
def other(tmp_path: Path) -> Publisher:
    """The other machine."""
    return Publisher(root=tmp_path / "other")


def brought(publisher: Publisher, blob: bytes, name: str = "backup-minisign.key") -> Path:
    path = publisher.here / name
    path.write_bytes(blob)
    return path


def test_a_copy_is_the_key_file_for_its_owner_alone(publisher: Publisher) -> None:
    published(publisher)
    before = os.umask(0)
    try:
        done = publisher.good("key-export", "--output", "backup-minisign.key")
    finally:
        os.umask(before)
    path = publisher.here / "backup-minisign.key"
    assert path.read_bytes() == (publisher.keys / "minisign.ada.key").read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    (warning,) = [line for line in done.err.splitlines() if "not encrypted" in line]
    assert warning.startswith("warning:")


def test_an_encrypted_copy_opens_with_its_passphrase(publisher: Publisher) -> None:
    published(publisher)
    done = publisher.good("key-export", "--output", "b.key", "--password-stdin", "--json", stdin="copy\n")
    assert (done.json["encrypted"], done.json["warning"]) == (True, None)
    copy = parse_secret_key((publisher.here / "b.key").read_bytes())
    assert copy.open(Secret("copy")).public.line == now(publisher).profile.verification.public_key
    assert not parse_secret_key((publisher.keys / "minisign.ada.key").read_bytes()).encrypted


def test_at_a_terminal_a_passphrase_is_asked_for(publisher: Publisher) -> None:
    published(publisher)
    publisher.good("key-export", "--output", "asked.key", answers="copy\ncopy\n")
    assert parse_secret_key((publisher.here / "asked.key").read_bytes()).open(Secret("copy"))
    publisher.good("key-export", "--output", "none.key", answers="\n\n")
    publisher.good("key-export", "--output", "unasked.key", "--no-password", answers="")
    for name in ("none.key", "unasked.key"):
        assert not parse_secret_key((publisher.here / name).read_bytes()).encrypted


def test_an_encrypted_key_is_copied_as_it_is(publisher: Publisher) -> None:
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "own"
    published(publisher)
    blob = (publisher.keys / "minisign.ada.key").read_bytes()
    del publisher.environment["PYPI_PROFILE_KEY_PASSWORD"]
    publisher.good("key-export", "--output", "same.key")
    publisher.good("key-export", "--output", "checked.key", "--password-stdin", stdin="own\n")
    for name in ("same.key", "checked.key"):
        assert (publisher.here / name).read_bytes() == blob
    assert refused(publisher, "key-export", "--output", "x", "--no-password").error == "passphrase-needed"
    assert (
        refused(publisher, "key-export", "--output", "x", "--password-stdin", stdin="new\n").error
        == "passphrase-needed"
    )
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "own"
    publisher.good("key-export", "--output", "new.key", "--password-stdin", stdin="new\n")
    assert parse_secret_key((publisher.here / "new.key").read_bytes()).open(Secret("new"))
    publisher.good("key-export", "--output", "open.key", "--no-password")
    assert not parse_secret_key((publisher.here / "open.key").read_bytes()).encrypted


def test_no_file_is_overwritten_unasked(publisher: Publisher) -> None:
    """pypi-profile 0.3.0 overwrites any."""
    published(publisher)
    path = publisher.here / "thesis.tex"
    path.write_text("years of work")
    done = refused(publisher, "key-export", "--output", "thesis.tex")
    assert (done.code, done.error) == (1, "path-exists")
    publisher.good("key-export", "--output", "thesis.tex", "--force")
    assert path.read_bytes() == (publisher.keys / "minisign.ada.key").read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("target", [".", "no/where/b.key", "link"])
def test_no_copy_goes_where_none_belongs(publisher: Publisher, target: str) -> None:
    published(publisher)
    (publisher.here / "link").symlink_to(publisher.root / "outside")
    done = refused(publisher, "key-export", "--output", target, "--force")
    assert (done.code, done.error) == (2, "export-target")


def test_without_a_key_there_is_no_copy(publisher: Publisher) -> None:
    done = refused(publisher, "key-export", "--output", "b.key")
    assert (done.code, done.error) == (3, "no-key")


def test_an_archived_key_is_copied_by_its_id(publisher: Publisher) -> None:
    published(publisher)
    made = publisher.good("key-rotate", "--json").json
    done = publisher.good("key-export", "--output", "b.key", "--key-id", made["old_key_id"], "--json").json
    assert done["key_id"] == made["old_key_id"]
    assert (publisher.here / "b.key").read_bytes() == Path(made["archived_path"]).read_bytes()


def test_an_imported_key_is_in_its_place_under_its_own_name(publisher: Publisher, other: Publisher) -> None:
    """pypi-profile 0.3.0 always writes `minisign.key`, and no `.pub`."""
    published(publisher)
    publisher.good("key-export", "--output", "backup-minisign.key")
    blob = (publisher.here / "backup-minisign.key").read_bytes()
    other.profile.write_bytes(publisher.profile.read_bytes())
    brought(other, blob)
    done = other.good("key-import", "backup-minisign.key", "--force", "--json").json
    assert (other.keys / "minisign.ada.key").read_bytes() == blob
    assert (other.keys / "minisign.ada.key").stat().st_mode & 0o777 == 0o600
    public = parse_public_key((other.keys / "minisign.ada.pub").read_bytes())
    assert done["key_id"] == public.id
    assert done["fits_profile"] is True
    assert {path.name for path in other.keys.glob("minisign*")} == {"minisign.ada.key", "minisign.ada.pub"}
    assert other.good("key-info", "--json").json["key_id"] == public.id
    assert other.good("key-list", "--json").json[0]["key_id"] == public.id


def test_an_imported_key_is_in_the_keyring_too(publisher: Publisher) -> None:
    publisher.use_keyring()
    brought(publisher, key_file(1))
    done = publisher.good("key-import", "backup-minisign.key", "--keyring-identity", "work", "--json").json
    assert done["stored_in_keyring"] is True
    (publisher.keys / "minisign.work.key").unlink()
    info = publisher.good("key-info", "--keyring-identity", "work", "--json").json
    assert info["key_id"] == key(1).public.id


def test_a_profile_that_names_no_key_gets_it(publisher: Publisher) -> None:
    publisher.write_profile(username="ada")
    brought(publisher, key_file(1))
    publisher.good("key-import", "backup-minisign.key")
    assert now(publisher).profile.verification.public_key == key(1).public.line
    assert publisher.profile.read_text().startswith("# kept\n")


def test_a_profile_of_another_identity_does_not(publisher: Publisher) -> None:
    publisher.write_profile(username="ada")
    before = publisher.profile.read_bytes()
    brought(publisher, key_file(1))
    publisher.good("key-import", "backup-minisign.key", "--keyring-identity", "work")
    assert publisher.profile.read_bytes() == before


def test_a_key_that_does_not_fit_the_profile_is_refused(publisher: Publisher) -> None:
    publisher.write_profile(username="ada", public_key=key(2).public.line)
    brought(publisher, key_file(1))
    done = refused(publisher, "key-import", "backup-minisign.key")
    assert (done.code, done.error) == (1, "misfit")
    for name in (key(1).public.id, key(2).public.id):
        assert name in done.err
    assert (
        publisher.good("key-import", "backup-minisign.key", "--force", "--json").json["fits_profile"] is False
    )
    publisher.good("key-import", "backup-minisign.key", "--keyring-identity", "work")


def test_another_key_gives_way_only_when_told_to_and_is_kept(publisher: Publisher) -> None:
    publisher.good("keygen")
    old = (publisher.keys / "minisign.key").read_bytes()
    brought(publisher, key_file(1))
    done = refused(publisher, "key-import", "backup-minisign.key")
    assert (done.code, done.error) == (1, "slot-taken")
    assert publisher.run("key-import", "backup-minisign.key", answers="n\n").code == 1
    made = publisher.good("key-import", "backup-minisign.key", "--force", "--json").json
    assert [Path(path).read_bytes() for path in made["archived"]] == [old]
    assert (publisher.keys / "minisign.key").read_bytes() == key_file(1)


def test_the_same_key_twice_is_no_conflict(publisher: Publisher) -> None:
    brought(publisher, key_file(1))
    publisher.good("key-import", "backup-minisign.key")
    before = snapshot(publisher)
    assert publisher.good("key-import", "backup-minisign.key", "--json").json["unchanged"] is True
    assert {name: before[name] for name in before if "keys.json" not in name}.items() <= snapshot(
        publisher
    ).items()


def test_an_encrypted_key_is_checked_and_stays_encrypted(publisher: Publisher) -> None:
    brought(publisher, key_file(1, "pass"))
    assert refused(publisher, "key-import", "backup-minisign.key").error == "passphrase-needed"
    done = refused(publisher, "key-import", "backup-minisign.key", "--password-stdin", stdin="no\n")
    assert done.error == "wrong-passphrase"
    publisher.good("key-import", "backup-minisign.key", "--password-stdin", stdin="pass\n")
    assert (publisher.keys / "minisign.key").read_bytes() == key_file(1, "pass")
    assert parse_public_key((publisher.keys / "minisign.pub").read_bytes()) == key(1).public


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"lol",
        b"\xff" * 300,
        b"x" * 100_000,
        key_file(1)[:-5],
        key_file(1)[:200] + bytes([key_file(1)[200] ^ 1]) + key_file(1)[201:],
        serialize_public_key(key(1).public),
    ],
    ids=["empty", "text", "bytes", "long", "cut", "flipped", "public"],
)
def test_what_is_no_whole_secret_key_is_refused(publisher: Publisher, content: bytes) -> None:
    brought(publisher, content)
    done = refused(publisher, "key-import", "backup-minisign.key", "--force")
    assert done.code in (1, 2)
    assert done.error in ("minisign-format", "damaged-key")
    assert "backup-minisign.key: " in done.err


@pytest.mark.parametrize("name", ["nothing.key", "."])
def test_what_is_no_file_is_refused(publisher: Publisher, name: str) -> None:
    done = refused(publisher, "key-import", name)
    assert (done.code, done.error) == (2, "import-source")


def test_dry_runs_write_nothing(publisher: Publisher) -> None:
    published(publisher)
    brought(publisher, key_file(1))
    before = snapshot(publisher)
    publisher.good("key-import", "backup-minisign.key", "--force", "--dry-run")
    publisher.good("key-export", "--output", "b.key", "--dry-run")
    assert snapshot(publisher) == before


def test_a_key_that_comes_back_from_outside_leaves_the_archive(publisher: Publisher) -> None:
    published(publisher)
    publisher.good("key-export", "--output", "b.key")
    made = publisher.good("key-rotate", "--json").json
    publisher.good("key-import", "b.key", "--force")
    listed = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert listed == {made["old_key_id"]: "active", made["new_key_id"]: "archived"}
    assert len(publisher.good("key-list", "--json").json) == 2


def test_no_copy_costs_another_key(publisher: Publisher) -> None:
    """Whatever `--force` says: what stands there may be the only one. Outside of the key directory it moves aside."""
    publisher.good("keygen")
    publisher.good("keygen", "--keyring-identity", "work")
    work = (publisher.keys / "minisign.work.key").read_bytes()
    brought(publisher, work, "work.key")
    brought(publisher, key_file(1, "pass"), "sealed.key")
    for target in (publisher.keys / "minisign.work.key", publisher.keys / "new.key"):
        done = refused(publisher, "key-export", "--output", str(target), "--force")
        assert (done.code, done.error) == (1, "key-in-the-way")
    for name in ("work.key", "sealed.key"):
        held = (publisher.here / name).read_bytes()
        done = publisher.good("key-export", "--output", name, "--force", "--json")
        aside = Path(done.json["kept_aside"])
        assert aside.read_bytes() == held
        assert aside.stat().st_mode & 0o777 == 0o600
        assert (publisher.here / name).read_bytes() == (publisher.keys / "minisign.key").read_bytes()
    publisher.good("key-export", "--output", "own.key")
    publisher.good("key-export", "--output", "own.key", "--force", "--password-stdin", stdin="pass\n")
