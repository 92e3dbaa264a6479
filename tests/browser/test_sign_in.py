"""Signing in and looking after one's account, as people do it, in every shape."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Account, click_through
from tests.browser.judge import assert_good_page

# The pages that are only looked at need not be seen in all eight shapes: these differ from each other the most.
SHAPES = [(1280, True, "en"), (390, False, "de"), (390, True, "de")]


@pytest.fixture(params=SHAPES, ids=["wide", "narrow-nojs", "narrow"])
def some_page(request: pytest.FixtureRequest, open_page: Callable[..., Page]) -> Page:
    width, javascript, language = request.param
    return open_page(width=width, javascript=javascript, language=language)


def submit(page: Page, **values: str) -> None:
    form = page.locator("main form").first
    for name, value in values.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button").last.click()


def test_sign_in_and_out(any_page: Page, account: Account) -> None:
    page = any_page
    page.goto("/account/login/")
    assert_good_page(page)
    submit(page, login=account.name, password="wrong horse")
    expect(page.locator("main .notice--error")).to_be_visible()
    assert_good_page(page)
    submit(page, login=account.email, password=account.password)
    page.wait_for_url("**/manage/account/")
    assert_good_page(page)
    page.goto("/account/logout/")
    assert_good_page(page)
    click_through(page, page.locator("main form button"))
    page.goto("/manage/account/")
    page.wait_for_url("**/account/login/**")


def test_pages_of_the_account_are_good(
    some_page: Page, account: Account, sign_in: Callable[[Page, Account], None]
) -> None:
    sign_in(some_page, account)
    for path in (
        "/account/email/",
        "/account/password/change/",
        "/account/2fa/",
        "/account/2fa/totp/activate/",
        "/account/2fa/webauthn/",
        "/account/reauthenticate/",
    ):
        some_page.goto(path)
        assert_good_page(some_page)


def test_pages_for_visitors_are_good(some_page: Page) -> None:
    for path in (
        "/account/signup/",
        "/account/password/reset/",
        "/account/inactive/",
        "/account/confirm-email/",
    ):
        some_page.goto(path)
        assert_good_page(some_page)


def test_an_authenticator_app(
    some_page: Page,
    account: Account,
    sign_in: Callable[[Page, Account], None],
    open_page: Callable[..., Page],
) -> None:
    import time

    from sealstead.server.accounts.totp import code_of

    page = some_page
    sign_in(page, account)
    page.goto("/account/2fa/totp/activate/")
    expect(page.locator(".qr svg")).to_be_visible()
    box = page.locator(".qr svg").bounding_box()
    assert box
    assert 150 <= box["width"] <= 340, "large enough for a camera, small enough for a phone"
    seen = page.locator(".qr svg").evaluate("e => getComputedStyle(e).backgroundColor")
    assert seen == "rgb(255, 255, 255)", "cameras need black on white, in the dark too"
    secret = page.locator("#totp-key").inner_text().strip()
    used = int(time.time()) // 30
    submit(page, code=code_of(secret, used))
    page.wait_for_url("**/account/2fa/recovery-codes/")
    assert_good_page(page)
    click_through(page, page.locator("main form button").last)
    codes = re.findall(r"[a-z0-9]{5}-[a-z0-9]{5}", page.locator("#recovery-codes").inner_text())
    assert len(codes) == 10
    assert_good_page(page)

    other = open_page()
    for code in ("", codes[0]):
        other.context.clear_cookies()
        other.goto("/account/login/")
        submit(other, login=account.name, password=account.password)
        other.wait_for_url("**/account/2fa/authenticate/")
        assert_good_page(other)
        # One of the app is good once, and for a minute.
        submit(other, code=code or code_of(secret, max(used + 1, int(time.time()) // 30)))
        other.wait_for_url("**/manage/account/")
