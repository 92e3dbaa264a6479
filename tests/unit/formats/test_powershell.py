"""Signed PowerShell texts: encodings, line ends, and what may not stand beside a signature."""

from __future__ import annotations

import hashlib

import pytest

from sealstead.formats.powershell import (
    MAX_BYTES,
    SUFFIXES,
    MalformedScriptSignatureError,
    NotPowerShellError,
    Script,
    ScriptEncodingError,
    UnsignedScriptTailError,
    digest_input,
    hash_script,
    parse_script,
    with_signature,
)

SIGNATURE = bytes(range(256)) * 3
TEXT = "Write-Host 'äöü €'\r\n"

ENCODED = {
    "utf-8": TEXT.encode(),
    "utf-8-sig": b"\xef\xbb\xbf" + TEXT.encode(),
    "utf-16-le": b"\xff\xfe" + TEXT.encode("utf-16-le"),
    "utf-16-be": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "cp1252": TEXT.encode("cp1252"),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_the_text_is_hashed_as_utf_16(encoding: str) -> None:
    script = parse_script(ENCODED[encoding], ".PS1")
    mark = "\ufeff" if encoding in ("utf-8-sig", "utf-16-le", "utf-16-be") else ""
    assert (script.encoding, script.suffix) == (encoding, ".ps1")
    assert digest_input(script) == (mark + TEXT).encode("utf-16-le")
    assert hash_script(script, "SHA384") == hashlib.sha384((mark + TEXT).encode("utf-16-le")).digest()


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
@pytest.mark.parametrize("end", ["\r\n", "\n", "", "\r\n\r\n", "\r"])
def test_a_signature_goes_in_and_comes_out(encoding: str, suffix: str, end: str) -> None:
    one = parse_script(ENCODED[encoding], suffix)
    ending = end.encode("utf-16-le" if "16-le" in encoding else "utf-16-be" if "16" in encoding else "ascii")
    data = one.text + ending
    unsigned = parse_script(data, suffix)
    signed = with_signature(unsigned, SIGNATURE)
    again = parse_script(signed, suffix)
    assert (again.text, again.signature, again.encoding) == (data, SIGNATURE, unsigned.encoding)
    assert digest_input(again) == digest_input(unsigned)
    assert with_signature(again, b"other") == with_signature(unsigned, b"other")


def test_the_block_looks_as_windows_writes_it() -> None:
    signed = with_signature(parse_script(b"a\n", ".ps1"), bytes(60))
    assert signed == (
        b"a\n\r\n# SIG # Begin signature block\r\n# " + b"A" * 64 + b"\r\n# " + b"A" * 16 + b"\r\n"
        b"# SIG # End signature block\r\n"
    )
    xml = with_signature(parse_script(b"<a/>", ".ps1xml"), b"x")
    assert xml == (
        b"<a/>\r\n<!-- SIG # Begin signature block -->\r\n<!-- eA== -->\r\n<!-- SIG # End signature block -->\r\n"
    )


def test_line_ends_that_a_version_control_changed() -> None:
    signed = with_signature(parse_script(b"a\nb\n", ".ps1"), SIGNATURE).replace(b"\r\n", b"\n")
    again = parse_script(signed, ".ps1")
    assert (again.text, again.signature) == (b"a\nb\n", SIGNATURE)


def test_suffixes_of_others() -> None:
    for suffix in ("", ".py", ".ps2", "ps1", ".mof"):
        with pytest.raises(NotPowerShellError):
            parse_script(b"a", suffix)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfea", b"\xef\xbb\xbf\xff", b"\xfe\xff\x00", b"\xef\xbb\xbfa\xc3"],
)
def test_a_text_that_is_not_what_it_says(data: bytes) -> None:
    with pytest.raises(ScriptEncodingError):
        parse_script(data, ".ps1")


def test_a_script_is_held_in_memory_and_so_bounded() -> None:
    with pytest.raises(ScriptEncodingError):
        parse_script(b"a" * (MAX_BYTES + 1), ".ps1")


def test_two_different_files_never_hash_the_same() -> None:
    """A decoder that replaces what it cannot read would let one character stand for many."""
    digests = {
        digest_input(parse_script(b"x = '" + bytes([byte]) + b"'", ".ps1")) for byte in range(0x80, 0x100)
    }
    assert len(digests) == 0x80


def signed(body: bytes = b"a\r\n") -> bytes:
    return with_signature(parse_script(body, ".ps1"), SIGNATURE)


@pytest.mark.parametrize("tail", [b"Remove-Item /\r\n", b"# comment\r\n", b"\0", b"\r\n\r\nx"])
def test_nothing_runs_behind_the_signature(tail: bytes) -> None:
    with pytest.raises(UnsignedScriptTailError):
        parse_script(signed() + tail, ".ps1")


def test_blank_lines_behind_the_signature_are_let_be() -> None:
    assert parse_script(signed() + b"\r\n \t\r\n", ".ps1").signature == SIGNATURE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"# AAEC", b"AAEC"),
        (b"# AAEC", b"evil\r\n# AAEC"),
        (b"# AAEC", b"#AAEC"),
        (b"# AAEC", b"# AA EC"),
        (b"# AAEC", b"# \xe4AEC"),
        (b"# SIG # End signature block\r\n", b""),
        (b"Begin signature block\r\n", b"Begin signature block; evil\r\n"),
        (b"# AAEC", b"\r\n# AAEC"),
        (b"\r\n# SIG # End", b"=\r\n# SIG # End"),
    ],
)
def test_nothing_else_stands_in_the_block(old: bytes, new: bytes) -> None:
    data = signed()
    assert old in data
    with pytest.raises(MalformedScriptSignatureError):
        parse_script(data.replace(old, new, 1), ".ps1")


def test_a_second_signature_is_a_line_that_follows() -> None:
    with pytest.raises(UnsignedScriptTailError):
        parse_script(signed() + signed(), ".ps1")


@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf"])
def test_a_file_that_is_nothing_but_signature(body: bytes) -> None:
    block = signed()[3:]
    for start in (block, block[2:]):
        with pytest.raises(MalformedScriptSignatureError, match="nothing"):
            parse_script(body + start, ".ps1")


def test_the_marker_inside_a_line_is_text() -> None:
    body = b"$x = '# SIG # Begin signature block'\r\n"
    assert parse_script(body, ".ps1") == Script(suffix=".ps1", encoding="utf-8", text=body, signature=None)
