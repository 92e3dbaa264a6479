"""Names of identities and of their files, and who may read what."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealstead.custody import files, key_dir
from sealstead.custody.key_dir import IdentityError, KeyDir, KeyDirBusyError, KeyDirError, check_identity


@pytest.fixture
def directory(tmp_path: Path) -> KeyDir:
    directory = KeyDir(tmp_path / "keys")
    directory.make()
    return directory


@pytest.mark.parametrize(
    "name",
    ["", " ", "a/b", "a\\b", "..", "a..b", ".hidden", "a\0b", "a\nb", "\x1b[2J", "x" * 101, "x" * 300, " a", "a ",
     "c:evil", "a*", "0123456789ABCDEF", "x.0123456789abcdef", "CON", "com1.key", "\udcff", "\u202eabc", "\U0001f511" * 60],
)  # fmt: skip
def test_what_cannot_be_a_part_of_a_file_name_is_no_identity(name: str, directory: KeyDir) -> None:
    with pytest.raises(IdentityError) as caught:
        check_identity(name)
    assert caught.value.code == "identity"
    assert caught.value.message.isprintable()
    with pytest.raises(IdentityError):
        directory.secret_path(name)


@pytest.mark.parametrize(
    "name",
    ["work", "ada@example.org", "a.b-c_d", "J\u00f6rg", "x" * 100, "two words", "console", "0123456789abcde"],
)
def test_ordinary_names_are_identities(name: str) -> None:
    assert check_identity(name) == name


def test_one_name_has_one_file_however_it_was_composed(directory: KeyDir) -> None:
    assert directory.secret_path("Jo\u0308rg") == directory.secret_path("J\u00f6rg")


def test_files_are_named_as_the_documents_say(directory: KeyDir) -> None:
    assert directory.secret_path("default").name == "minisign.key"
    assert directory.public_path("default").name == "minisign.pub"
    assert directory.secret_path("work").name == "minisign.work.key"
    assert directory.public_path("work").name == "minisign.work.pub"


def test_archives_of_different_identities_and_keys_never_meet(directory: KeyDir) -> None:
    names = {
        directory.archive_path(identity, key_id).name
        for identity in ("default", "work")
        for key_id in ("0" * 16, "1" * 16)
    }
    assert len(names) == 4


def test_secrets_are_private_and_public_keys_are_not(directory: KeyDir) -> None:
    directory.store_secret(directory.secret_path("work"), b"s", replace=False)
    directory.store_public(directory.public_path("work"), b"p")
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert directory.secret_path("work").stat().st_mode & 0o777 == 0o600
    assert directory.public_path("work").stat().st_mode & 0o777 == 0o644
    assert directory.load_secret(directory.secret_path("work")) == (b"s", None)


def test_a_secret_open_to_others_is_read_with_a_warning(directory: KeyDir) -> None:
    path = directory.secret_path("work")
    directory.store_secret(path, b"s", replace=False)
    path.chmod(0o644)
    assert directory.load_secret(path) == (b"s", f"{path} is open to other users; run: chmod 600 {path}")


def test_links_and_directories_are_refused(directory: KeyDir, tmp_path: Path) -> None:
    path = directory.secret_path("work")
    path.mkdir()
    with pytest.raises(files.UnsafeFileError):
        directory.load_secret(path)
    path.rmdir()
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    path.symlink_to(tmp_path / "elsewhere")
    directory.public_path("work").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(files.UnsafeFileError):
        directory.load_secret(path)
    with pytest.raises(files.UnsafeFileError):
        directory.store_secret(path, b"s", replace=True)
    with pytest.raises(files.UnsafeFileError):
        directory.store_public(directory.public_path("work"), b"p")
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"


def test_identities_are_found_by_their_files(directory: KeyDir) -> None:
    assert KeyDir(directory.path / "missing").identities() == []
    for name in ("minisign.work.key", "minisign.key", "minisign.ada.key", "minisign.ada.pub", "other.key",
                 "minisign.work.AB.bak", ".minisign.x.key.1.tmp", "minisign...key"):  # fmt: skip
        (directory.path / name).touch()
    assert directory.identities() == ["default", "ada", "work"]


def test_what_the_system_refuses_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyDirError, match="cannot be made"):
        KeyDir(tmp_path / "file" / "keys").make()
    with pytest.raises(KeyDirError, match="not a directory"):
        KeyDir(tmp_path / "file").make()
    with pytest.raises(KeyDirError, match="cannot be written"):
        KeyDir(tmp_path / "gone").store_secret(tmp_path / "gone" / "x", b"", replace=True)
    with pytest.raises(KeyDirError, match="cannot be read"):
        KeyDir(tmp_path / ("long" * 100)).has_traces()


def test_the_lock_keeps_others_out_and_lets_its_holder_in_again(directory: KeyDir) -> None:
    other = KeyDir(directory.path)
    with directory.lock(), directory.lock(), pytest.raises(KeyDirBusyError), other.lock(seconds=0):
        pass  # pragma: no cover
    with KeyDir(directory.path).lock(seconds=0):
        pass


def test_no_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError

    monkeypatch.setattr(key_dir.Path, "home", nowhere)
    with pytest.raises(KeyDirError, match="no home"):
        key_dir.default_key_dir()
