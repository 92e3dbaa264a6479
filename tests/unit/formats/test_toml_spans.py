from __future__ import annotations

import tomllib

import pytest

from sealstead.formats.toml_spans import line_and_column, scan

DOCUMENT = '''\
# a comment with "quotes" and [brackets]
top = 1 # = "x"
a."b.c" . 'd' = """
[not.a.table]
x = "y" ""\\"""""
dates = [1979-05-27 07:32:00, 1979-05-27T07:32:00Z, 07:32:00] # ]
[[rows]]
text = 'C:\\' # '
  [rows.inner]
  list = [
    "]", # "]
    [ { a = '}', b.c = true }, {} ],
  ]
[other."quoted key"]
x = \'\'\'it''s\'\'\'
[[rows]]
text = """a ""quoted"" word"""
[[rows.deep]]
n = -1e3
[[rows.deep]]
n = inf'''


def value_at(path: tuple[str | int, ...]) -> object:
    found: object = tomllib.loads(DOCUMENT)
    for name in path:
        found = found[name]  # type: ignore[index]
    return found


def test_every_span_holds_the_value_of_its_path() -> None:
    spans = scan(DOCUMENT)
    assert len(spans.values) > 15
    for path, span in spans.values.items():
        text = DOCUMENT[span.start : span.end]
        assert tomllib.loads(f"x = {text}")["x"] == value_at(path), path


def test_every_key_of_the_document_has_a_span_or_a_section() -> None:
    spans = scan(DOCUMENT)

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        inner = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for name, each in inner:
            walk(each, (*path, name))
        assert any(where[: len(path)] == path for where in (*spans.values, *spans.sections)), path

    walk(tomllib.loads(DOCUMENT), ())


def test_sections_end_after_their_own_last_value() -> None:
    spans = scan(DOCUMENT)
    assert [path for path in spans.sections if path] == [
        ("rows", 0),
        ("rows", 0, "inner"),
        ("other", "quoted key"),
        ("rows", 1),
        ("rows", 1, "deep", 0),
        ("rows", 1, "deep", 1),
    ]
    section = spans.sections["rows", 1]
    assert DOCUMENT[section.start : section.end] == '[[rows]]\ntext = """a ""quoted"" word"""'


@pytest.mark.parametrize(("position", "expected"), [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (4, (2, 2))])
def test_lines_and_columns_count_from_one(position: int, expected: tuple[int, int]) -> None:
    assert line_and_column("ab\ncd", position) == expected
