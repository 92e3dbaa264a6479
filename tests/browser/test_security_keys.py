"""Security keys with Chromium's virtual authenticator: added, used, and refused once copied."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect
from tests.browser.conftest import PATIENCE
from tests.browser.judge import assert_good_page
from tests.browser.watch import Watch
from tests.postgres import free_port
from tests.server_process import Server, start_server

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def local_server(
    tmp_path_factory: pytest.TempPathFactory, fresh_database: Callable[[], dict[str, str]]
) -> Iterator[Server]:
    """A server known as `localhost`: a bare address cannot have security keys."""
    port = free_port()
    url = {"SEALSTEAD_PUBLIC_URL": f"http://localhost:{port}"}
    running = start_server(
        tmp_path_factory.mktemp("keys") / "data", port=port, environment=fresh_database() | url
    )
    running.admin(
        "create-user", "keyla", "--email", "keyla@example.org", "--password-stdin", stdin=PASSWORD + "\n"
    )
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, local_server: Server) -> Iterator[Page]:
    url = f"http://localhost:{local_server.port}"
    watch = Watch(url)
    context = browser.new_context(base_url=url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    watch.follow(page)
    yield page
    context.close()
    assert not watch.complaints(), "\n".join(watch.complaints())


def plug_in(page: Page) -> tuple[CDPSession, str]:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": False,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return devtools, devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})[
        "authenticatorId"
    ]


def enter_password(page: Page) -> None:
    page.goto("/account/login/")
    form = page.locator("main form").first
    form.locator("[name=login]").fill("keyla")
    form.locator("[name=password]").fill(PASSWORD)
    form.locator("button").click()


def test_a_security_key_is_added_used_and_refused_once_copied(page: Page, local_server: Server) -> None:
    enter_password(page)
    page.wait_for_url("**/manage/account/")
    devtools, device = plug_in(page)
    page.goto("/account/2fa/webauthn/add/")
    assert_good_page(page)
    page.locator("[name=name]").fill("Blue key")
    page.locator("[data-webauthn-start]").click()
    page.wait_for_url("**/account/2fa/recovery-codes/")
    page.goto("/account/2fa/webauthn/")
    expect(page.locator("table.rows")).to_contain_text("Blue key")
    assert_good_page(page)

    def sign_in_with_key() -> None:
        page.context.clear_cookies()
        enter_password(page)
        page.wait_for_url("**/account/2fa/authenticate/")
        page.locator("[data-webauthn-start]").click()

    sign_in_with_key()
    page.wait_for_url("**/manage/account/")

    # A copy of the key, made before it was used: its counter stands where the real one's stood then.
    found: list[dict[str, Any]] = devtools.send("WebAuthn.getCredentials", {"authenticatorId": device})[
        "credentials"
    ]
    (credential,) = found
    assert credential["signCount"] > 1
    devtools.send("WebAuthn.clearCredentials", {"authenticatorId": device})
    devtools.send(
        "WebAuthn.addCredential", {"authenticatorId": device, "credential": credential | {"signCount": 0}}
    )
    sign_in_with_key()
    expect(page.locator("main .notice--error:visible")).to_be_visible()
    assert_good_page(page)
    page.goto("/manage/account/")
    page.wait_for_url("**/account/2fa/authenticate/")
    # Nobody waits for a mail to be sent.
    deadline = time.monotonic() + PATIENCE / 1000
    while not any("A security key was refused" in mail for mail in mails_of(local_server)):
        assert time.monotonic() < deadline, "no mail came"
        time.sleep(0.02)


def mails_of(server: Server) -> list[str]:
    return [mail.read_text() for mail in (server.data_dir / "outbox").glob("*.eml")]
