"""Lines, comments and key ids of minisign files."""

from __future__ import annotations

import pytest

from sealstead.formats import minisign_text as text


def test_a_key_id_is_shown_as_minisign_shows_it() -> None:
    # minisign 0.11 printed this id for a key whose file holds these bytes.
    assert text.shown_key_id(bytes.fromhex("1dce90e804a1c2af")) == "AFC2A104E890CE1D"
    assert text.shown_key_id(bytes.fromhex("e84454bbee7bbf0c")) == "0CBF7BEEBB5444E8"


@pytest.mark.parametrize(
    "typed", ["0CBF7BEEBB5444E8", "0cbf7beebb5444e8", "CBF7BEEBB5444E8", " 0x0CBF7BEEBB5444E8\n"]
)
def test_a_key_id_may_be_typed_in_either_case_and_without_zeros_in_front(typed: str) -> None:
    assert text.parse_key_id(typed) == "0CBF7BEEBB5444E8"


@pytest.mark.parametrize("typed", ["", "0x", "xyz", "0CBF7BEEBB5444E80", "\uff10" * 16, "-1"])
def test_what_is_no_key_id_is_refused(typed: str) -> None:
    with pytest.raises(text.KeyIdError) as caught:
        text.parse_key_id(typed)
    assert caught.value.code == "key-id"


@pytest.mark.parametrize("line", ["QQ=", "QQ", "QR==", "QQ==\n", " QQ==", "QQ==QQ==", "Q-==", "\u00e9"])
def test_one_value_has_one_text(line: str) -> None:
    with pytest.raises(text.MinisignFormatError):
        text.decode_line(line, "it")
    assert text.decode_line("QQ==", "it") == b"A"


@pytest.mark.parametrize("comment", ["a\nb", "\x1b[2J", "\x7f", "\x9b31m", "\ud800", "x" * 1025])
def test_a_comment_cannot_leave_its_line_or_steer_a_terminal(comment: str) -> None:
    with pytest.raises(text.CommentError) as caught:
        text.check_comment(comment, 1024)
    assert caught.value.code == "minisign-comment"


def test_a_comment_may_have_a_tab_and_any_language() -> None:
    assert text.check_comment("t\u00e9st\t\u65e5\u672c", 1024)


def test_line_ends_of_other_systems_are_read() -> None:
    assert text.text_lines(b"a\r\nb\r\n\r\n", "it") == ["a", "b"]
    assert text.text_lines("a\u2028b\n".encode(), "it") == ["a\u2028b"]
