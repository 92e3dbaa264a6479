from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest
from tests.factories import tar_bytes

from sealstead.server.index.archives.tar_walk import walk_tar_gz
from sealstead.server.index.upload_errors import InvalidArchiveError

MEMBERS = {"top/a.txt": b"first", "top/PKG-INFO": b"x" * 600}


def walk(tmp_path: Path, data: bytes) -> dict[str, bytes | None]:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        return dict(walk_tar_gz(fd, len(data), lambda path: path.endswith("PKG-INFO")))
    finally:
        os.close(fd)


def info(name: str, kind: bytes = tarfile.REGTYPE, **values: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    for key, value in values.items():
        setattr(member, key, value)
    return member


def packed(
    *members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT, **options: object
) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form, **options) as archive:  # type: ignore[call-overload]
        for member, data in members:
            member.size = len(data) if member.isreg() else member.size
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(raw.getvalue())


def raw_tar(data: bytes) -> bytes:
    return gzip.decompress(data)


GOOD = tar_bytes(MEMBERS)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_the_three_formats_pass(tmp_path: Path, form: int) -> None:
    members = [
        (info("top", tarfile.DIRTYPE, mode=0o755), b""),
        *((info(path), data) for path, data in MEMBERS.items()),
    ]
    assert walk(tmp_path, packed(*members, form=form)) == {"top/a.txt": None, "top/PKG-INFO": b"x" * 600}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names_pass(tmp_path: Path, form: int) -> None:
    name = "top/" + "ä" * 150 + "/PKG-INFO"
    assert walk(tmp_path, packed((info(name), b"x"), form=form)) == {name: b"x"}


def test_a_global_comment_passes(tmp_path: Path) -> None:
    # What `git archive` writes.
    data = packed((info("top/a"), b"x"), pax_headers={"comment": "0123abcd"})
    assert walk(tmp_path, data) == {"top/a": None}


def _pax(**records: str) -> bytes:
    return packed((info("top/a", pax_headers=records), b"x" * 10))


def _base256_size() -> bytes:
    block = bytearray(raw_tar(packed((info("top/a"), b"x")))[:512])
    block[124:136] = b"\x80" + (1 << 40).to_bytes(11, "big")
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(block) + bytes(1024))


def _sparse() -> bytes:
    return packed((info("top/s", tarfile.GNUTYPE_SPARSE), b""), form=tarfile.GNU_FORMAT)


def _huge_extension() -> bytes:
    block = bytearray(raw_tar(_pax(path="top/b"))[:512])
    block[124:136] = b"%011o\0" % (1 << 30)
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(block) + bytes(4096))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"not gzip", id="not-gzip"),
        pytest.param(b"", id="empty"),
        pytest.param(GOOD[:-10], id="cut"),
        pytest.param(GOOD + b"x", id="trailing-byte"),
        pytest.param(GOOD + GOOD, id="second-gzip-stream"),
        pytest.param(gzip.compress(b"x" * 1024), id="not-tar"),
        pytest.param(gzip.compress(raw_tar(GOOD)[:700]), id="cut-inside-a-member"),
        pytest.param(gzip.compress(raw_tar(GOOD).rstrip(b"\0")), id="no-end-blocks"),
        pytest.param(gzip.compress(raw_tar(GOOD) + b"x" * 512), id="data-after-the-end"),
        pytest.param(gzip.compress(b"\1" + raw_tar(GOOD)[1:]), id="checksum"),
        pytest.param(tar_bytes({"top/../../evil": b"x"}), id="dot-dot"),
        pytest.param(tar_bytes({"/etc/passwd": b"x"}), id="absolute"),
        pytest.param(tar_bytes({"top\\a": b"x"}), id="backslash"),
        pytest.param(tar_bytes({"top/a\x1b": b"x"}), id="escape"),
        pytest.param(packed((info("top/a"), b"1"), (info("top/a"), b"2")), id="duplicate"),
        pytest.param(packed((info("top/l", tarfile.SYMTYPE, linkname="/etc/passwd"), b"")), id="symlink"),
        pytest.param(packed((info("top/l", tarfile.LNKTYPE, linkname="top/a"), b"")), id="hard-link"),
        pytest.param(packed((info("top/d", tarfile.CHRTYPE), b"")), id="character-device"),
        pytest.param(packed((info("top/d", tarfile.BLKTYPE), b"")), id="block-device"),
        pytest.param(packed((info("top/f", tarfile.FIFOTYPE), b"")), id="fifo"),
        pytest.param(packed((info("top/c", tarfile.CONTTYPE), b"")), id="contiguous"),
        pytest.param(packed((info("top/z", b"Z"), b"")), id="unknown-type"),
        pytest.param(_sparse(), id="gnu-sparse"),
        pytest.param(_pax(**{"GNU.sparse.major": "1", "GNU.sparse.realsize": "99999"}), id="pax-sparse"),
        pytest.param(_pax(path="../evil"), id="pax-path-dot-dot"),
        pytest.param(_pax(path="/evil"), id="pax-path-absolute"),
        pytest.param(_pax(size="99999999999"), id="pax-size"),
        pytest.param(_pax(size="-1"), id="pax-size-negative"),
        pytest.param(packed((info("top/a"), b"x"), pax_headers={"path": "top/evil"}), id="global-path"),
        pytest.param(_base256_size(), id="base-256-size"),
        pytest.param(_huge_extension(), id="huge-extension-header"),
        pytest.param(gzip.compress(bytes(512) + bytes(100 * 1024 * 1024)), id="bomb-after-the-end"),
        pytest.param(packed((info("top/zeros"), bytes(100 * 1024 * 1024))), id="bomb"),
        pytest.param(packed((info("top/PKG-INFO"), bytes(9 * 1024 * 1024))), id="huge-pkg-info"),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidArchiveError, match=r"^Invalid distribution file\. .*\.$") as refused:
        walk(tmp_path, data)
    assert refused.value.code == "invalid-archive"


def block(path: bytes, data: bytes, kind: bytes = b"0", *, gnu: bool = False, prefix: bytes = b"") -> bytes:
    """One member written by hand: `tarfile` writes nothing that readers disagree on."""
    head = bytearray(512)
    head[: len(path)] = path
    head[100:156] = b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % len(data) + b"00000000000\0" + b" " * 8
    head[156:157] = kind
    head[257:265] = b"ustar  \0" if gnu else b"ustar\x0000"
    head[345 : 345 + len(prefix)] = prefix
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + data + bytes(-len(data) % 512)


LONG = block(b"././@LongLink", b"../setup.py\0", b"L", gnu=True)
PAX_OUTSIDE = block(b"pax", b"20 path=../setup.py\n", b"x")
PAX_INSIDE = block(b"pax", b"18 path=top/a.txt\n", b"x")


@pytest.mark.parametrize(
    "data",
    [
        LONG + PAX_INSIDE + block(b"short", b"x"),
        PAX_OUTSIDE + PAX_INSIDE + block(b"short", b"x"),
        LONG + block(b"l", b"top/a.txt\0", b"L", gnu=True) + block(b"short", b"x"),
        block(b"top/a.txt", b"x", gnu=True, prefix=b".."),
        block(b"pax", b"20 path=../setup.py\n" + b"18 path=top/a.txt\n", b"x") + block(b"short", b"x"),
    ],
)
def test_a_member_is_named_once(tmp_path: Path, data: bytes) -> None:
    """Else an installer unpacks a path that nobody has checked."""
    archive = gzip.compress(data + bytes(1024))
    with pytest.raises(InvalidArchiveError):
        walk(tmp_path, archive)
