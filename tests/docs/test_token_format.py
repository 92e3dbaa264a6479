"""The page about the token format says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.docs.pages import ROOT

from sealstead.formats import caveat_json, caveats, macaroon, token_text

PAGE = (ROOT / "docs" / "reference" / "token-format.md").read_text(encoding="utf-8")
VECTORS = json.loads((ROOT / "tests" / "vectors" / "macaroon" / "good.json").read_text(encoding="utf-8"))


def test_the_example_is_a_vector_and_the_table_takes_it_apart() -> None:
    (token,) = re.findall(r"^pypi-\S+$", PAGE, re.MULTILINE)
    (vector,) = [case for case in VECTORS if case["token"] == token]
    parsed = token_text.parse_token(token)
    for part in (vector["location"], vector["identifier"], *vector["caveats"], parsed.signature.hex()):
        assert f"bytes: `{part}`" in PAGE
    stated = [bytes.fromhex(heads) for heads in re.findall(r"^\| `([0-9a-f ]+)` \|", PAGE, re.MULTILINE)]
    assert len(stated) == 9
    assert macaroon.serialize_macaroon(parsed)[:3] == stated[0] + stated[1]


def test_every_caveat_has_its_row_and_every_text_is_on_the_page() -> None:
    for tag in caveat_json.CAVEATS:
        assert re.search(rf"^\| {tag} \| `\[{tag}, ", PAGE, re.MULTILINE), tag
    source = "".join(Path(module.__file__ or "").read_text("utf-8") for module in (caveats, caveat_json))
    texts = re.findall(r'(?:Malformed|NotMet|Lifetime)\w*Error\(\s*f?"([^"]+)"', source)
    texts += re.findall(r'Error\(\s*f"([^"]+)"', source)
    assert len(set(texts)) > 8
    unsaid = {text for text in texts if text.partition("{")[0].rstrip("'") not in PAGE}
    # Of a publisher only the first refusal is on the page: none is met yet.
    assert {text for text in unsaid if "OIDC" not in text} == set()


def test_limits_are_those_of_the_code() -> None:
    assert f"{macaroon.MAX_BYTES // 1024} KiB and {macaroon.MAX_CAVEATS} caveats" in PAGE
