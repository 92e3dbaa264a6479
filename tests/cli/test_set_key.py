"""`auth set-key`, as the mission document shows it and as pipelines misuse it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.fakes.death import Killed, dies_at
from tests.fakes.signing_server import FakeSigningServer
from tests.pipeline import Pipeline
from tests.programs import require_program

from sealstead.formats.api_key_text import ApiKeyText, make_api_key


@pytest.fixture
def key() -> ApiKeyText:
    return make_api_key(lambda count: bytes(range(count)))


@pytest.fixture
def text(key: ApiKeyText) -> str:
    return key.text.reveal()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def git_tree(path: Path) -> Path:
    git = require_program("git")
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run([git, "init", "-q", str(path)], check=True, capture_output=True)
    return path


@pytest.mark.parametrize("form", ["{}\n", "{}\r\n", "{}", "\ufeff  {} \r\n\r\n", '"{}"\r\n', "{} \r\n"])
def test_the_mission_s_line_stores_the_key_alone(pipeline: Pipeline, text: str, form: str) -> None:
    done = pipeline.good(
        "auth", "set-key", "--from-stdin", "--write-key-file", pipeline.key_file, stdin=form.format(text)
    )
    assert pipeline.key_file.read_text() == f"{text}\n"
    assert mode(pipeline.key_file) == 0o600
    assert mode(pipeline.key_file.parent) == 0o700
    assert done.out == ""
    assert text not in done.err
    assert "warning" not in done.err


def test_any_other_line_is_stored_with_a_warning(pipeline: Pipeline) -> None:
    """`echo your-api-key-here | …` is what the documentation says."""
    done = pipeline.good("auth", "set-key", "--fs", "--wk", pipeline.key_file, stdin="your-api-key-here \r\n")
    assert pipeline.key_file.read_text() == "your-api-key-here\n"
    assert "warning: what was stored is not shaped like an API key of this product" in done.err


def test_what_a_windows_shell_pipes(pipeline: Pipeline, text: str) -> None:
    pipeline.good("auth", "set-key", "--fs", "--wk", "key.txt", stdin=f"\ufeff{text}\r\n".encode("utf-16-le"))
    assert (pipeline.here / "key.txt").read_text() == f"{text}\n"


def test_a_mistyped_key_is_not_stored(pipeline: Pipeline, text: str) -> None:
    for damaged in (text[:-1], text[:20] + "x" + text[21:], text + "0"):
        done = pipeline.run("auth", "set-key", "--fs", "--wk", "k", "--json", stdin=damaged)
        assert (done.code, done.error) == (2, "damaged-api-key")
        assert damaged not in done.err
    assert not (pipeline.here / "k").exists()


@pytest.mark.parametrize(
    "stdin",
    [b"", b"\r\n \n", b"one\ntwo\n", b"\xfe\xff\x00", b"\x80\x81", b"a\x00b", b"# x", b"A=b", b"x" * 70_000],
)
def test_what_is_no_key_is_not_stored(pipeline: Pipeline, stdin: bytes) -> None:
    done = pipeline.run("auth", "set-key", "--fs", "--wk", "k", "--json", stdin=stdin)
    assert (done.code, done.error) == (2, "key-input")
    assert not (pipeline.here / "k").exists()


def test_from_a_variable_and_from_the_command_line(pipeline: Pipeline, text: str) -> None:
    pipeline.environment["CI_KEY"] = f"{text}\n"
    pipeline.good("auth", "set-key", "--from-env", "CI_KEY", "--wk", "a")
    done = pipeline.good("auth", "set-key", "-a", text, "--wk", "b")
    assert (pipeline.here / "a").read_bytes() == (pipeline.here / "b").read_bytes()
    assert "stood on the command line" in done.err
    assert pipeline.run("auth", "set-key", "--fe", "NO_SUCH", "--wk", "c", "--json").error == "no-api-key"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--fs",),
        ("--wk", "k"),
        ("--fs", "--fe", "X", "--wk", "k"),
        ("--fs", "-a", "x", "--wk", "k"),
        ("--fs", "--wk", "k", "--we", "e"),
        ("--fs", "--wk", "k", "--wn", "N"),
        ("--fs", "--we", "k", "--wn", "1N"),
    ],
)
def test_exactly_one_input_and_one_output(pipeline: Pipeline, arguments: tuple[str, ...]) -> None:
    assert pipeline.run("auth", "set-key", *arguments, stdin="x").code == 2
    assert list(pipeline.here.iterdir()) == []


def test_a_dotenv_file_keeps_its_other_lines(pipeline: Pipeline, text: str) -> None:
    env = pipeline.here / ".env"
    env.write_bytes(b"# ours\r\nA='1'\r\nexport SIGN_KEY=old\r\nB=2")
    env.chmod(0o644)
    pipeline.good("auth", "set-key", "--fs", "--we", ".env", "--wn", "SIGN_KEY", stdin=text)
    assert env.read_bytes() == f"# ours\r\nA='1'\r\nexport SIGN_KEY={text}\r\nB=2".encode()
    assert mode(env) == 0o600
    pipeline.good("auth", "set-key", "--fs", "--we", ".env", stdin=text)
    assert env.read_text().endswith(f"SIGNOTAUR_API_KEY={text}\n")


@pytest.mark.parametrize(
    ("output", "content"), [("--we", "seal_of_somebody\n"), ("--wk", "SIGNOTAUR_API_KEY=x\nDATABASE=y\n")]
)
def test_a_file_of_the_other_kind_is_left_alone(
    pipeline: Pipeline, text: str, output: str, content: str
) -> None:
    (pipeline.here / "f").write_text(content)
    done = pipeline.run("auth", "set-key", "--fs", output, "f", "--json", stdin=text)
    assert (done.code, done.error) == (2, "key-target")
    assert (pipeline.here / "f").read_text() == content


def test_if_missing_asks_nobody_and_changes_nothing(
    pipeline: Pipeline, signing: FakeSigningServer, text: str
) -> None:
    pipeline.store("kept")
    done = pipeline.good(
        "auth", "set-key", "--fs", "--wk", pipeline.key_file, "--if-missing", "--verify", "--json", stdin=text
    )
    assert done.json["written"] is False
    assert pipeline.key_file.read_text() == "kept\n"
    assert signing.asked == []
    pipeline.key_file.write_text("")
    pipeline.good("auth", "set-key", "--fs", "--wk", pipeline.key_file, "--im", stdin=text)
    assert pipeline.key_file.read_text() == f"{text}\n"


def test_if_missing_means_the_variable_in_a_dotenv_file(pipeline: Pipeline, text: str) -> None:
    (pipeline.here / ".env").write_text("A=1\n")
    pipeline.good("auth", "set-key", "--fs", "--we", ".env", "--im", stdin=text)
    pipeline.good("auth", "set-key", "--fs", "--we", ".env", "--im", stdin="other")
    assert (pipeline.here / ".env").read_text() == f"A=1\nSIGNOTAUR_API_KEY={text}\n"


def test_verify_asks_the_server_first(pipeline: Pipeline, signing: FakeSigningServer, text: str) -> None:
    done = pipeline.run("auth", "set-key", "--fs", "--wk", "k", "--verify", "--json", stdin=text)
    assert (done.code, done.error) == (3, "api-key-refused")
    assert not (pipeline.here / "k").exists()
    good = signing.issue(name="release").text.reveal()
    done = pipeline.good("auth", "set-key", "--fs", "--wk", "k", "--vf", stdin=good)
    assert "knows the key: release of ada" in done.err
    assert (pipeline.here / "k").read_text() == f"{good}\n"
    told = pipeline.good("auth", "set-key", "--fs", "--wk", "k", "--vf", "--json", stdin=good)
    assert (told.json["key"]["name"], told.json["server"]) == ("release", signing.url)
    assert (told.json["written"], told.json["warning"]) == (True, None)
    assert "release" not in told.err
    assert good not in told.out


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (r"%USERPROFILE%\.signotaur\api_key.txt", '"$HOME/.signotaur/api_key.txt"'),
        ("%APPDATA%/key", '"$APPDATA/key"'),
        ("%USERPROFILE%.signotaurapi_key.txt", "~/.signotaur/api_key.txt"),
    ],
)
def test_an_unexpanded_windows_variable_is_refused(
    pipeline: Pipeline, text: str, path: str, hint: str
) -> None:
    done = pipeline.run("auth", "set-key", "--fs", "--wk", path, stdin=text)
    assert done.code == 2
    assert "hint: write" in done.err
    assert hint in done.err
    assert list(pipeline.here.iterdir()) == []


def test_a_tilde_that_no_shell_saw_is_home(pipeline: Pipeline, text: str) -> None:
    pipeline.good("auth", "set-key", "--fs", "--wk=~/k/api", stdin=text)
    assert (pipeline.home / "k" / "api").read_text() == f"{text}\n"


def test_paths_begin_at_the_base_directory(pipeline: Pipeline, text: str) -> None:
    (pipeline.home / "work").mkdir()
    pipeline.good("auth", "set-key", "--fs", "--wk", "k", "-b", pipeline.home / "work", stdin=text)
    assert (pipeline.home / "work" / "k").exists()
    assert pipeline.run("auth", "set-key", "--fs", "--wk", "k", "-b", "none", stdin=text).code == 2


def test_a_git_work_tree_takes_no_secret_unless_it_ignores_it(pipeline: Pipeline, text: str) -> None:
    tree = git_tree(pipeline.here / "tree")
    target = tree / "conf" / "new" / "key.txt"
    done = pipeline.run("auth", "set-key", "--fs", "--wk", target, "--json", stdin=text)
    assert (done.code, done.error) == (1, "inside-git-tree")
    assert not target.parent.exists()
    (tree / ".gitignore").write_text("key.txt\n")
    pipeline.good("auth", "set-key", "--fs", "--wk", target, stdin=text)
    # A name that would be a pattern to git, which stands for the file that is ignored.
    assert pipeline.run("auth", "set-key", "--fs", "--wk", tree / ":(top)key.txt", stdin=text).code == 1
    (tree / ".gitignore").unlink()
    assert pipeline.run("auth", "set-key", "--fs", "--wk", target, stdin=text).code == 1
    pipeline.good("auth", "set-key", "--fs", "--wk", target, "--force", stdin=text)


def test_a_tracked_file_is_refused_though_a_pattern_names_it(pipeline: Pipeline, text: str) -> None:
    tree = git_tree(pipeline.here / "tree")
    (tree / "k.env").write_text("A=1\n")
    subprocess.run(["git", "-C", tree, "add", "k.env"], check=True, capture_output=True)
    (tree / ".gitignore").write_text("*.env\n")
    done = pipeline.run("auth", "set-key", "--fs", "--we", tree / "k.env", "--json", stdin=text)
    assert done.error == "inside-git-tree"


def test_where_git_cannot_be_asked_the_answer_is_no(pipeline: Pipeline, text: str) -> None:
    (pipeline.here / ".git").write_text("gitdir: nowhere\n")
    pipeline.environment["PATH"] = str(pipeline.home)
    done = pipeline.run("auth", "set-key", "--fs", "--wk", "k", "--json", stdin=text)
    assert done.error == "inside-git-tree"
    assert "no git to ask" in done.err


def test_a_symbolic_link_is_not_written_through(pipeline: Pipeline, text: str) -> None:
    (pipeline.here / "real").write_text("x\n")
    (pipeline.here / "link").symlink_to("real")
    done = pipeline.run("auth", "set-key", "--fs", "--wk", "link", "--json", stdin=text)
    assert (done.code, done.error) == (3, "unsafe-file")
    assert (pipeline.here / "real").read_text() == "x\n"


def test_a_directory_that_takes_nothing_is_told(pipeline: Pipeline, text: str) -> None:
    (pipeline.here / "file").write_text("")
    done = pipeline.run("auth", "set-key", "--fs", "--wk", "file/key", "--json", stdin=text)
    assert done.error == "unreadable-file"


def test_killed_anywhere_the_file_is_old_or_new_and_the_next_run_cleans_up(
    pipeline: Pipeline, text: str
) -> None:
    line = ("auth", "set-key", "--fs", "--we", "conf/.env")
    number = 0
    while True:
        conf = pipeline.here / "conf"
        conf.mkdir()
        (conf / ".env").write_text("A=1\nSIGNOTAUR_API_KEY=old\n")
        try:
            with dies_at(number):
                pipeline.good(*line, stdin=text)
            break
        except Killed:
            found = (conf / ".env").read_text()
            assert found in ("A=1\nSIGNOTAUR_API_KEY=old\n", f"A=1\nSIGNOTAUR_API_KEY={text}\n")
        pipeline.good(*line, stdin=text)
        assert [path.name for path in conf.iterdir()] == [".env"]
        (conf / ".env").unlink()
        conf.rmdir()
        number += 1
    assert number > 5
