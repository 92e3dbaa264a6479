"""Which files a command is about: names, patterns, exclusions and lists of them.

Rules:
  * `*` and `?` stand for characters within a name, `**` for any number of directories; everything else is literal. A
    name that exists is taken as it is, whatever characters it has;
  * wildcards do not match a name that begins with a dot unless the pattern's part does, and do not follow symbolic links
    to directories: a loop ends, and nothing outside of what was named is signed;
  * `!` before a pattern takes files away again, a bare name wherever it occurs; exclusions alone name nothing;
  * each file comes once, whatever names lead to it, in the order in which it was named;
  * a name or pattern that leads to no file is an error: a pipeline must not think that it signed something.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from sealstead.errors import InputError
from sealstead.record import Record

MAX_LIST_BYTES = 64 << 20


class NoTargetsError(InputError):
    """A name or a pattern leads to no file."""

    code = "no-files"


class FileListError(InputError):
    """The list of files cannot be read."""

    code = "file-list"


class Target(Record):
    """`name` is how the file was called, `path` where it is: links are followed, for a rename would replace them."""

    name: str
    path: Path


def find_targets(
    patterns: Sequence[str], *, base: Path | None = None, missing: list[str] | None = None
) -> list[Target]:
    """Return the files that `patterns` name, relative to `base`.

    `missing` takes the names that lead nowhere, where the caller wants to go on without them.

    Raises:
        NoTargetsError: a name or pattern leads to no file, or there are exclusions alone.
    """
    included = [pattern for pattern in patterns if not pattern.startswith("!")]
    excluded = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if not included:
        raise NoTargetsError(
            "only exclusions were given" if excluded else "no file was named",
            hint="name the files first, then what to leave out: 'dist/**' '!dist/**/*.txt'",
        )
    root = os.path.abspath(base or os.curdir)
    leave_out = [_exclusion(pattern, root) for pattern in excluded]
    found: dict[str, Target] = {}
    for pattern in included:
        names = list(_expand(pattern, root))
        if not names:
            if missing is None:
                raise _nothing(pattern, root)
            missing.append(pattern)
        for name in names:
            full = os.path.normpath(os.path.join(root, name))
            if not any(one.fullmatch(os.path.normcase(full)) for one in leave_out):
                real = os.path.realpath(full)
                found.setdefault(os.path.normcase(real), Target(name=name, path=Path(real)))
    if not found and not missing:
        raise NoTargetsError("the exclusions leave no file", hint="check the patterns that begin with !")
    return list(found.values())


def read_file_list(path: Path, *, encoding: str = "utf-8") -> list[str]:
    """Return the names and patterns of a list, one in each line; blank lines count for nothing.

    A byte order mark says what the encoding is, whatever `encoding` says.

    Raises:
        FileListError: it cannot be read, or is not of that encoding.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_LIST_BYTES + 1)
    except OSError as exc:
        raise FileListError(f"{path} cannot be read: {exc.strerror}") from exc
    if len(content) > MAX_LIST_BYTES:
        raise FileListError(f"{path} is no list of files: it has more than {MAX_LIST_BYTES >> 20} MB")
    for mark, named in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            content, encoding = content[len(mark) :], named
            break
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as exc:
        raise FileListError(
            f"{path} is not {encoding} text",
            hint="name its encoding: --encoding UTF16, --encoding CodePage1252",
        ) from exc
    if "\0" in text:
        raise FileListError(f"{path} is no list of files: it holds a zero byte")
    return [line for raw in re.split("[\r\n]", text) if (line := raw.strip())]


