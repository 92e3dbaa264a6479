"""Find a profile on this machine, and put a changed text in its place.

`source` is what people give a command: a TOML file, a directory, or the name of an installed distribution that ships
a profile. Reading never writes. A symbolic link is followed once, so that what is replaced is the file it names.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from sealstead.custody.files import replace_content
from sealstead.errors import ConflictError, InputError, ParseError
from sealstead.formats.profile_schema import Profile
from sealstead.formats.profile_toml import (
    MAX_BYTES,
    PYPROJECT_TABLE,
    ProfileWarning,
    decode,
    parse_profile,
    parse_toml,
)

PROFILE_NAME = "pypi_profile.toml"
PYPROJECT_NAME = "pyproject.toml"


class NoProfileError(InputError):
    """There is no profile where one was looked for."""

    code = "no-profile"


class ProfileUnreadableError(InputError):
    """The file is there and cannot be read or written."""

    code = "profile-unreadable"


class ProfileShadowedError(ConflictError):
    """A new profile would take the place of the one in pyproject.toml, which is there still and counts no more."""

    code = "profile-shadowed"


class ProfileChangedError(ConflictError):
    """Somebody else wrote the file since it was read; it is left as it is."""

    code = "profile-changed"


class ProfileFile(NamedTuple):
    """A profile as it was read. `path` is the file itself, whatever link led to it; `name` is as it was asked for."""

    path: Path
    name: str
    table: str
    data: bytes
    profile: Profile
    warnings: tuple[ProfileWarning, ...]
    installed: bool = False

    @property
    def text(self) -> str:
        return self.data.decode()


def find_profile(source: str | None, cwd: Path) -> ProfileFile:
    """Return the profile that `source` names, or without one the profile in `cwd`.

    Raises:
        NoProfileError: there is none.
        ProfileUnreadableError: there is one, and the system does not let us read it.
        ProfileError: it is no TOML, or not of the schema.
    """
    if source is None:
        found = find_local(cwd)
        if found is None:
            raise NoProfileError(
                f"there is no {PROFILE_NAME} here, and no [{PYPROJECT_TABLE}] in a {PYPROJECT_NAME}",
                hint="pypi-profile init writes one",
            )
        return found
    place = cwd / source
    if place.is_dir():
        found = _in_directory(place, source)
        if found is None:
            raise NoProfileError(
                f"{source} holds no {PROFILE_NAME} and no {PYPROJECT_NAME} with [{PYPROJECT_TABLE}]"
            )
        return found
    if place.exists() or place.suffix == ".toml" or "/" in source or "\\" in source:
        return _read(place, source, PYPROJECT_TABLE if place.name == PYPROJECT_NAME else "")
    return _of_distribution(source)


def find_local(cwd: Path) -> ProfileFile | None:
    """Return the profile in `cwd`, if there is one.

    Raises:
        ProfileUnreadableError, ProfileError: as `find_profile`. A broken profile is not taken for none, or the
            wrong key would be used without a word.
    """
    return _in_directory(cwd, "")


def save_profile(file: ProfileFile, text: str) -> ProfileFile:
    """Put `text` in the place of the file that was read, whole or not at all; mode and owner stay.

    Raises:
        ProfileChangedError: it is not what was read any more.
        ProfileBusyError: another command is writing it.
        ProfileUnreadableError: the system does not let us write it, or it belongs to an installed distribution.
    """
    if file.installed:
        raise ProfileUnreadableError(
            f"{file.path} belongs to the installed distribution {file.name}",
            hint="change the source that it is built from",
        )
    data = text.encode()
    profile, warnings = parse_profile(data, table=file.table, source=file.name)
    from sealstead.identity.profile_lock import profile_lock

    with profile_lock(file.path):
        if _bytes_of(file.path, file.name) != file.data:
            raise ProfileChangedError(f"{file.name} was changed meanwhile", hint="run the command again")
        try:
            replace_content(file.path, data)
        except OSError as exc:
            raise ProfileUnreadableError(f"{file.name} cannot be written: {exc.strerror}") from exc
    return file._replace(data=data, profile=profile, warnings=tuple(warnings))


def _in_directory(directory: Path, shown: str) -> ProfileFile | None:
    own = directory / PROFILE_NAME
    pyproject = directory / PYPROJECT_NAME
    own_there = own.exists() or own.is_symlink()
    if own_there:
        found = _read(own, _joined(shown, PROFILE_NAME), "")
        if not has_table(pyproject):
            return found
        both = ProfileWarning(
            f"{found.name} is used; [{PYPROJECT_TABLE}] in {_joined(shown, PYPROJECT_NAME)} is not",
            "keep one of them",
            0,
            0,
        )
        return found._replace(warnings=(both, *found.warnings))
    if has_table(pyproject):
        return _read(pyproject, _joined(shown, PYPROJECT_NAME), PYPROJECT_TABLE)
    return None


def _joined(shown: str, name: str) -> str:
    return str(Path(shown) / name) if shown else name


def has_table(pyproject: Path) -> bool:
    """Say whether a pyproject.toml is for us too; one that never mentions us may be as broken as it likes.

    Raises:
        ProfileUnreadableError, ProfileError: it mentions us, and cannot be read.
    """
    if not pyproject.is_file():
        return False
    data = _bytes_of(pyproject, pyproject.name)
    if b"pypi-profile" not in data:
        return False
    document = parse_toml(decode(data, source=pyproject.name), source=pyproject.name)
    tool = document.get("tool")
    return isinstance(tool, dict) and "pypi-profile" in tool


def _read(path: Path, name: str, table: str, *, installed: bool = False) -> ProfileFile:
    try:
        target = path.resolve(strict=True)
    except FileNotFoundError as exc:
        raise NoProfileError(f"{name} does not exist", hint=_instead_of(path)) from exc
    except (OSError, RuntimeError) as exc:  # a link to itself is a RuntimeError before Python 3.13
        raise ProfileUnreadableError(f"{name} cannot be read: {exc}") from exc
    data = _bytes_of(target, name)
    profile, warnings = parse_profile(data, table=table, source=name)
    return ProfileFile(target, name, table, data, profile, tuple(warnings), installed)


def _instead_of(path: Path) -> str:
    with contextlib.suppress(InputError, ParseError):
        if path.name == PROFILE_NAME and has_table(path.with_name(PYPROJECT_NAME)):
            return f"the profile there is [{PYPROJECT_TABLE}] in {PYPROJECT_NAME}: name that file"
    return "pypi-profile init writes one"


def _bytes_of(path: Path, name: str) -> bytes:
    if not path.is_file():  # a pipe would hold us for ever
        raise ProfileUnreadableError(f"{name} is not a regular file")
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ProfileUnreadableError(f"{name} cannot be read: {exc.strerror}") from exc


def _of_distribution(name: str) -> ProfileFile:
    import importlib.metadata

    try:
        distribution = importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        raise NoProfileError(
            f"{name} is neither a file nor a directory nor an installed distribution",
            hint=f"without a name, the profile in this directory counts: {PROFILE_NAME} or {PYPROJECT_NAME}",
        ) from None
    for file in distribution.files or ():
        if file.name == PROFILE_NAME:
            return _read(Path(str(distribution.locate_file(file))), name, "", installed=True)
    raise NoProfileError(f"the distribution {name} ships no {PROFILE_NAME}")
