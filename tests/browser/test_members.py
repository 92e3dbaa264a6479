"""The members and events pages as people use them, in every shape."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.conftest import NARROW, WIDE, Account, click_through
from tests.browser.judge import assert_good_page
from tests.browser.watch import Watch
from tests.server_process import Server

# Every pair of width, scripts and language; all eight are seen in test_frame.py.
SHAPES = [(WIDE, True, "en"), (WIDE, False, "de"), (NARROW, True, "de"), (NARROW, False, "en")]


@pytest.fixture(params=SHAPES, ids=["wide-en", "wide-nojs-de", "narrow-de", "narrow-nojs-en"])
def any_page(request: pytest.FixtureRequest, open_page: Callable[..., Page]) -> Page:
    width, javascript, language = request.param
    return open_page(width=width, javascript=javascript, language=language)


def new_project(server: Server, owner: Account) -> str:
    """Reserve a project for `owner` by making a token for it."""
    name = f"project-{secrets.token_hex(4)}"
    server.admin("create-token", "--user", owner.name, "--name", name, "--project", name)
    return name


def row_of(page: Page, person: str) -> Locator:
    return page.locator("table.rows tbody tr").filter(has_text=person)


def test_invite_accept_promote_and_leave(
    any_page: Page,
    open_page: Callable[..., Page],
    sign_in: Callable[[Page, Account], None],
    new_account: Callable[[], Account],
    server: Server,
    watch: Watch,
) -> None:
    watch.allow("status of 404")  # a person who is no member asks for the page
    owner, guest = new_account(), new_account()
    project = new_project(server, owner)
    members = f"/manage/project/{project}/members/"
    sign_in(any_page, owner)
    any_page.goto(members)

    invite = any_page.locator("form[action$='/members/invite/']")
    invite.locator("[name=username]").fill("nobody-of-that-name")
    click_through(any_page, invite.locator("button"))
    expect(any_page.locator(".notice--error")).to_be_visible()
    invite.locator("[name=username]").fill(guest.name)
    click_through(any_page, invite.locator("button"))
    expect(any_page.locator(".notice--success")).to_contain_text(guest.name)
    assert_good_page(any_page)

    other = open_page()
    sign_in(other, guest)
    other.goto(members)
    assert other.locator("h1").inner_text() != project, "an invited person is no member yet"
    other.goto("/manage/projects/")
    assert_good_page(other)
    click_through(other, other.locator("button[name=answer][value=accept]"))
    other.goto(members)
    expect(other.locator("form[action$='/members/invite/']")).to_have_count(0)

    # The last owner stays: no button to leave, and another role is refused.
    any_page.goto(members)
    row = row_of(any_page, owner.name)
    expect(row.get_by_role("link")).to_have_count(0)
    row.locator("select").select_option("maintainer")
    click_through(any_page, row.locator("form button"))
    expect(any_page.locator(".notice--error")).to_be_visible()

    row = row_of(any_page, guest.name)
    row.locator("select").select_option("owner")
    click_through(any_page, row.locator("form button"))
    expect(row_of(any_page, guest.name).locator("select")).to_have_value("owner")
    click_through(any_page, row_of(any_page, owner.name).get_by_role("link"))
    click_through(any_page, any_page.locator("main .button--danger"))
    any_page.goto("/manage/account/events/")
    expect(any_page.locator("table.rows")).to_contain_text(project)
    assert_good_page(any_page)
    other.goto(members)
    expect(row_of(other, owner.name)).to_have_count(0)


def test_archive_and_delete_ask_first(
    any_page: Page, sign_in: Callable[[Page, Account], None], account: Account, server: Server
) -> None:
    project = new_project(server, account)
    sign_in(any_page, account)
    any_page.goto(f"/manage/project/{project}/settings/")
    assert_good_page(any_page)
    click_through(any_page, any_page.locator("a[href$='/state/archived/']"))
    any_page.locator("[name=reason]").fill("no longer needed")
    click_through(any_page, any_page.locator("main .button--primary"))
    expect(any_page.locator(".notice--caution")).to_contain_text("no longer needed")
    click_through(any_page, any_page.locator("a[href$='/settings/delete/']"))
    assert_good_page(any_page)
    any_page.locator("[name=confirm]").fill("something else")
    click_through(any_page, any_page.locator("main .button--danger"))
    expect(any_page.locator(".notice--error")).to_be_visible()
    any_page.locator("[name=confirm]").fill(project)
    click_through(any_page, any_page.locator("main .button--danger"))
    any_page.goto("/manage/projects/")
    expect(any_page.locator("main")).not_to_contain_text(project)
