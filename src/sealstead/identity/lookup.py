"""Find a key by its id, whoever's it is and wherever it stands: for commands that are told which one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sealstead.custody.files import MissingFileError
from sealstead.errors import KeyUnavailableError, ParseError
from sealstead.formats.minisign import (
    KeyIdError,
    PublicKey,
    matches_key_id,
    parse_key_id,
    parse_public_key,
    parse_secret_key,
)
from sealstead.formats.profile_schema import Profile
from sealstead.identity.keyslots import archives
from sealstead.identity.places import (
    AmbiguousKeyError,
    FoundKey,
    KeyPlaces,
    NoKeyError,
    Source,
    index_entries,
    read_public,
)
from sealstead.identity.statements import known_keys


def find_by_id(places: KeyPlaces, text: str, *, identity: str | None = None) -> FoundKey:
    """Return the secret key with this id, of `identity` or of any; what is archived comes before what is active.

    Raises:
        KeyIdError: not an id.
        NoKeyError: no secret key here has it.
    """
    parse_key_id(text)
    for found in _all_keys(places, identity):
        if found.public is not None and matches_key_id(text, found.public):
            return found
    raise NoKeyError(
        f"no secret key {text} is in {places.directory.path}", hint="key-list shows what is there"
    )


def find_public(places: KeyPlaces, text: str, profile: Profile | None) -> PublicKey:
    """Return the public key that `text` names: an id, the line of a key, or the path of a `.pub` file.

    Ids are looked up in the profile, the index and the key files.

    Raises:
        AmbiguousKeyError: two keys have that id.
        NoKeyError: nothing here has it.
        KeyIdError: neither an id nor a key.
    """
    try:
        wanted = parse_key_id(text)
    except KeyIdError:
        return _given(text)
    keys = known_keys(profile) if profile is not None else []
    for entry in index_entries(places):
        try:
            keys.append(parse_public_key(entry.public_key))
        except ParseError:
            continue
    keys += [found.public for found in _all_keys(places, None) if found.public is not None]
    fitting = {key for key in keys if matches_key_id(wanted, key)}
    if not fitting:
        raise NoKeyError(
            f"nothing here knows the public key {wanted}",
            hint="give its line from an earlier version of the profile, or its .pub file",
        )
    if len(fitting) > 1:
        raise AmbiguousKeyError(
            f"two keys have the id {wanted}", hint="give the public key itself, 56 characters"
        )
    return fitting.pop()


def _given(text: str) -> PublicKey:
    try:
        return parse_public_key(text)
    except ParseError:
        pass
    path = Path(text)
    if path.is_file() and (public := read_public(path)) is not None:
        return public
    raise KeyIdError(
        f"{text[:60]!r} names no key",
        hint="give the 16 hex digits of its id, its public key, or its .pub file",
    )


def _all_keys(places: KeyPlaces, identity: str | None) -> Iterator[FoundKey]:
    directory = places.directory
    entries = index_entries(places)
    if identity is not None:
        names = [identity]
    else:
        names = list(dict.fromkeys([*directory.identities(), *(entry.identity for entry in entries)]))
    for name in names:
        paths: list[tuple[Source, Path]] = [("archive", path) for path in archives(places, name)]
        for source, path in [*paths, ("disk", directory.secret_path(name))]:
            try:
                blob, warning = directory.load_secret(path)
                file = parse_secret_key(blob)
            except (MissingFileError, KeyUnavailableError, ParseError):
                continue
            told = (entry for entry in entries if directory.path / entry.file == path)
            yield FoundKey(
                identity=name,
                source=source,
                path=path,
                file=file,
                blob=blob,
                public=file.public or _line(next((entry.public_key for entry in told), "")),
                warnings=(warning,) if warning else (),
            )


def _line(text: str) -> PublicKey | None:
    try:
        return parse_public_key(text)
    except ParseError:
        return None
