"""Whatever a profile looks like: an edit adds or changes its own lines, and nothing else anywhere in the text."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sealstead.formats.profile_edit import edit_profile

COMMENTS = st.sampled_from(["", "# plain", "# [profiles] = \"'", "# public_key = 'x'", "\t# tab"])
QUOTED = st.sampled_from(
    ['"a"', "'a'", '"\\"]"', "'[x]'", '"""\n[[profiles]]\npublic_key = ""\n"""', "'''it''s'''", '"""a""""']
)
VALUES = st.one_of(
    QUOTED,
    st.sampled_from(
        ["1", "-0.5e3", "nan", "true", "1979-05-27 07:32:00", "[]", "[ # ]\n 1,\n]", "{ a = '}' }"]
    ),
)
BLANKS = st.sampled_from(["", " ", "  ", "\t"])


@st.composite
def lines(draw: st.DrawFn, *names: str) -> str:
    """Keys of one table, in their own style."""
    text = ""
    for name in draw(st.permutations(names)):
        before, around = draw(BLANKS), draw(BLANKS)
        end = draw(COMMENTS)
        text += f"{before}{name}{around}={around}{draw(VALUES)}{' ' if end else ''}{end}\n"
        text += draw(st.sampled_from(["", "\n", "# alone\n", "  \n"]))
    return text


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, int]:
    """A document, and how many profiles are in it."""
    count = draw(st.integers(0, 3))
    blocks = []
    for number in range(count):
        old = draw(st.sampled_from(["", "stored_proof = 'old'\n", 'stored_proof = """\nold"""  # mine\n']))
        inner = draw(st.sampled_from(["", "[profiles.inner]\nx = 1\n"]))
        blocks.append(f"{draw(BLANKS)}[[profiles]] # {number}\n{old}{draw(lines('url', 'kind'))}{inner}")
    # Other tables stand between them.
    for number in range(draw(st.integers(0, 2))):
        where = draw(st.integers(0, len(blocks)))
        blocks.insert(where, f"[other{number}]\n{draw(lines('public_key', 'stored_proof'))}")
    key = draw(
        st.sampled_from(
            [
                "",
                "[verification]\n",
                "[verification] # here\n  public_key = ''\n",
                "[verification]\nstatements = [ 'one' ]\n",
                "[verification.more]\nx = 1\n",
            ]
        )
    )
    blocks.insert(draw(st.integers(0, len(blocks))), key)
    head = draw(st.sampled_from(["", "# head\n", "top = 1\n", "verification.other = 1\n" if not key else ""]))
    text = head + "".join(blocks)
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text, count


def without(document: dict[str, Any]) -> str:
    """What a document means but for what is edited. As text: NaN is not equal to itself."""
    for profile in document.get("profiles", []):
        profile.pop("stored_proof", None)
    for key in ("public_key", "statements"):
        document.get("verification", {}).pop(key, None)
    if not document.get("verification", True):
        del document["verification"]
    return repr(document)


@given(documents(), st.text(max_size=8), st.lists(st.text(max_size=8), max_size=3))
def test_an_edit_changes_only_what_it_is_for(
    drawn: tuple[str, int], secret: str, statements: list[str]
) -> None:
    text, count = drawn
    proofs = {number: f"proof {number}" for number in range(count)}
    edited = edit_profile(text, public_key=secret, proofs=proofs, statements=statements)
    found = tomllib.loads(edited)
    assert [each["stored_proof"] for each in found.get("profiles", [])] == list(proofs.values())
    assert (found["verification"]["public_key"], found["verification"]["statements"]) == (secret, statements)
    assert without(found) == without(tomllib.loads(text))
    # The rest of the text is what it was, in its order.
    rest = iter(edited.splitlines())
    kept = [
        line
        for line in text.splitlines()
        if "old" not in line and "= ''" not in line and "[ 'one'" not in line
    ]
    assert all(any(line == other for other in rest) for line in kept if 'proof = """' not in line)
    # A second time there is nothing to do.
    assert edit_profile(edited, public_key=secret, proofs=proofs, statements=statements) == edited


@given(documents())
def test_an_edit_that_asks_for_nothing_changes_nothing(drawn: tuple[str, int]) -> None:
    text, _ = drawn
    assert edit_profile(text) == text
