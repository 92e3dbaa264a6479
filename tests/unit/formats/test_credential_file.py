from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealstead.errors import SealsteadError
from sealstead.formats.credential_file import (
    DEFAULT_NAME,
    MAX_BYTES,
    CredentialFileError,
    FileKind,
    NotDotenvError,
    OtherVariablesError,
    TwoKeysError,
    VariableNameError,
    check_name,
    check_replaceable,
    merge_dotenv,
    parse_credential,
    serialize_plain,
)

KEY = "seal_0123456789ab_" + "S" * 43 + "_abcdef"


@pytest.mark.parametrize(
    "data",
    [
        KEY.encode(),
        f"{KEY}\n".encode(),
        f"{KEY}\r\n".encode(),
        f"\ufeff{KEY}\r\n".encode(),
        f"\n\n  {KEY}\t\n\n".encode(),
        f"# from the web page\n{KEY}\n".encode(),
        f"\ufeff{KEY}\r\n".encode("utf-16-le"),
        f"\ufeff{KEY}\n".encode("utf-16-be"),
        f"{KEY}\n{KEY}\n".encode(),
        f'"{KEY}"\r\n'.encode(),
        f"'{KEY}'\n".encode(),
    ],
)
def test_a_key_alone(data: bytes) -> None:
    assert parse_credential(data) == (KEY, FileKind.PLAIN)


@pytest.mark.parametrize(
    "line",
    [
        f"SIGNOTAUR_API_KEY={KEY}",
        f"export SIGNOTAUR_API_KEY={KEY}",
        f"  export   SIGNOTAUR_API_KEY = {KEY}  ",
        f'SIGNOTAUR_API_KEY="{KEY}"',
        f"SIGNOTAUR_API_KEY='{KEY}'",
        f"SIGNOTAUR_API_KEY={KEY}  # of build 7",
        f'SIGNOTAUR_API_KEY="{KEY}"  # of build 7',
        f"\ufeffSIGNOTAUR_API_KEY={KEY}",
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_dotenv_line(line: str, end: str) -> None:
    assert parse_credential((line + end).encode()) == (KEY, FileKind.DOTENV)
    among = f"A=1{end or chr(10)}# note{end or chr(10)}{line.lstrip(chr(0xFEFF))}{end or chr(10)}B='x y'{end}"
    assert parse_credential(among.encode()) == (KEY, FileKind.DOTENV)


def test_the_name_chooses_the_variable() -> None:
    data = b"SIGNOTAUR_API_KEY=one\nOTHER=two\n"
    assert parse_credential(data, name="OTHER").text == "two"
    with pytest.raises(CredentialFileError, match="does not set THIRD, but OTHER, SIGNOTAUR_API_KEY"):
        parse_credential(data, name="THIRD")


def test_a_key_of_base64_is_no_assignment() -> None:
    assert parse_credential(b"c2VjcmV0IGtleQ==\n") == ("c2VjcmV0IGtleQ==", FileKind.PLAIN)


def test_a_commented_key_is_none() -> None:
    with pytest.raises(CredentialFileError):
        parse_credential(b"#SIGNOTAUR_API_KEY=old\n")
    assert parse_credential(b"#SIGNOTAUR_API_KEY=old\nSIGNOTAUR_API_KEY=new\n").text == "new"


@pytest.mark.parametrize(
    "data",
    [b"one\ntwo\n", b"SIGNOTAUR_API_KEY=one\nSIGNOTAUR_API_KEY=two\n", b"A=1\nlonely\n"],
)
def test_two_keys_are_refused(data: bytes) -> None:
    with pytest.raises(TwoKeysError) as refused:
        parse_credential(data)
    assert "lonely" not in refused.value.message


def test_the_same_twice_is_one() -> None:
    assert parse_credential(b"SIGNOTAUR_API_KEY=one\nexport SIGNOTAUR_API_KEY='one'\n").text == "one"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\r\n  \n",
        b"# nothing\n",
        b"\xff\xfe\x00",
        b"\xfe\xed\xfa\xce",
        b"ab\x00cd",
        b"SIGNOTAUR_API_KEY=\n",
        b"SIGNOTAUR_API_KEY=''\n",
        b"SIGNOTAUR_API_KEY=# nothing\n",
        b"SIGNOTAUR_API_KEY='open\n",
        b"SIGNOTAUR_API_KEY='a'b\n",
        b"SIGNOTAUR_API_KEY='a\tb'\n",
        b"a key with\ttabs\n",
        b"x" * (MAX_BYTES + 1),
    ],
)
def test_no_key(data: bytes) -> None:
    with pytest.raises(CredentialFileError):
        parse_credential(data)


