"""No link of a page leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.pages import ROOT, anchors, links, markdown, tracked


@pytest.mark.parametrize("page", markdown(), ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_and_anchors_resolve(page: Path) -> None:
    dead = []
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert not dead


def test_every_page_of_the_documentation_can_be_reached() -> None:
    start = ROOT / "README.md"
    seen, queue = {start}, [start]
    while queue:
        page = queue.pop()
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if "://" not in link and target.suffix == ".md" and target.exists() and target not in seen:
                seen.add(target)
                queue.append(target)
    lost = [str(page.relative_to(ROOT)) for page in tracked("docs/*.md") if page not in seen]
    assert not lost


def test_the_index_of_decisions_is_complete() -> None:
    decisions = sorted(page.name for page in tracked("docs/adr/[0-9]*.md"))
    index = ROOT / "docs" / "adr" / "README.md"
    assert sorted(link for link in links(index) if link[:1].isdigit()) == decisions
    numbers = [int(name[:4]) for name in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
