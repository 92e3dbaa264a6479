"""The kinds of files that can be signed: one row each.

Whose signature goes into the file is told apart by content first and suffix second: a renamed program is one still. The
rows at the end sign any file, with a signature beside it; they are chosen by the profile of the certificate.
A new kind is a module with a `Handler`, and a row.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sealstead.codesign.digested import Handler, TargetUnreadableError
from sealstead.record import Record

AUTHENTICODE, CMS_DETACHED, MINISIGN = "authenticode", "cms-detached", "minisign"
_HEAD_BYTES = 4096


class Kind(Record):
    name: str
    what: str
    """For people."""
    profile: str
    """What the certificate is for."""
    wire: str
    """What the server calls the items."""
    place: str
    """module:attribute of what makes the handler; imported when the first such file comes."""
    suffixes: frozenset[str] = frozenset()
    looks_so: Callable[[bytes], bool] | None = None
    """Whether the first bytes of a file say that it is one, whatever its name."""
    beside: str = ""
    """Suffix of the signature file; empty where the signature goes into the file."""

    @property
    def handler(self) -> Handler:
        return _handler(self.place)


def _is_pe(head: bytes) -> bool:
    at = int.from_bytes(head[0x3C:0x40], "little")
    return head[:2] == b"MZ" and head[at : at + 4] == b"PE\0\0"


KINDS = (
    Kind(
        name="pe",
        what="Windows program",
        profile=AUTHENTICODE,
        wire="pe",
        place="sealstead.codesign.kind_pe:PeHandler",
        suffixes=frozenset((".exe", ".dll", ".sys", ".efi", ".pyd", ".ocx", ".scr", ".cpl", ".drv", ".mui")),
        looks_so=_is_pe,
    ),
    Kind(
        name="powershell",
        what="PowerShell file",
        profile=AUTHENTICODE,
        wire="powershell",
        place="sealstead.codesign.kind_powershell:PowerShellHandler",
        suffixes=frozenset((".ps1", ".psm1", ".psd1", ".ps1xml", ".cdxml")),
    ),
    Kind(
        name="cms",
        what="file with a detached signature",
        profile=CMS_DETACHED,
        wire="file",
        place="sealstead.codesign.kinds:cms_handler",
        beside=".p7s",
    ),
    Kind(
        name="minisign",
        what="file with a minisign signature",
        profile=MINISIGN,
        wire="file",
        place="sealstead.codesign.kinds:minisign_handler",
        beside=".minisig",
    ),
)


def kind_of(path: Path) -> Kind | None:
    """Return the kind whose signature goes into this file, None if we know none.

    Raises:
        TargetUnreadableError: the file cannot be read.
    """
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(_HEAD_BYTES)
    except OSError as exc:
        raise TargetUnreadableError(f"{path} cannot be read: {exc.strerror}") from exc
    embedded = [kind for kind in KINDS if not kind.beside]
    by_content = (kind for kind in embedded if kind.looks_so is not None and kind.looks_so(head))
    by_name = (kind for kind in embedded if path.suffix.lower() in kind.suffixes)
    return next(by_content, None) or next(by_name, None)


def detached_kind(profile: str) -> Kind | None:
    """Return the kind that signs any file with a certificate of this profile."""
    return next((kind for kind in KINDS if kind.beside and kind.profile == profile), None)


def is_signature_of(path: Path) -> Path | None:
    """Return the file beside which `path` stands as its signature, None if it is none."""
    if path.suffix.lower() not in {kind.beside for kind in KINDS if kind.beside}:
        return None
    content = path.with_suffix("")
    return content if content.is_file() else None


def cms_handler() -> Handler:
    from sealstead.codesign.kind_detached import DetachedHandler
    from sealstead.formats.cms import parse_signed_data

    return DetachedHandler(".p7s", parse_signed_data)


def minisign_handler() -> Handler:
    from sealstead.codesign.kind_detached import DetachedHandler
    from sealstead.formats.minisign import parse_signature

    return DetachedHandler(".minisig", parse_signature)


@cache
def _handler(place: str) -> Handler:
    module, _, name = place.partition(":")
    made: Handler = getattr(importlib.import_module(module), name)()
    return made
