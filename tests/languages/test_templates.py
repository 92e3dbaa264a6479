"""No branch of any template holds text of its own, not even one that the walk never takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.template import Template, engines
from django.template.base import TextNode
from tests.languages.visible import untranslated

import sealstead.server

TEMPLATES = Path(sealstead.server.__file__).parent / "templates"
NAMES = (
    "Sealstead",
    "twine",
    "uv",
    "keyring",
    ".pypirc",
    "GitHub Actions",
    "GitLab CI",
    "UTC",
    "SHA-256",
    "Python",
)
ADDRESS = re.compile(r"\S*/\S*")


def written(source: str) -> str:
    """Return what a template's author wrote between tags, in all branches, in order."""
    engine = engines["django"].engine  # type: ignore[attr-defined]
    return "".join(_texts(Template(source, engine=engine).nodelist))


def _texts(nodes: Iterable[Any]) -> Iterable[str]:
    for node in nodes:
        if isinstance(node, TextNode):
            yield node.s
        for attribute in getattr(node, "child_nodelists", ()):
            yield from _texts(getattr(node, attribute, None) or ())


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=str(path.relative_to(TEMPLATES))) for path in sorted(TEMPLATES.rglob("*.*"))],
)
def test_every_text_goes_through_gettext(path: Path) -> None:
    text = written(path.read_text(encoding="utf-8"))
    if path.suffix != ".html":
        text = ADDRESS.sub("", text).replace("<", "")
    assert not untranslated(text, NAMES)


def test_a_forgotten_text_would_be_found() -> None:
    assert untranslated(
        written("{% if never %}<p>forgotten</p>{% else %}<b title='too'></b>{% endif %}"), ()
    ) == [
        "forgotten",
        "too",
    ]
