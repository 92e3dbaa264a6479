"""Every page, looked at as people meet it: languages, widths, light and dark, with and without JavaScript.

The routes are those of `tests/languages/walk.py`, which knows every page of the server. With SCREENSHOTS=directory
each page is also saved there as a picture, to be looked at.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page
from tests.browser.conftest import Account
from tests.browser.judge import complaints_about
from tests.browser.watch import Watch
from tests.factories import make_wheel
from tests.languages.walk import (
    ANSWERS,
    API_KEY,
    CERTIFICATE,
    FILE,
    FOR_ADMINISTRATORS,
    MEMBER,
    OF_A_KEY,
    PERSON,
    PLAIN,
    PROJECT,
    TOKEN,
    VERSION,
)
from tests.server_process import Server

README = """# Walked project

A paragraph with a [link](https://example.org/) and `code`.

| column | another |
|---|---|
| a cell that holds rather more text than fits | `a_long_identifier_without_any_break_in_it_at_all()` |

```python
print("a line of code that is much longer than the width of a telephone, so that it has to scroll by itself")
```
"""


@dataclass(frozen=True, kw_only=True)
class Walk:
    account: Account
    administrator: Account
    arguments: dict[str, str]


@pytest.fixture(scope="module")
def walk(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """An owner with a published project, a second member-to-be, tokens in several states, certificates."""
    account = Account(name="walker", email="walker@example.com", password="correct horse battery staple")
    for name, *options in (("walker",), ("invited-person",), ("overseer", "--admin")):
        password = account.password + "\n"
        server.admin(
            "create-user",
            name,
            "--email",
            f"{name}@example.com",
            "--password-stdin",
            *options,
            stdin=password,
        )
    for options in (
        ("--test", "--subject", "CN=A Company of a Rather Long Name,C=SE"),
        ("--csr", "--alias", "next"),
    ):
        server.admin("create-certificate", "--label", "walked", "--algorithm", "P-256", *options)
    server.admin("grant-certificate", "--label", "walked", "--user", "walker")
    token = server.admin("create-token", "--user", "walker", "--name", "laptop", "--all-projects").strip()
    for version in ("0.9", VERSION):
        wheel = make_wheel(
            tmp_path_factory.mktemp("dist"),
            PROJECT,
            version,
            description=README,
            fields={"Summary": "What the walk looks at", "Requires-Python": ">=3.11"},
        )
        subprocess.run(
            [
                sys.executable,
                "-m",
                "twine",
                "upload",
                "--repository-url",
                f"{server.url}/legacy/",
                str(wheel),
            ],
            env={
                **os.environ,
                "TWINE_USERNAME": "__token__",
                "TWINE_PASSWORD": token,
                "PYTHONWARNINGS": "default",
            },
            check=True,
            capture_output=True,
        )
    for number in range(3):
        name = f"ci of a long-named pipeline, number {number}"
        server.admin("create-token", "--user", "walker", "--name", name, "--project", PROJECT)
    rows = json.loads(server.admin("list-tokens", "--user", "walker", "--json"))
    rows = rows if isinstance(rows, list) else rows["tokens"]
    server.admin(
        *("create-api-key", "--user", "walker", "--name", "signing on the build machine"),
        *("--role", "Standard", "--role", "ApiKeyRotator", "--label", "production"),
        *("--network", "192.0.2.0/24", "--network", "2001:db8::/32", "--rate", "600/m"),
    )
    (key,) = json.loads(server.admin("list-api-keys", "--user", "walker", "--json"))
    ids = {one["alias"]: one["id"] for one in json.loads(server.admin("list-certificates", "--json"))}
    users = {one["username"]: one["id"] for one in json.loads(server.admin("list-users", "--json"))}
    return Walk(
        account=account,
        administrator=Account(name="overseer", email="overseer@example.com", password=account.password),
        arguments={
            TOKEN: rows[0]["id"],
            API_KEY: key["uuid"],
            PERSON: users["walker"],
            CERTIFICATE: ids["next"],
        },
    )


def _addresses(pages: dict[str, dict[str, str]], arguments: dict[str, str]) -> dict[str, str]:
    found = {}
    if pages is PLAIN:
        for name in OF_A_KEY:
            found[f"{name}-of-a-key"] = reverse(name, kwargs={"credential_id": arguments[API_KEY]})
    for name, values in pages.items():
        given = {key: arguments.get(value, value) for key, value in values.items()}
        given = {
            key: f"{PROJECT.replace('-', '_')}-{VERSION}-py3-none-any.whl" if value == FILE else value
            for key, value in given.items()
        }
        if MEMBER not in given.values():  # tests/browser/test_members.py removes somebody
            found[name] = reverse(name, kwargs=given)
    return found


GUEST = {
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "home",
    "project",
    "help",
}
SHAPES = {
    "wide-en": {"width": 1280, "language": "en"},
    "narrow-de": {"width": 390, "language": "de"},
    "narrow-xa-dark": {"width": 390, "language": "en-xa", "dark": True},
    "narrow-en-nojs": {"width": 390, "language": "en", "javascript": False},
    "middle-de-nojs": {"width": 768, "language": "de", "javascript": False},
    "narrow-rtl": {"width": 390, "language": "ar-xb"},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.timeout(1200)
def test_every_page(
    shape: str,
    walk: Walk,
    open_page: Callable[..., Page],
    sign_in: Callable[[Page, Account], None],
    watch: Watch,
) -> None:
    watch.allow("status of 404")  # answers to addresses with an unknown key are pages too
    complaints = []
    guest, member = open_page(**SHAPES[shape]), open_page(**SHAPES[shape])
    sign_in(member, walk.account)
    for name, address in _addresses(PLAIN, walk.arguments).items():
        for who, page in (("member", member), ("guest", guest)):
            if (who == "guest") != (name in GUEST) and not (who == "member" and name in {"home", "project"}):
                continue
            page.goto(address)
            complaints += [
                f"{who} {address}: {complaint}"
                for complaint in complaints_about(page, barriers=shape != "narrow-rtl")
            ]
            _keep_picture(page, f"{shape}-{name}-{who}")
    assert not complaints, "\n".join(complaints)


def _keep_picture(page: Page, name: str) -> None:
    directory = os.environ.get("SCREENSHOTS")
    if directory:
        Path(directory).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{directory}/{name}.png", full_page=True)


@pytest.mark.parametrize("shape", ["wide-en", "narrow-xa-dark", "narrow-rtl"])
@pytest.mark.timeout(1200)
def test_every_page_for_administrators(
    shape: str,
    walk: Walk,
    open_page: Callable[..., Page],
    sign_in: Callable[[Page, Account], None],
) -> None:
    complaints = []
    page = open_page(**SHAPES[shape])
    sign_in(page, walk.administrator)
    for name, address in _addresses(FOR_ADMINISTRATORS, walk.arguments).items():
        if name in ANSWERS:
            continue
        page.goto(address)
        complaints += [
            f"{address}: {complaint}" for complaint in complaints_about(page, barriers=shape == "wide-en")
        ]
        _keep_picture(page, f"{shape}-{name}-administrator")
    assert not complaints, "\n".join(complaints)
