from __future__ import annotations

from sealstead.secret import Secret


def test_only_reveal_gives_the_value() -> None:
    assert Secret("text").reveal() == "text"
    assert Secret(b"bytes").reveal() == b"bytes"
    assert repr(Secret("text")) == str(Secret("text")) == f"{Secret('text'):>3}" == "Secret(***)"
