"""What holds on every page: landmarks, names, contrast (axe-core, WCAG 2.2 AA), no sideways scrolling."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    # To describe what is right takes several times as long as to find what is wrong.
    "resultTypes": ["violations"],
}
_AXE = Axe().axe_script

_WIDER_THAN_THE_SCREEN = """() => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return [];
  const clipped = (element) => {
    for (let up = element.parentElement; up; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== "visible") return true;
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter((element) => {
      const box = element.getBoundingClientRect();
      return (box.right > limit + 1 || box.left < -1) && box.width > 0 && !clipped(element);
    })
    .map((element) => `${element.tagName.toLowerCase()}.${element.className} ${element.textContent.trim().slice(0, 60)}`)
    .concat(`scrollWidth ${document.documentElement.scrollWidth} > ${limit}`);
}"""


def complaints_about(page: Page, *, barriers: bool = True) -> list[str]:
    """List what is wrong with the page as it stands; empty when it is in order.

    `barriers=False` leaves out axe-core, which takes most of the time, where only the layout differs.
    """
    # A click returns when the next page has begun to come.
    page.wait_for_load_state()
    return [*(_accessibility(page) if barriers else ()), *_overflow(page), *_frame(page)]


def assert_good_page(page: Page) -> None:
    complaints = complaints_about(page)
    assert not complaints, f"{page.url}:\n" + "\n".join(complaints)


def _accessibility(page: Page) -> list[str]:
    # axe-core waits on timers, which never fire where scripts are off; the markup is the same there.
    if page.evaluate("matchMedia('(scripting: none)').matches"):
        return []
    page.evaluate(_AXE)
    violations = page.evaluate(
        "options => axe.run(document, options).then(found => found.violations)", _RULES
    )
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for violation in violations
        for node in violation["nodes"]
    ]


def _overflow(page: Page) -> list[str]:
    return [f"wider than the screen: {element}" for element in page.evaluate(_WIDER_THAN_THE_SCREEN)]


def _frame(page: Page) -> list[str]:
    facts = page.evaluate(
        """() => ({
          headings: document.querySelectorAll("h1").length,
          mains: document.querySelectorAll("main").length,
          title: document.title,
          inline: document.querySelectorAll("[style], style, script:not([src])").length,
          ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
        })"""
    )
    complaints = []
    if facts["headings"] != 1:
        complaints.append(f"{facts['headings']} first-level headings")
    if facts["mains"] != 1:
        complaints.append(f"{facts['mains']} main landmarks")
    if not facts["title"].removesuffix("· Sealstead").strip():
        complaints.append("no title")
    if facts["inline"]:
        complaints.append("inline style or script")
    doubled = {name for name in facts["ids"] if facts["ids"].count(name) > 1}
    if doubled:
        complaints.append(f"ids used twice: {sorted(doubled)}")
    return complaints
