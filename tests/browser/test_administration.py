"""What administrators do in a browser, and what it means for the other side: accounts, certificates, keys."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, Account, stop_timers
from tests.browser.judge import assert_good_page
from tests.browser.watch import Watch
from tests.certificates import issue
from tests.server_process import Server

SignIn = Callable[[Page, Account], None]
SHAPES = [
    pytest.param({"width": WIDE, "language": "en"}, id="wide"),
    pytest.param({"width": NARROW, "language": "de", "javascript": False, "dark": True}, id="narrow-de-nojs"),
]


def submit(page: Page, form: str) -> None:
    """Send a form and wait for what comes of it."""
    with page.expect_navigation():
        page.locator(f"{form} .button--primary, {form} .button--danger").first.click()


def follow(page: Page, selector: str) -> None:
    with page.expect_navigation():
        page.locator(selector).first.click()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_new_user_comes_in_and_is_put_out(
    shape: dict[str, object],
    open_page: Callable[..., Page],
    sign_in: SignIn,
    new_account: Callable[..., Account],
) -> None:
    admin, visitor = open_page(**shape), open_page(**shape)
    sign_in(admin, new_account("--admin"))
    admin.goto("/manage/server/users/")
    follow(admin, "main a[href$='/users/add/']")
    name = f"new-{secrets.token_hex(4)}"
    admin.locator("[name=username]").fill(name)
    admin.locator("[name=email]").fill(f"{name}@example.com")
    submit(admin, "main form")
    password = admin.locator("#password-text").inner_text().strip()
    assert_good_page(admin)

    sign_in(visitor, Account(name=name, email="", password=password))
    assert visitor.url.endswith("/account/password/change/")
    assert_good_page(visitor)
    visitor.goto("/manage/account/")
    assert visitor.url.endswith("/account/password/change/")
    visitor.locator("[name=oldpassword]").fill(password)
    for field in ("password1", "password2"):
        visitor.locator(f"[name={field}]").fill("a password of my own")
    submit(visitor, "main form")
    visitor.goto("/manage/account/")
    assert visitor.url.endswith("/manage/account/")

    admin.goto(f"/manage/server/users/?q={name}")
    expect(admin.locator("main tbody tr")).to_have_count(1)
    follow(admin, "main tbody th a")
    follow(admin, "#account a[href$='/disable/']")
    assert_good_page(admin)
    submit(admin, "main form")
    expect(admin.locator(".notice--success")).to_be_visible()
    visitor.goto("/manage/account/")
    assert "/account/login/" in visitor.url


@pytest.mark.parametrize("shape", SHAPES)
def test_a_certificate_is_imported_and_granted(
    shape: dict[str, object],
    open_page: Callable[..., Page],
    sign_in: SignIn,
    new_account: Callable[..., Account],
    watch: Watch,
    tmp_path: Path,
) -> None:
    watch.allow("status of 400")  # a wrong password, a label that is shared
    now = datetime.now(UTC).replace(microsecond=0)
    label = f"label-{secrets.token_hex(4)}"
    account, admin = new_account(), open_page(**shape)
    sign_in(admin, new_account("--admin"))
    for number in (1, 2):
        issued = issue("Harbour Ltd", begin=now - timedelta(days=1), end=now + timedelta(days=100 * number))
        file = tmp_path / f"{number}.pfx"
        file.write_bytes(issued.pfx("of the file"))
        admin.goto("/manage/server/certificates/add/pfx/")
        admin.locator("[name=file]").set_input_files(file)
        admin.locator("[name=label]").fill(label)
        admin.locator("[name=password]").fill("wrong" if number == 1 else "of the file")
        submit(admin, "main form")
        expect(admin.locator(".error").first).to_be_visible()
        assert_good_page(admin)
        admin.locator("[name=file]").set_input_files(file)
        admin.locator("[name=password]").fill("of the file")
        if number == 2:  # the renewal: that it shares the label is asked about
            admin.locator("[name=share]").check()
        submit(admin, "main form")
        expect(admin.locator(".notice--success")).to_be_visible()
        assert_good_page(admin)
        admin.locator("#grants [name=username]").fill(account.name)
        submit(admin, "#grants form:has([name=username])")
        expect(admin.locator("#grants tbody tr")).to_have_count(1)

    visitor = open_page(**shape)
    sign_in(visitor, account)
    visitor.goto("/manage/account/certificates/")
    expect(visitor.locator("main section")).to_have_count(2)
    expect(visitor.locator("main section code", has_text=label)).to_have_count(2)
    assert_good_page(visitor)
    if shape.get("javascript", True):
        button = visitor.locator("main section .copy-button").nth(1)
        stop_timers(visitor)
        button.click()
        expect(button).to_be_disabled()
        copied = visitor.evaluate("navigator.clipboard.readText()")
        assert copied in visitor.locator("main section").first.inner_text()
        assert len(copied) == 40
    with visitor.expect_download() as download:
        visitor.locator("main section a[download]").first.click()
    assert Path(download.value.path()).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_a_key_is_made_switched_and_with_others_revoked(
    page: Page,
    open_page: Callable[..., Page],
    sign_in: SignIn,
    new_account: Callable[..., Account],
    server: Server,
    watch: Watch,
) -> None:
    watch.allow("status of 400")  # the form without a role
    account = new_account()
    visitor = open_page(width=NARROW, language="de", javascript=False)
    sign_in(visitor, account)
    keys = {name: make_key(visitor, name) for name in ("one", "two")}
    assert accepted(server, keys["one"])
    visitor.goto("/manage/account/#api-tokens")
    expect(visitor.locator("#api-tokens tbody tr")).to_have_count(2)
    assert not any(key in visitor.content() for key in keys.values())
    follow(visitor, "#api-tokens tbody th a:has-text('one')")
    for expected in (False, True):
        follow(visitor, "form[action$='/switch/'] button")
        assert accepted(server, keys["one"]) is expected
    assert_good_page(visitor)
    keys["three"] = server.admin(
        "create-api-key", "--user", account.name, "--name", "three", "--role", "Standard"
    ).strip()
    assert {name: accepted(server, key) for name, key in keys.items()} == dict.fromkeys(keys, True)
    users = {one["username"]: one["id"] for one in json.loads(server.admin("list-users", "--json"))}
    sign_in(page, new_account("--admin"))
    page.goto(f"/manage/server/users/{users[account.name]}/")
    assert_good_page(page)
    page.locator("#keys tr", has_text="two").locator("[name=key]").check()
    follow(page, "#keys button[value=selected]")
    expect(page.locator("main ul li")).to_have_count(1)
    assert_good_page(page)
    submit(page, "main form")
    expect(page.locator("#keys tbody tr")).to_have_count(2)
    assert {name: accepted(server, key) for name, key in keys.items()} == {
        "one": True,
        "two": False,
        "three": True,
    }
    follow(page, "#keys button[value=all]")
    submit(page, "main form")
    assert not any(accepted(server, key) for key in keys.values())
    follow(page, "#keys a[href^='?keys=ended']")
    expect(page.locator("#keys tbody tr")).to_have_count(3)
    assert_good_page(page)


def make_key(page: Page, name: str) -> str:
    """Make a key as a person does, who forgets the role at first; return what the page shows once."""
    page.goto("/manage/account/key/")
    page.locator("[name=name]").fill(name)
    for box in page.locator("[name=roles]:checked").all():
        box.uncheck()
    submit(page, "main form")
    expect(page.locator("main .error").first).to_be_visible()
    page.locator("[name=roles][value=Standard]").check()
    page.locator("[name=rate]").fill("600/m")
    submit(page, "main form")
    text = page.locator("#key-text").inner_text().strip()
    assert text.startswith("seal_")
    return text


def accepted(server: Server, key: str) -> bool:
    request = urllib.request.Request(f"{server.url}/api/v1/key", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return bool(json.load(answer)["state"])
    except urllib.error.HTTPError as refused:
        if refused.code != HTTPStatus.UNAUTHORIZED:
            raise
        return False
