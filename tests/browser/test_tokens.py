"""The token pages as people use them: in every shape, and by twine's own settings."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from playwright.sync_api import Page, expect
from tests.browser.conftest import Account, stop_timers
from tests.browser.judge import assert_good_page
from tests.browser.watch import Watch
from tests.server_process import Server

TOKEN = re.compile(r"pypi-[A-Za-z0-9_-]{80,}")
ADD = "/manage/account/token/"
LIST = "/manage/account/#api-tokens"


def follow(page: Page, selector: str) -> None:
    """Click and wait for the page that comes of it."""
    with page.expect_navigation():
        page.locator(selector).click()


def submit(page: Page) -> None:
    follow(page, "main form button.button--primary")


def add_token(page: Page, name: str, project: str) -> str:
    """Add a token for a project that does not exist yet; return the text that the page shows."""
    page.goto(ADD)
    page.locator("[name=name]").fill(name)
    page.locator("[name=scope][value=projects]").check()
    page.locator("[name=new_project]").fill(project)
    submit(page)
    return page.locator("#token-text").inner_text().strip()


def test_add_list_rotate_and_revoke(
    any_page: Page, sign_in: Callable[[Page, Account], None], new_account: Callable[[], Account], watch: Watch
) -> None:
    watch.allow("status of 400")  # the form without a choice
    sign_in(any_page, new_account())
    any_page.goto("/manage/account/")
    assert_good_page(any_page)
    follow(any_page, f"#api-tokens a[href='{ADD}']")
    assert_good_page(any_page)

    # Nothing is chosen for anybody: a name alone is not enough.
    assert any_page.locator("[name=scope]:checked").count() == 0
    any_page.locator("[name=name]").fill("laptop")
    submit(any_page)
    expect(any_page.locator("#id_scope_error")).to_be_visible()
    assert_good_page(any_page)

    project = f"project-{secrets.token_hex(4)}"
    token = add_token(any_page, "laptop", project)
    assert TOKEN.fullmatch(token)
    assert_good_page(any_page)

    any_page.goto(LIST)
    row = any_page.locator("#api-tokens tbody tr")
    expect(row).to_have_count(1)
    for fact in ("laptop", project):
        expect(row).to_contain_text(fact)
    assert token not in any_page.content()
    follow(any_page, "#api-tokens tbody th a")
    assert_good_page(any_page)
    unique_id = any_page.locator("dl.facts code").first.inner_text()
    assert unique_id in any_page.url

    follow(any_page, "a[href$='/rotate/']")
    assert any_page.locator("[name=overlap]:checked").get_attribute("value") == "7"
    assert_good_page(any_page)
    submit(any_page)
    successor = any_page.locator("#token-text").inner_text().strip()
    assert TOKEN.fullmatch(successor)
    assert successor != token
    assert_good_page(any_page)

    any_page.goto(LIST)
    expect(any_page.locator("#api-tokens .badge--retiring")).to_have_count(1)
    expect(any_page.locator("#api-tokens .badge--active")).to_have_count(1)
    any_page.goto(f"{ADD}{unique_id}/revoke/")
    expect(any_page.locator(".notice--caution code")).to_have_count(1)
    assert_good_page(any_page)
    follow(any_page, "main form button.button--danger")
    expect(any_page.locator(".notice--success")).to_be_visible()
    expect(any_page.locator("#api-tokens tbody tr")).to_have_count(0)


def test_the_copy_button_copies_the_token(
    page: Page, sign_in: Callable[[Page, Account], None], new_account: Callable[[], Account]
) -> None:
    sign_in(page, new_account())
    token = add_token(page, "ci", f"project-{secrets.token_hex(4)}")
    stop_timers(page)
    page.locator("#token-text + .copy-button").click()
    expect(page.locator("#token-text + .copy-button")).to_be_disabled()
    assert page.evaluate("navigator.clipboard.readText()") == token


def test_twenty_five_projects_and_the_wide_caution(
    open_page: Callable[..., Page],
    sign_in: Callable[[Page, Account], None],
    new_account: Callable[[], Account],
    server: Server,
) -> None:
    account = new_account()
    names = [f"p-{secrets.token_hex(4)}" for _ in range(20)]
    options = [part for name in names for part in ("--project", name)]
    server.admin("create-token", "--user", account.name, "--name", "many", *options)
    page = open_page(width=390)
    sign_in(page, account)
    page.goto(f"{ADD}?selected_project={names[3]}")
    expect(page.locator("[name=projects]")).to_have_count(20)
    expect(page.locator(f"[name=projects][value={names[3]}]")).to_be_checked()
    expect(page.locator("[name=scope][value=projects]")).to_be_checked()
    expect(page.locator("#scope-caution")).to_be_visible()
    assert_good_page(page)
    page.goto(LIST)
    assert_good_page(page)