def _nothing(pattern: str, root: str) -> NoTargetsError:
    if not pattern.strip():
        # A variable without a value, most likely; the base directory with all in it was not meant.
        return NoTargetsError(
            "one of the names of files is empty", hint="look at the variables in the command"
        )
    if os.path.isdir(os.path.join(root, pattern)):
        return NoTargetsError(
            f"{pattern} is a directory", hint=f"name the files in it: '{pattern.rstrip('/')}/**'"
        )
    if _is_pattern(pattern):
        return NoTargetsError(f"no file matches {pattern}", hint="** also looks in directories below")
    if os.path.lexists(os.path.join(root, pattern)):
        return NoTargetsError(f"{pattern} is no regular file")
    hint = None
    if re.fullmatch(r"/\w{1,12}", pattern):
        hint = f"options begin with dashes here, not with a slash: --{pattern[1:]}"
    elif pattern.startswith("#"):
        hint = "a list of files knows no comments"
    return NoTargetsError(f"{pattern} does not exist", hint=hint)


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _expand(pattern: str, root: str) -> Iterator[str]:
    whole = os.path.join(root, pattern)
    if _is_regular(whole):
        yield pattern
    elif _is_pattern(pattern):
        parts = [part for part in re.split(_SEPARATORS, pattern) if part not in ("", ".")]
        drive, rest = os.path.splitdrive(pattern)
        absolute = rest[:1] in _SEPARATOR_CHARACTERS and rest != ""
        start = (drive + os.sep) if absolute else drive
        if drive and parts and parts[0] == drive:
            parts = parts[1:]
        yield from sorted(set(_walk(start, parts, root)))


def _walk(place: str, parts: Sequence[str], root: str) -> Iterator[str]:
    """Yield the files below `place` whose names match `parts`; what cannot be looked at holds nothing for us."""
    head, rest = parts[0], parts[1:]
    if head == "**":
        # At the end it means every file below; in between, also no directory at all.
        yield from _walk(place, rest or ["*"], root)
        for entry in _entries(place, root, "*"):
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(os.path.join(place, entry.name), parts, root)
        return
    if _is_pattern(head):
        found = [os.path.join(place, entry.name) for entry in _entries(place, root, head)]
    else:
        found = [os.path.join(place, head)]
    for path in found:
        if rest:
            yield from _walk(path, rest, root)
        elif _is_regular(os.path.join(root, path)):
            yield path


def _entries(place: str, root: str, pattern: str) -> list[os.DirEntry[str]]:
    matcher = _part(os.path.normcase(pattern))
    try:
        with os.scandir(os.path.join(root, place)) as entries:
            found = [entry for entry in entries if matcher.fullmatch(os.path.normcase(entry.name))]
    except OSError:
        return []
    hidden = pattern.startswith(".")
    return sorted((entry for entry in found if hidden or entry.name[0] != "."), key=lambda entry: entry.name)


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


_SEPARATOR_CHARACTERS = os.sep + (os.altsep or "")
_SEPARATORS = f"[{re.escape(_SEPARATOR_CHARACTERS)}]"


@lru_cache(maxsize=256)
def _part(text: str) -> re.Pattern[str]:
    """Return what matches one name; within one, `**` is no more than `*`."""
    one = f"[^{re.escape(_SEPARATOR_CHARACTERS)}]"
    return re.compile(
        "".join(
            f"{one}*" if piece.startswith("*") else one if piece == "?" else re.escape(piece)
            for piece in re.split(r"(\*+|\?)", text)
        )
    )


def _exclusion(pattern: str, root: str) -> re.Pattern[str]:
    """Return what matches the whole paths that an exclusion takes away; a directory takes along all that is in it."""
    if not re.search(_SEPARATORS, pattern):
        pattern = os.path.join("**", pattern)  # a bare name is meant wherever it occurs
    *parts, last = os.path.normcase(os.path.normpath(os.path.join(root, pattern))).split(os.sep)
    separator, name = re.escape(os.sep), f"[^{re.escape(os.sep)}]+"
    text = "".join(
        f"(?:{name}{separator})*" if part == "**" else _part(part).pattern + separator for part in parts
    )
    text += ".*" if last == "**" else _part(last).pattern
    return re.compile(f"{text}(?:{separator}.*)?", re.DOTALL)