def test_no_message_repeats_a_key() -> None:
    for data in (
        f"{KEY}\nx{KEY}\n",
        f"{DEFAULT_NAME}='{KEY}\n",
        f"{DEFAULT_NAME}={KEY}\n{DEFAULT_NAME}=x{KEY}",
    ):
        with pytest.raises(SealsteadError) as refused:
            parse_credential(data.encode())
        assert KEY not in f"{refused.value.message}{refused.value.hint}"


def test_merging_keeps_every_other_line() -> None:
    before = b"\xef\xbb\xbf# settings\r\nA=1\r\n  export  SIGNOTAUR_API_KEY = 'old'\r\nB=\"x\r\ny\"\r\nodd line\r\n\r\nC=3"
    assert merge_dotenv(before, DEFAULT_NAME, KEY) == before.replace(
        b"  export  SIGNOTAUR_API_KEY = 'old'", f"export SIGNOTAUR_API_KEY={KEY}".encode()
    )


def test_merging_adds_the_variable_at_the_end() -> None:
    assert merge_dotenv(None, DEFAULT_NAME, KEY) == f"SIGNOTAUR_API_KEY={KEY}\n".encode()
    assert merge_dotenv(b"A=1", DEFAULT_NAME, KEY) == f"A=1\nSIGNOTAUR_API_KEY={KEY}\n".encode()
    assert merge_dotenv(b"A=1\r\n", DEFAULT_NAME, KEY) == f"A=1\r\nSIGNOTAUR_API_KEY={KEY}\r\n".encode()


def test_merging_leaves_one_line_of_several() -> None:
    assert merge_dotenv(b"K=1\nA=2\nK=3\n", "K", "new") == b"K=new\nA=2\n"


def test_a_variable_within_quotes_of_another_is_text() -> None:
    before = b"NOTE='first\nK=not ours\n'\n"
    assert merge_dotenv(before, "K", "new") == before + b"K=new\n"
    with pytest.raises(CredentialFileError):
        parse_credential(before, name="K")


def test_a_key_file_is_not_merged_into() -> None:
    with pytest.raises(NotDotenvError):
        merge_dotenv(f"{KEY}\n".encode(), DEFAULT_NAME, "new")


def test_a_dotenv_file_with_more_in_it_is_not_replaced_by_a_key() -> None:
    with pytest.raises(OtherVariablesError, match="sets A too"):
        check_replaceable(b"SIGNOTAUR_API_KEY=x\nA=1\n")
    check_replaceable(b"SIGNOTAUR_API_KEY=x\n")
    check_replaceable(f"{KEY}\n".encode())
    check_replaceable(b"\x00\xff")


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=B", "A\nB", "Ä"])
def test_names_that_no_shell_could_set(name: str) -> None:
    with pytest.raises(VariableNameError):
        check_name(name)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_key_or_a_typed_refusal(data: bytes) -> None:
    try:
        found = parse_credential(data)
    except SealsteadError:
        return
    assert found.text
    assert found.text.isprintable()


_KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=50).filter(
    lambda key: key == key.strip()
)
_LINES = st.lists(
    st.sampled_from(["A=1", "# x", "", "export B='q'", 'C="two', 'end"', "odd", "K=old", "export K='o'"]),
    max_size=6,
)


@given(key=_KEYS, lines=_LINES, end=st.sampled_from(["\n", "\r\n"]))
def test_what_is_merged_is_read_back(key: str, lines: list[str], end: str) -> None:
    before = end.join(lines).encode()
    try:
        after = merge_dotenv(before, "K", key)
    except (NotDotenvError, CredentialFileError):
        return
    assert parse_credential(after, name="K").text == key
    assert merge_dotenv(after, "K", key) == after


@given(key=_KEYS)
def test_what_is_written_alone_is_read_back(key: str) -> None:
    try:
        assert parse_credential(serialize_plain(key)).text == key
    except CredentialFileError:
        assert key.startswith("#") or "=" in key
