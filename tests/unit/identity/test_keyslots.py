"""Which key an identity, a profile and the environment lead to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.fakes.keyring_store import MemoryKeyring
from tests.keys import key, key_file

from sealstead.custody.files import MissingFileError, UnsafeFileError
from sealstead.custody.key_dir import IdentityError, KeyDir
from sealstead.custody.os_keyring import KeyringTimeoutError, Unusable
from sealstead.formats.minisign import DamagedKeyError, serialize_public_key
from sealstead.identity.keyslots import (
    KeyPlaces,
    NoKeyError,
    OtherKeyError,
    explicit_key,
    find_key,
    resolve_identity,
)
from sealstead.identity.places import AmbiguousKeyError
from sealstead.secret import Secret


@dataclass
class Identity:
    pypi_username: str = ""


@dataclass
class Profile:
    identity: Identity = field(default_factory=Identity)


@pytest.fixture
def places(tmp_path: Path) -> KeyPlaces:
    directory = KeyDir(tmp_path / "keys")
    directory.make()
    return KeyPlaces(directory, MemoryKeyring())


def put(places: KeyPlaces, identity: str, number: int, passphrase: str | None = None) -> Path:
    path = places.directory.secret_path(identity)
    places.directory.store_secret(path, key_file(number, passphrase), replace=True)
    return path


@pytest.mark.parametrize(
    ("option", "variable", "username", "expected"),
    [
        ("work", "env", "bob", "work"),
        (None, "env", "bob", "env"),
        (None, "", "bob", "bob"),
        (None, None, "bob", "bob"),
        (None, None, "", "default"),
        (None, None, None, "default"),
    ],
)
def test_the_identity(option: str | None, variable: str | None, username: str | None, expected: str) -> None:
    environ = {} if variable is None else {"PYPI_PROFILE_KEYRING_USERNAME": variable}
    profile = None if username is None else Profile(Identity(username))
    assert resolve_identity(option, environ, profile) == expected


@pytest.mark.parametrize("name", ["", "../x", "a/b"])
def test_a_bad_identity_is_refused_wherever_it_comes_from(name: str) -> None:
    with pytest.raises(IdentityError):
        resolve_identity(name, {}, None)
    if name:
        with pytest.raises(IdentityError):
            resolve_identity(None, {"PYPI_PROFILE_KEYRING_USERNAME": name}, None)
        with pytest.raises(IdentityError):
            resolve_identity(None, {}, Profile(Identity(name)))


def test_no_key_names_what_to_do(places: KeyPlaces) -> None:
    with pytest.raises(NoKeyError) as caught:
        find_key(places, "work")
    assert caught.value.code == "no-key"
    assert "keygen" in str(caught.value.hint)


def test_the_disk_answers_before_the_keyring_is_even_opened(places: KeyPlaces) -> None:
    def never() -> Unusable:
        raise AssertionError

    path = put(places, "work", 1)
    found = find_key(KeyPlaces(places.directory, opener=never), "work")
    assert (found.identity, found.source, found.path) == ("work", "disk", path)
    assert (found.public, found.blob) == (key(1).public, key_file(1))


def test_the_keyring_answers_where_the_disk_copy_is_gone(places: KeyPlaces) -> None:
    assert places.keyring is not None
    places.keyring.put("work", key_file(1), expected=None)
    found = find_key(places, "work")
    assert (found.source, found.path, found.public) == ("keyring", None, key(1).public)


def test_a_silent_keyring_is_a_reason_and_no_end(places: KeyPlaces) -> None:
    class Silent(MemoryKeyring):
        def get(self, identity: str) -> bytes | None:
            raise KeyringTimeoutError("the keyring did not answer")

    with pytest.raises(NoKeyError, match="did not answer"):
        find_key(KeyPlaces(places.directory, Silent()), "work")


def test_why_there_is_no_keyring_is_told(places: KeyPlaces) -> None:
    headless = KeyPlaces(places.directory, opener=lambda: Unusable("no keyring service runs here"))
    with pytest.raises(NoKeyError, match="no keyring service runs here"):
        find_key(headless, "work")


def test_the_profile_s_key_is_looked_for_everywhere_it_may_be(places: KeyPlaces) -> None:
    put(places, "work", 1)
    directory = places.directory
    directory.store_secret(directory.staged_path(directory.secret_path("work")), key_file(2), replace=False)
    directory.store_secret(directory.archive_path("work", key(3).public.id), key_file(3), replace=False)
    assert places.keyring is not None
    places.keyring.put("work", key_file(4), expected=None)
    for number, source in ((1, "disk"), (2, "staged"), (3, "archive"), (4, "keyring")):
        assert find_key(places, "work", wanted=key(number).public).source == source
    with pytest.raises(
        NoKeyError, match=f"names key {key(5).public.id}, the key of work is {key(1).public.id}"
    ):
        find_key(places, "work", wanted=key(5).public)


def test_archives_of_another_identity_are_not_touched(places: KeyPlaces) -> None:
    directory = places.directory
    directory.store_secret(directory.archive_path("work", key(3).public.id), key_file(3), replace=False)
    with pytest.raises(NoKeyError):
        find_key(places, "default", wanted=key(3).public)


def test_a_key_of_another_identity_is_found_only_if_nobody_named_one(places: KeyPlaces) -> None:
    put(places, "work", 1)
    put(places, "default", 2)
    with pytest.raises(NoKeyError):
        find_key(places, "bob", wanted=key(1).public)
    assert find_key(places, "bob", wanted=key(1).public, anywhere=True).identity == "work"
    assert find_key(places, "bob", anywhere=True).identity == "default"
    with pytest.raises(NoKeyError):
        find_key(places, "bob")


def test_an_encrypted_key_is_known_by_its_public_file(places: KeyPlaces) -> None:
    put(places, "work", 1, "pass")
    found = find_key(places, "work", wanted=key(2).public)
    assert found.public is None  # it may be: nobody knows
    directory = places.directory
    directory.store_public(directory.public_path("work"), serialize_public_key(key(1).public))
    assert find_key(places, "work", wanted=key(1).public).public == key(1).public
    with pytest.raises(NoKeyError):
        find_key(places, "work", wanted=key(2).public)


def archive(places: KeyPlaces, name: str, number: int, passphrase: str) -> Path:
    path = places.directory.archive_path("bob", name)
    places.directory.store_secret(path, key_file(number, passphrase), replace=True)
    return path


def test_of_several_encrypted_keys_the_one_whose_archive_is_named_so(places: KeyPlaces) -> None:
    put(places, "bob", 1, "a")
    archive(places, key(2).public.id, 2, "b")
    named = archive(places, key(3).public.id, 3, "c")
    assert find_key(places, "bob", wanted=key(3).public).path == named
    # Those that are named otherwise are other keys: only the one that nothing tells of may be it.
    assert find_key(places, "bob", wanted=key(4).public).path == places.directory.secret_path("bob")
    places.directory.secret_path("bob").unlink()
    with pytest.raises(NoKeyError):
        find_key(places, "bob", wanted=key(4).public)


def test_of_several_encrypted_keys_none_is_taken_by_chance(places: KeyPlaces) -> None:
    here = put(places, "bob", 1, "a")
    blob = key_file(2, "b")
    there = places.directory.archive_path("bob", hashlib.sha256(blob).hexdigest()[:16].upper())
    places.directory.store_secret(there, blob, replace=True)
    with pytest.raises(AmbiguousKeyError) as caught:
        find_key(places, "bob", wanted=key(2).public)
    assert str(here) in caught.value.message
    assert str(there) in caught.value.message
    assert find_key(places, "bob", wanted=key(2).public, explicit=there).path == there
    # Its public half beside it ends the doubt.
    there.with_suffix(".pub").write_bytes(serialize_public_key(key(2).public))
    assert find_key(places, "bob", wanted=key(2).public).path == there


def test_one_encrypted_key_on_disk_and_in_the_keyring_is_no_doubt(places: KeyPlaces) -> None:
    path = put(places, "bob", 1, "a")
    assert isinstance(places.keyring, MemoryKeyring)
    places.keyring.put("bob", key_file(1, "other"), expected=None)
    assert find_key(places, "bob", wanted=key(1).public).path == path


def test_a_passphrase_is_asked_for_only_when_needed(places: KeyPlaces) -> None:
    def never() -> Secret[str]:
        raise AssertionError

    put(places, "work", 1)
    assert find_key(places, "work").open(never).public == key(1).public
    put(places, "work", 1, "pass")
    assert find_key(places, "work").open(lambda: Secret("pass")).public == key(1).public


def test_a_replaced_public_file_is_noticed_on_opening(places: KeyPlaces) -> None:
    put(places, "work", 1, "pass")
    places.directory.store_public(places.directory.public_path("work"), serialize_public_key(key(2).public))
    with pytest.raises(OtherKeyError):
        find_key(places, "work").open(lambda: Secret("pass"))


def test_a_damaged_file_is_named_and_the_keyring_still_helps(places: KeyPlaces) -> None:
    path = put(places, "work", 1)
    damaged = bytearray(path.read_bytes())
    damaged[-30] ^= 1
    places.directory.store_secret(path, bytes(damaged), replace=True)
    with pytest.raises(DamagedKeyError, match=r"minisign\.work\.key"):
        find_key(places, "work")
    assert places.keyring is not None
    places.keyring.put("work", key_file(1), expected=None)
    found = find_key(places, "work")
    assert found.source == "keyring"
    assert "minisign.work.key" in found.warnings[0]


def test_a_named_file_is_taken_or_nothing_is(places: KeyPlaces, tmp_path: Path) -> None:
    put(places, "work", 1)
    path = tmp_path / "my.key"
    path.write_bytes(key_file(2))
    found = find_key(places, "work", explicit=path, wanted=key(1).public)
    assert (found.source, found.public) == ("explicit", key(2).public)
    assert "open to other users" in found.warnings[0]
    with pytest.raises(MissingFileError):
        find_key(places, "work", explicit=tmp_path / "missing")
    (tmp_path / "link").symlink_to(path)
    for bad in (tmp_path / "link", tmp_path):
        with pytest.raises(UnsafeFileError):
            find_key(places, "work", explicit=bad)


def test_the_option_names_a_file_before_the_environment_does() -> None:
    environ = {"PYPI_PROFILE_KEY_PATH": "/env"}
    assert explicit_key(Path("/option"), environ) == Path("/option")
    assert explicit_key(None, environ) == Path("/env")
    assert explicit_key(None, {"PYPI_PROFILE_KEY_PATH": ""}) is None


def test_a_key_that_does_not_fit_is_called_by_its_own_name(places: KeyPlaces) -> None:
    put(places, "work", 1)
    with pytest.raises(NoKeyError) as caught:
        find_key(places, "ada", wanted=key(2).public, anywhere=True)
    assert f"the key of work is {key(1).public.id}" in caught.value.message
