"""A real Chromium on a real server, with and without JavaScript, wide and narrow, in each language.

Every page of these fixtures is watched (`watch.py`): whatever the content security policy blocks, an error on the
console, an uncaught error of a script, and any request to another host fails the test that caused it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from tests.browser.watch import Watch
from tests.programs import require_program
from tests.server_process import Server

WIDE = 1280
NARROW = 390
PATIENCE = 90_000
"""Milliseconds. Only what never comes takes so long."""
PASSWORD = "correct horse battery staple"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = require_program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        running = playwright.chromium.launch(
            executable_path=chromium,
            timeout=PATIENCE,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield running
        running.close()


@pytest.fixture
def watch(server: Server) -> Iterator[Watch]:
    """What went wrong in the browser so far. `watch.allow("status of 403")` excuses what a test provokes."""
    watched = Watch(server.url)
    yield watched
    assert not watched.complaints(), "\n".join(watched.complaints())


@pytest.fixture
def open_page(browser: Browser, server: Server, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Make a fresh visitor: `open_page(width=390, javascript=False, language="de", dark=True)`.

    Addresses are relative to the server: `page.goto("/help/")`.
    """
    contexts = []

    def make(*, width: int = WIDE, javascript: bool = True, language: str = "en", dark: bool = False) -> Page:
        context = browser.new_context(
            base_url=server.url,
            viewport={"width": width, "height": 844},
            java_script_enabled=javascript,
            locale=language,
            extra_http_headers={"Accept-Language": language},
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A visitor with JavaScript on a wide screen."""
    return open_page()


@pytest.fixture
def page_nojs(open_page: Callable[..., Page]) -> Page:
    """A visitor without JavaScript on a wide screen."""
    return open_page(javascript=False)


@pytest.fixture(params=["en", "de"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(
    params=[(WIDE, True), (WIDE, False), (NARROW, True), (NARROW, False)],
    ids=["wide", "wide-nojs", "narrow", "narrow-nojs"],
)
def any_page(request: pytest.FixtureRequest, open_page: Callable[..., Page], language: str) -> Page:
    """The same visitor eight times: wide and 390 px, with and without JavaScript, English and German."""
    width, javascript = request.param
    return open_page(width=width, javascript=javascript, language=language)


@dataclass(frozen=True, kw_only=True)
class Account:
    name: str
    email: str
    password: str


@pytest.fixture
def new_account(server: Server) -> Callable[..., Account]:
    """Make an account of its own for a test: `new_account()` or `new_account("--admin")`."""

    def make(*options: str) -> Account:
        name = f"user-{secrets.token_hex(5)}"
        account = Account(name=name, email=f"{name}@example.com", password=PASSWORD)
        server.admin(
            "create-user",
            name,
            "--email",
            account.email,
            "--password-stdin",
            *options,
            stdin=account.password + "\n",
        )
        return account

    return make


@pytest.fixture
def account(new_account: Callable[..., Account]) -> Account:
    return new_account()


def _sign_in(page: Page, account: Account) -> None:
    page.goto("/account/login/")
    form = page.locator("main form")
    form.locator("[name=login]").fill(account.name)
    form.locator("[name=password]").fill(account.password)
    form.locator("button[type=submit], button:not([type])").first.click()
    page.wait_for_url(re.compile(r"^(?!.*/account/login/)"))


def stop_timers(page: Page) -> None:
    """Let what a page says for a moment stay: who looks at it may come too late."""
    page.evaluate("window.setTimeout = () => 0")


def click_through(page: Page, button: Locator) -> None:
    """Click and wait for the page that comes of it; whoever goes elsewhere before, may prevent what was asked for."""
    with page.expect_navigation():
        button.click()


@pytest.fixture
def sign_in() -> Callable[[Page, Account], None]:
    """Sign in through the form, as a person does: `sign_in(page, account)`."""
    return _sign_in
