"""How the command speaks: data on stdout, the rest on stderr, codes, hints, no traces."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import click
import pytest
from tests.cli.conftest import Command
from tests.environment import clean_environment

from sealstead.cli.main import run
from sealstead.cli.profile.main import profile


def test_the_version(sealstead: Command) -> None:
    done = sealstead("--version")
    assert (done.code, done.out, done.err) == (
        0,
        f"sealstead {importlib.metadata.version('sealstead')}\n",
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["serv"], "sealstead: no command is called serv", "did you mean sealstead serve?"),
        (
            ["signing", "--skip-signed", "sign"],
            "sealstead signing: no option is called --skip-signed",
            "options come after the command: sealstead signing COMMAND --skip-signed",
        ),
        (["zzz"], "sealstead: no command is called zzz", "sealstead --help shows what it takes"),
        (
            ["admin", "create-usr"],
            "sealstead admin: no command is called create-usr",
            "did you mean sealstead admin create-user?",
        ),
        (["serve", "--prot", "1"], "sealstead serve: no option is called --prot", "did you mean --port?"),
        (
            ["serve", "--port", "many"],
            "sealstead serve: invalid value for '--port': 'many' is not a valid integer range",
            "sealstead serve --help shows what it takes",
        ),
        (
            ["admin", "create-user", "ada"],
            "sealstead admin create-user: --email is missing",
            "sealstead admin create-user --help shows what it takes",
        ),
        (
            ["admin", "create-token", "--name"],
            "sealstead admin create-token: option '--name' requires an argument",
            "sealstead admin create-token --help shows what it takes",
        ),
        (
            ["profile", "sign", "--url"],
            "sealstead profile sign: option '--url' requires an argument",
            "sealstead profile sign --help shows what it takes",
        ),
        (
            ["admin", "test-mail"],
            "sealstead admin test-mail: ADDRESS is missing",
            "sealstead admin test-mail --help shows what it takes",
        ),
    ],
)
def test_a_usage_error_says_what_and_what_next(
    sealstead: Command, arguments: list[str], error: str, hint: str
) -> None:
    done = sealstead(*arguments)
    assert (done.code, done.out, done.err) == (2, "", f"error: {error}\nhint: {hint}\n")


def test_errors_are_json_where_the_result_would_be(sealstead: Command, tmp_path: Path) -> None:
    done = sealstead("admin", "check", "--json", "--data-dir", tmp_path / "none")
    assert done.out == ""
    assert json.loads(done.err)["error"] == {
        "code": "no-data-dir",
        "message": f"{tmp_path}/none: there is no data directory",
        "hint": "name another with --data-dir, or start a server there first: "
        f"sealstead serve --data-dir {tmp_path}/none",
        "exit_code": 1,
    }
    assert done.code == 1
    usage = sealstead("admin", "create-user", "--json")
    assert json.loads(usage.err)["error"]["code"] == "usage"


def test_no_arguments_show_help_on_stderr(sealstead: Command) -> None:
    done = sealstead()
    assert done.code == 2
    assert done.out == ""
    assert "Commands:" in done.err


def test_a_standard_input_that_is_closed_is_no_mistake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a service starts it, or `<&-`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    assert run(profile, "pypi-profile", ["keygen", "--no-keyring"]) == 0
    sys.stdin.close()


def test_a_profile_is_completed_as_a_file() -> None:
    """Its name is what is typed most often."""
    context = click.Context(profile)
    for name in profile.list_commands(context):
        command = profile.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Argument) and parameter.name == "source":
                assert isinstance(parameter.type, click.Path), name


def test_help_teaches_with_examples(sealstead: Command) -> None:
    for arguments in ([], ["serve"], ["admin", "create-user"], ["completion"]):
        done = sealstead(*arguments, "--help")
        assert (done.code, done.err) == (0, "")
        assert "Examples:" in done.out


def test_an_unexpected_failure_is_one_line_and_details_on_request(sealstead: Command, tmp_path: Path) -> None:
    # A directory where a file must be: the kind of thing nobody wrote an error for.
    (tmp_path / "data").mkdir(0o700)
    (tmp_path / "data" / "setup.lock").mkdir()
    done = sealstead("admin", "migrate", "--data-dir", tmp_path / "data")
    assert done.code == 70
    assert done.err == (
        "error: unexpected IsADirectoryError: this is a mistake in Sealstead\n"
        "hint: run it again with SEALSTEAD_DEBUG=1 for the details, and report them\n"
    )
    again = sealstead(
        "admin", "migrate", "--data-dir", tmp_path / "data", environment={"SEALSTEAD_DEBUG": "1"}
    )
    assert "Traceback" in again.err


def test_a_reader_that_goes_away_is_no_error() -> None:
    reader, output = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "sealstead", "completion", "bash"],
        stdout=output,
        stderr=subprocess.PIPE,
        check=False,
        timeout=300,
        env=clean_environment(),
    )
    os.close(output)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_want_it(environment: dict[str, str], *, coloured: bool) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "sealstead", "serv"],
        stderr=theirs,
        check=False,
        timeout=300,
        env=clean_environment({"TERM": "xterm"} | environment),
    )
    os.close(theirs)
    said = ""
    with suppress(OSError):  # Linux answers so at the end
        while part := os.read(ours, 4096):
            said += part.decode()
    os.close(ours)
    assert ("\x1b[" in said) == coloured
    assert "no command is called serv" in said


def test_ctrl_c_at_a_question_ends_quietly(data_dir: Path, environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "sealstead", "admin", "create-user", "eve"),
            *("--email", "eve@example.org", "--data-dir", str(data_dir)),
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=clean_environment(environment),
        # A run in the background of a script ignores it, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread runs here
    )
    os.close(theirs)
    said = b""
    while b"Password" not in said:
        said += os.read(ours, 4096)
    time.sleep(0.2)  # until the question really waits
    for _ in range(6):  # on a busy machine the first may come before the question listens
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
            break
    with process:
        process.kill()  # only if none of them ended it
    assert process.returncode == 130
    os.close(ours)
    assert b"Traceback" not in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(sealstead: Command, shell: str) -> None:
    done = sealstead("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert "_SEALSTEAD_COMPLETE" in done.out


def test_completion_completes(sealstead: Command) -> None:
    done = sealstead(
        environment={
            "_SEALSTEAD_COMPLETE": "bash_complete",
            "COMP_WORDS": "sealstead admin cr",
            "COMP_CWORD": "2",
        }
    )
    assert "plain,create-user" in done.out.split()
    assert "plain,check" not in done.out.split()


def test_the_other_name_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from sealstead.cli.signotaur_tool import main; main()", "config", "path"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=clean_environment({"HOME": "/home/of-nobody"}),
    )
    assert (done.returncode, done.stdout) == (
        0,
        "/home/of-nobody/.signotaur/config.json\n",
    )
    assert done.stderr.startswith("SignotaurTool of Sealstead ")


@pytest.mark.parametrize("arguments", ["keygen --no-keyring --key-dir keys", "--help"])
def test_a_full_disk_behind_the_output_is_told(tmp_path: Path, arguments: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sealstead", "profile", *arguments.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=300,
            env=clean_environment({"HOME": str(tmp_path)}),
            cwd=tmp_path,
        )
    assert done.returncode == 5
    assert done.stderr.splitlines()[-2:] == [
        "error: the output cannot be written: No space left on device",
        "hint: the command may have done its work: look before running it again",
    ]


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    script = "import os, sys; os.rmdir(os.getcwd()); from sealstead.cli.main import main; main(['profile', 'key-info'])"
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=clean_environment({"HOME": str(tmp_path)}),
        cwd=gone,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "error: the current directory is gone\nhint: cd to one that is there\n",
    )


@pytest.mark.parametrize("command", ["inspect", "validate", "dump"])
def test_a_stranger_s_profile_sends_nothing_to_the_terminal_but_text(
    sealstead: Command, tmp_path: Path, command: str
) -> None:
    name = r"\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eada"
    profile = tmp_path / "pypi_profile.toml"
    profile.write_text(
        f'"bad{name}" = 1\n[profile]\nkind = "individual"\ndisplay_name = "{name}"\n'
        f'[identity]\npypi_username = "ada"\ndisplay_name = "{name}"\n'
    )
    done = sealstead("profile", command, profile, environment={"HOME": str(tmp_path)})
    assert not set(done.out + done.err) & set("\x1b\x07\x9b\u202e")
    assert "ada" in done.out + done.err
    if command == "dump":
        assert json.loads(done.out)["identity"]["display_name"] == "\x1b[2J\x1b]0;owned\x07\x9b31m\u202eada"
