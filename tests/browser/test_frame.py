"""The frame of every page, and the harness itself: it must notice what it promises to notice."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import PATIENCE, stop_timers
from tests.browser.judge import assert_good_page, complaints_about
from tests.browser.watch import Watch
from tests.server_process import Server

NOT_FOUND = "status of 404"


def test_a_page_in_every_shape(any_page: Page, language: str, watch: Watch) -> None:
    watch.allow(NOT_FOUND)
    any_page.goto("/no-such-page")
    title = {"en": "There is no such page", "de": "Diese Seite gibt es nicht"}[language]
    expect(any_page.get_by_role("heading", level=1)).to_have_text(title)
    assert_good_page(any_page)


@pytest.mark.parametrize("pseudo", ["en-xa", "ar-xb"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_long_words_and_right_to_left(
    open_page: Callable[..., Page], watch: Watch, pseudo: str, *, dark: bool
) -> None:
    watch.allow(NOT_FOUND)
    page = open_page(width=390, language=pseudo, dark=dark)
    page.goto("/no-such-page")
    assert page.locator("html").get_attribute("dir") == ("rtl" if pseudo == "ar-xb" else "ltr")
    assert_good_page(page)


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "nojs"])
def test_language_chooser(open_page: Callable[..., Page], watch: Watch, *, javascript: bool) -> None:
    watch.allow(NOT_FOUND)
    page = open_page(javascript=javascript)
    page.goto("/no-such-page?a=b")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert page.url.endswith("/no-such-page?a=b")
    expect(page.get_by_role("button", name="Deutsch")).to_have_attribute("aria-current", "true")


def test_keyboard_reaches_the_content_first(page: Page, watch: Watch) -> None:
    watch.allow(NOT_FOUND)
    page.goto("/no-such-page")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


_CONTROLS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")]
  .filter((element) => element.getClientRects().length && !element.disabled).length"""
_FOCUSED = """() => {
  const element = document.activeElement, style = getComputedStyle(element);
  element.dataset.reached = "";
  return [element.outerHTML.slice(0, 120), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
}"""


@pytest.mark.parametrize("language", ["en", "ar-xb"])
def test_keyboard_reaches_every_control_and_shows_where_it_is(
    open_page: Callable[..., Page], language: str
) -> None:
    page = open_page(language=language)
    page.goto("/account/login/")
    page.evaluate("document.activeElement.blur()")
    controls = page.evaluate(_CONTROLS)
    assert controls >= 10
    for _ in range(controls):
        page.keyboard.press("Tab")
        element, outlined = page.evaluate(_FOCUSED)
        assert outlined, element
    assert page.evaluate("document.querySelectorAll('[data-reached]').length") == controls


def _serve(page: Page, html: str) -> None:
    """Answer `/fake` with `html` under the server's own policy."""
    policy = page.request.get("/no-such-page").headers["content-security-policy"]

    def answer(route: Route) -> None:
        route.fulfill(body=html, headers={"Content-Type": "text/html", "Content-Security-Policy": policy})

    page.route("**/fake", answer)
    page.goto("/fake")


@pytest.mark.parametrize(
    "html",
    [
        "<p style='color: red'>inline style</p>",
        "<script>document.title = 'ran'</script>",
        "<img src='https://elsewhere.example/x.png' alt=''>",
        "<button onclick='1'>inline handler</button>",
    ],
)
def test_the_watch_sees_what_the_policy_blocks(page: Page, watch: Watch, html: str) -> None:
    _serve(page, f"<!DOCTYPE html><title>x</title>{html}")
    # What the browser tells of a page comes by another way than that it has been loaded.
    deadline = time.monotonic() + PATIENCE / 1000
    while not watch.complaints():
        assert time.monotonic() < deadline, "it saw nothing"
        page.wait_for_timeout(20)
    watch.allow("")


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "nojs"])
def test_the_judge_sees_faults(open_page: Callable[..., Page], watch: Watch, *, javascript: bool) -> None:
    page = open_page(width=390, javascript=javascript)
    _serve(
        page,
        "<!DOCTYPE html><html><head><title>x</title></head><body><main><h1>x</h1><p id=a></p><p id=a></p><input>"
        "<p>" + "wide" * 200 + "</p><font color='#ccc'>pale</font></main></body></html>",
    )
    seen = "\n".join(complaints_about(page))
    measured = ("html-has-lang", "label:", "color-contrast") if javascript else ()
    for fault in (*measured, "wider than the screen", "ids used twice"):
        assert fault in seen
    watch.allow("")


def test_copy_button_copies(page: Page, server: Server) -> None:
    page.goto("/help/")
    sample = page.locator("[data-copy]").first
    text = sample.inner_text().strip()
    stop_timers(page)
    sample.locator("xpath=following-sibling::button").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == text
    assert server.url in text
