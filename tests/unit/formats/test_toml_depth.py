from __future__ import annotations

import time

import pytest

from sealstead.formats.profile_toml import ProfileError, parse_profile
from sealstead.formats.toml_depth import MAX_DEPTH, MAX_PARTS, find_too_deep

LONG = ".".join(["a"] * 20_000)


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} = 1",
        f"[{LONG}]",
        f"x = {{ {LONG} = 1 }}",
        "\t.\t".join(["a", "'b'", '"c\\""'] * 4_000) + " = 1",
        "x = " + "[" * 300_000,
    ],
)
def test_a_key_without_end_takes_no_time(text: str) -> None:
    before = time.process_time()
    with pytest.raises(ProfileError, match=r"my.toml:2:\d+: not TOML that is read"):
        parse_profile(f"#\n{text}\n".encode(), source="my.toml")
    assert time.process_time() - before < 10


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * MAX_PARTS) + " = 1",
        "x = " + "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        f'x = "{LONG}"',
        f"x = '{LONG}'  # {LONG}",
        f'x = """\n"" \\""" {LONG}"""""',
        f"x = '''\n'' {LONG}'''",
        "x = [1.5, 1979-05-27T07:32:00.999]\n" * 100,
        "[[a]]\n" * 100,
    ],
)
def test_texts_that_are_long_are_not_nested(text: str) -> None:
    assert find_too_deep(text) is None


@pytest.mark.parametrize(
    "text", ['"""\\' * 50_000, '"\\' * 50_000, "'" * 99_999, '"' * 99_999, "a " * 99_999]
)
def test_no_text_is_looked_at_twice(text: str) -> None:
    before = time.process_time()
    assert find_too_deep(text) is None
    assert time.process_time() - before < 10
