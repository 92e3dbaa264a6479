"""The start and the end of the process, which are most of the time of a short command."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import platformdirs
import pytest

from sealstead.cli import main as cli_main
from sealstead.cli.later import cleandoc
from sealstead.cli.options import cache_dir


def python(code: str, *, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=check,
    )


def test_a_short_command_imports_nothing_that_it_does_not_use(
    tmp_path: Path,
) -> None:
    done = python(
        """
        import json, os, sys
        from sealstead.cli import pypi_profile
        os._exit = lambda code: print(json.dumps([code, sorted(sys.modules)]))
        sys.argv = ["pypi-profile", "key-list", "--no-keyring"]
        pypi_profile.main()
        """,
        HOME=str(tmp_path),
    )
    code, loaded = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert {
        "ast",
        "dis",
        "dataclasses",
        "_hashlib",
        "_uuid",
        "locale",
        "platformdirs",
        "cryptography",
        "keyring",
        "shutil",
        "zlib",
        "urllib3",
        "ssl",
    } & set(loaded) == set()


def test_only_what_reads_whole_files_begins_early_with_one(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(bytes(1 << 22))
    done = python(
        """
        import os, sys
        from sealstead.cli import pypi_profile
        def fork():
            print("began with", sys.argv[1])
            raise BlockingIOError
        os.fork, os._exit = fork, lambda code: None
        for command in ("inspect", "sign-file", "key-import", "verify-file", "verify"):
            sys.argv = ["pypi-profile", command, "long"]
            pypi_profile.main()
        """.replace('"long"', repr(str(tmp_path / "long"))),
        HOME=str(tmp_path),
    )
    assert done.stdout.splitlines() == ["began with sign-file", "began with verify-file"]


def test_whoever_needs_what_was_put_off_gets_it() -> None:
    done = python(
        """
        from sealstead.cli.later import put_off
        put_off()
        import sys, inspect, ipaddress
        stand_in = inspect
        assert inspect.cleandoc("a") == "a" and "ast" not in sys.modules
        assert str(inspect.signature(lambda x, *, y=1: 0)) == "(x, *, y=1)"
        import inspect
        assert inspect is not stand_in and stand_in.unwrap is inspect.unwrap
        import platform
        assert platform.system() == platform.uname().system
        import uuid
        assert uuid.UUID(int=0) == uuid.UUID("0" * 32) and isinstance(uuid.uuid4(), uuid.UUID)
        from ipaddress import ip_address
        assert ip_address("::1").is_loopback
        try:
            stand_in.nothing_of_the_kind
        except AttributeError as exc:
            print(exc)
        """
    )
    assert done.stdout == "module 'inspect' has no attribute 'nothing_of_the_kind'\n"


def test_words_stay_as_they_are_without_a_look_for_translations() -> None:
    done = python(
        """
        from sealstead.cli.later import put_off
        put_off()
        import sys
        from gettext import gettext, ngettext
        stand_in = sys.modules["gettext"]
        print(gettext("a"), ngettext("b", "bs", 1), ngettext("b", "bs", 2), "locale" in sys.modules)
        from gettext import NullTranslations
        assert sys.modules["gettext"] is not stand_in
        """
    )
    assert done.stdout == "a b bs False\n"


@pytest.mark.parametrize("named", [None, "", " ", "/somewhere", "relative", "~/x"])
def test_the_cache_is_where_the_library_finds_it(named: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if named is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", named)
    assert cache_dir() == platformdirs.user_cache_path("sealstead", appauthor=False)


def test_what_is_imported_already_stays() -> None:
    python(
        "import inspect as real; from sealstead.cli.later import put_off; put_off(); import inspect; assert inspect is real"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one",
        "  one ",
        "one\n    two\n      three\n",
        "\n\n  a\n\n    b\n  \n",
        "\ta\n\tb",
        "a\n\n",
        "\b\nE:\n  x\n",
    ],
)
def test_help_is_cleaned_as_the_library_cleans_it(text: str) -> None:
    assert cleandoc(text) == inspect.cleandoc(text)


@pytest.mark.parametrize("columns", ["30", "66", "100", "200", "0", "-1", "wide", ""])
def test_help_is_as_wide_as_click_makes_it(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    command = click.Command("c", context_settings={"max_content_width": 100})
    assert cli_main._width(command) == click.Context(command, max_content_width=100).make_formatter().width


def test_the_end_flushes_and_does_what_was_asked_for_at_exit() -> None:
    done = python(
        """
        import atexit
        from sealstead.cli.main import leave
        atexit.register(print, "at exit")
        print("said", end=" ")
        leave(3)
        """,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "said at exit\n")


def test_a_thread_that_nobody_waits_for_goes_with_the_process() -> None:
    done = python(
        """
        import sys, threading
        from sealstead.cli.main import leave
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        sys.exit = lambda code: print("taken apart")
        print("said", end=" ")
        leave(5)
        """,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (5, "said ", "")


def test_the_end_waits_for_a_thread_that_is_to_be_waited_for() -> None:
    done = python(
        """
        import threading
        from sealstead.cli.main import leave
        ended = threading.Event()
        threading.Thread(target=lambda: (ended.wait(), print("done"))).start()
        threading.Timer(0.05, ended.set).start()
        leave(4)
        """,
        check=False,
    )
    assert (done.returncode, done.stdout) == (4, "done\n")
