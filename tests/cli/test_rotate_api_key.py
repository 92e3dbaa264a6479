"""`rotate-key`: whatever ends the client, the server or an answer, there is one successor and the holder has a key."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.death import Killed, dies_at
from tests.fakes.signing_server import FakeSigningServer
from tests.pipeline import Pipeline

DAY = timedelta(days=1)


@pytest.fixture
def old(pipeline: Pipeline, signing: FakeSigningServer) -> str:
    """A good key with both roles, stored where the documentation stores it."""
    text = signing.issue(name="release").text.reveal()
    pipeline.store(text)
    return text


def rotate(pipeline: Pipeline, *arguments: object, **more: Any) -> Any:
    """Run the mission's line: read and overwrite the same file."""
    files = ("--api-key-file", pipeline.key_file, "--write-key-file", pipeline.key_file)
    return pipeline.run("rotate-key", *files, *arguments, **more)


def held(pipeline: Pipeline) -> str:
    return pipeline.key_file.read_text().strip()


def leftovers(pipeline: Pipeline) -> list[str]:
    return sorted(path.name for path in pipeline.root.rglob("*") if path.name.endswith((".tmp", ".rotation")))


def test_a_key_file_that_others_can_read_is_told_once(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    pipeline.key_file.chmod(0o644)
    assert rotate(pipeline).err.count("open to other users") == 1


def test_the_mission_s_line_replaces_the_key_in_its_own_file(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    done = rotate(pipeline)
    assert (done.code, done.out) == (0, "")
    new = held(pipeline)
    assert new != old
    assert pipeline.key_file.stat().st_mode & 0o777 == 0o600
    assert signing.knows(new)
    assert signing.knows(old)
    assert "revoked automatically by rotation from 2026-01-08" in done.err
    signing.clock.move(7 * DAY)
    assert signing.knows(new)
    assert not signing.knows(old)
    assert new not in done.err
    assert leftovers(pipeline) == []


def test_json_tells_everything_but_the_secret(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    done = rotate(pipeline, "--json", "--overlap-days", "14")
    told = done.json
    assert told["rotated"] is True
    assert told["key"]["predecessor"]["retires_at"] == "2026-01-15T12:00:00Z"
    assert told["written_to"] == [str(pipeline.key_file)]
    assert held(pipeline) not in done.out
    assert old not in done.out


def test_without_an_option_the_overlap_is_the_server_s_to_propose(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    signing.proposes = 3 * DAY
    assert "overlap as the server proposes" in rotate(pipeline, "--dry-run").err
    assert "revoked automatically by rotation from 2026-01-04" in rotate(pipeline).err


def test_overlap_zero_ends_the_old_key_at_once(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    assert rotate(pipeline, "--overlap-days", "0").code == 0
    assert not signing.knows(old)
    assert signing.knows(held(pipeline))


def test_no_auto_revoke_leaves_the_end_to_a_person(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    done = rotate(pipeline, "--no-auto-revoke")
    assert "stays good until somebody revokes it" in done.err
    signing.clock.move(60 * DAY)
    assert signing.knows(old)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--overlap-days", "31"),
        ("--overlap-days", "-1"),
        ("--overlap-days", "abc"),
        ("--overlap", "31d"),
        ("--overlap", "7d", "--overlap-days", "7"),
        ("--if-expiring-within", "soon"),
        ("--emit-secret", "travis"),
        ("--emit-secret", "github"),
        ("--emit-secret", "azure:variable="),
        ("--emit-secret", "gitlab", "--json"),
        ("--write-env-file", "%HOME%/x"),
    ],
)
def test_a_mistake_is_told_before_the_server_is_asked(
    pipeline: Pipeline, signing: FakeSigningServer, old: str, arguments: tuple[str, ...]
) -> None:
    assert rotate(pipeline, *arguments).code == 2
    assert signing.asked == []
    assert held(pipeline) == old


def test_a_key_that_would_go_nowhere_is_not_made(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    done = pipeline.run("rotate-key", "--af", pipeline.key_file, "--json")
    assert (done.code, done.error) == (2, "nowhere-to-go")
    done = pipeline.run("rotate-key", "--af", pipeline.key_file, "--wk", "/proc/none/key", "--json")
    assert done.error == "key-write"
    (pipeline.here / "other.env").write_text("SIGNOTAUR_API_KEY=x\nB=1\n")
    done = pipeline.run("rotate-key", "--af", pipeline.key_file, "--wk", "other.env", "--json")
    assert done.error == "key-target"
    line = ("rotate-key", "--af", pipeline.key_file, "--emit-secret", "jenkins")
    done = pipeline.run(*line, stdout_closed=True)
    assert (done.code, done.err.splitlines()[-2]) == (
        5,
        "error: the output cannot be written: standard output is closed",
    )
    assert signing.asked == []


def test_one_source_of_the_key(pipeline: Pipeline, signing: FakeSigningServer, old: str) -> None:
    done = rotate(pipeline, "--api-key", old, "--json")
    assert (done.code, done.error) == (2, "two-api-keys")
    pipeline.environment["MY_KEY"] = old
    done = pipeline.good("rotate-key", "--akn", "MY_KEY", "--we", ".env", "--wn", "MY_KEY")
    assert "set it anew where it is defined" in done.err
    assert signing.knows((pipeline.here / ".env").read_text().strip().removeprefix("MY_KEY="))


def test_a_key_written_into_the_settings_by_hand_is_told_to_be_old(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    pipeline.config.write_text(json.dumps({"apiKey": old}))
    done = pipeline.good("rotate-key", "--wk", "key.txt")
    assert "still is the old key: run `config unset apiKey`" in done.err
    assert json.loads(pipeline.config.read_text()) == {"apiKey": old}
    assert signing.knows((pipeline.here / "key.txt").read_text().strip())


def test_the_source_may_be_a_dotenv_file_and_is_kept_as_such(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    env = pipeline.here / ".env"
    env.write_text(f"A=1\nexport SIGNOTAUR_API_KEY='{old}'\nB=2\n")
    pipeline.good("rotate-key", "--af", ".env", "--we", ".env")
    before, line, after, _ = env.read_text().split("\n")
    assert (before, after) == ("A=1", "B=2")
    assert signing.knows(line.removeprefix("export SIGNOTAUR_API_KEY="))


def test_only_when_it_ends_soon(pipeline: Pipeline, signing: FakeSigningServer, old: str) -> None:
    done = rotate(pipeline, "--if-expiring-within", "14d", "--emit-secret", "gitlab")
    assert (done.code, done.out) == (0, "")
    assert "nothing was done" in done.err
    assert held(pipeline) == old
    signing.clock.move(76 * DAY)
    assert rotate(pipeline, "--if-expiring-within", "14d").code == 0
    assert held(pipeline) != old


def test_a_rehearsal_changes_nothing(pipeline: Pipeline, signing: FakeSigningServer, old: str) -> None:
    assert rotate(pipeline, "--dry-run", "--json").json["would_rotate"] is True
    assert signing.rotations == 0
    assert held(pipeline) == old


@pytest.mark.parametrize(
    ("platform", "line"),
    [
        ("azure:K", "##vso[task.setsecret]{0}\n##vso[task.setvariable variable=K;issecret=true]{0}\n"),
        ("teamcity:env.K", "##teamcity[setParameter name='env.K' value='{0}']\n"),
        (
            "continua:serverVar=SignotaurApiKey",
            "@@continua[setServerVariable name='SignotaurApiKey' value='{0}']\n",
        ),
        ("jenkins", "SIGNOTAUR_API_KEY={0}\n"),
        ("custom:key is {key}", "key is {0}\n"),
    ],
)
def test_a_build_server_is_told_and_nothing_else_is_on_stdout(
    pipeline: Pipeline, signing: FakeSigningServer, old: str, platform: str, line: str
) -> None:
    done = rotate(pipeline, "--emit-secret", platform)
    assert done.out == line.format(held(pipeline))
    assert leftovers(pipeline) == []


def test_github_reads_a_file_and_masks_first(
    pipeline: Pipeline, signing: FakeSigningServer, old: str, tmp_path: Path
) -> None:
    told = tmp_path / "env"
    told.write_text("A=1")
    pipeline.environment |= {"GITHUB_ENV": str(told), "SIGNOTAUR_API_KEY": old}
    done = pipeline.good("rotate-key", "--emit-secret", "github:env=SIGN_KEY")
    new = told.read_text().removeprefix("A=1\nSIGN_KEY=").strip()
    assert signing.knows(new)
    assert done.out == f"::add-mask::{new}\n"


@pytest.mark.parametrize("overlap", ["7", "0"])
@pytest.mark.parametrize("fault", ["lost", "cut", "503", "502", "text:no json", "404"])
def test_an_answer_that_does_not_arrive_makes_no_second_successor(
    pipeline: Pipeline, signing: FakeSigningServer, old: str, fault: str, overlap: str
) -> None:
    signing.fault = lambda _, path: fault if path.endswith("/rotate") else None
    done = rotate(pipeline, "--overlap-days", overlap)
    assert done.code == 5
    assert "run the same command again to finish" in done.err
    assert held(pipeline) == old
    signing.fault = lambda _method, _path: None
    done = rotate(pipeline, "--overlap-days", overlap)
    assert done.code == 0, done.err
    assert "brought to its end" in done.err
    assert len(signing.rows) == 2
    assert signing.knows(held(pipeline))
    assert leftovers(pipeline) == []


@pytest.mark.parametrize("overlap", ["7", "0"])
def test_one_lost_answer_is_asked_for_again_at_once(
    pipeline: Pipeline, signing: FakeSigningServer, old: str, overlap: str
) -> None:
    signing.fault = lambda _, path: "lost" if path.endswith("/rotate") and signing.rotations == 1 else None
    assert rotate(pipeline, "--overlap-days", overlap).code == 0
    assert len(signing.rows) == 2
    assert signing.knows(held(pipeline))


def test_it_is_finished_after_the_overlap_has_ended(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    signing.fault = lambda _, path: "lost" if path.endswith("/rotate") else None
    assert rotate(pipeline).code == 5
    signing.fault = lambda _method, _path: None
    signing.clock.move(8 * DAY)
    assert not signing.knows(old)
    assert rotate(pipeline).code == 0
    assert signing.knows(held(pipeline))


def test_a_build_job_without_files_finishes_too(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    pipeline.environment["SIGNOTAUR_API_KEY"] = old
    signing.fault = lambda _, path: "lost" if path.endswith("/rotate") else None
    assert pipeline.run("rotate-key", "--emit-secret", "gitlab").code == 5
    assert [path.parent.name for path in pipeline.root.rglob("*.rotation")] == ["pending"]
    signing.fault = lambda _method, _path: None
    done = pipeline.good("rotate-key", "--emit-secret", "gitlab")
    assert signing.knows(done.out.strip().removeprefix("SIGNOTAUR_API_KEY="))
    assert len(signing.rows) == 2


@pytest.mark.parametrize("overlap", ["7", "0"])
def test_a_line_that_the_build_server_lost_is_said_again(
    pipeline: Pipeline, signing: FakeSigningServer, old: str, overlap: str
) -> None:
    """Nobody locked out, no second successor; and once the key has arrived, no copy of it stays."""
    line = ("rotate-key", "--emit-secret", "{key}", "--overlap-days", overlap)
    pipeline.environment["SIGNOTAUR_API_KEY"] = old
    new = pipeline.good(*line).out.strip()
    assert [path.stat().st_mode & 0o777 for path in pipeline.root.rglob("*.rotation")] == [0o600]
    assert pipeline.good(*line).out.strip() == new
    assert len(signing.rows) == 2
    pipeline.environment["SIGNOTAUR_API_KEY"] = new
    pipeline.good(*line, "--if-expiring-within", "1d")
    assert leftovers(pipeline) == []
    assert pipeline.good(*line).out.strip() != new
    assert len(signing.rows) == 3


@pytest.mark.parametrize(
    ("facts", "code", "error"),
    [
        ({"roles": ("Standard",)}, 1, "api-key-not-allowed"),
        ({"revoked": True}, 3, "api-key-refused"),
        ({"lasts": timedelta(seconds=-1)}, 3, "api-key-refused"),
    ],
)
def test_a_key_that_may_not_leaves_nothing_behind(
    pipeline: Pipeline, signing: FakeSigningServer, facts: dict[str, Any], code: int, error: str
) -> None:
    text = signing.issue(**facts).text.reveal()
    pipeline.store(text)
    done = rotate(pipeline, "--json")
    assert (done.code, done.error) == (code, error)
    assert held(pipeline) == text
    assert leftovers(pipeline) == []


def test_a_rotated_key_is_not_rotated_again_and_the_successor_is_named(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    """A thief, or another pipeline, was first, and its key is in use."""
    elsewhere = Pipeline(root=pipeline.root / "elsewhere", environment=dict(pipeline.environment))
    thief = elsewhere.good("rotate-key", "-a", old, "--emit-secret", "gitlab").out.strip()
    new = next(row for row in signing.rows.values() if row.predecessor)
    new.used = True
    done = rotate(pipeline, "--json")
    assert (done.code, done.error) == (1, "server-conflict")
    assert new.id in done.err
    assert "somebody else holds the key" in done.err
    assert thief.removeprefix("SIGNOTAUR_API_KEY=") not in done.err
    assert held(pipeline) == old
    assert [path.name for path in pipeline.key_file.parent.iterdir()] == [pipeline.key_file.name]


def test_what_is_staged_for_another_key_is_not_thrown_away(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    signing.fault = lambda _, path: "lost" if path.endswith("/rotate") else None
    rotate(pipeline)
    signing.fault = lambda _method, _path: None
    other = signing.issue().text.reveal()
    pipeline.store(other)
    done = rotate(pipeline, "--json")
    assert (done.code, done.error) == (1, "other-rotation")
    assert held(pipeline) == other
    assert rotate(pipeline, "--force").code == 0
    assert held(pipeline) != other
    assert leftovers(pipeline) == []


def test_what_is_staged_and_dead_is_forgotten(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    signing.fault = lambda _, path: "cut" if path.endswith("/rotate") else None
    rotate(pipeline)
    signing.fault = lambda _method, _path: None
    pipeline.store(signing.issue().text.reveal())
    assert rotate(pipeline).code == 0
    assert leftovers(pipeline) == []


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'{"version": 9}', b"\xff", b"[" * 9000])
def test_a_damaged_record_stops_it(
    pipeline: Pipeline, signing: FakeSigningServer, old: str, content: bytes
) -> None:
    record = pipeline.key_file.with_name(".api_key.txt.rotation")
    record.write_bytes(content)
    done = rotate(pipeline, "--json")
    assert (done.code, done.error) == (1, "staged-key")
    assert signing.rotations == 0
    assert rotate(pipeline, "--force").code == 0


def test_two_at_once_make_one_successor(pipeline: Pipeline, signing: FakeSigningServer, old: str) -> None:
    """The second one waits while the first one is at work, and then finds its key replaced."""
    folder = os.open(pipeline.key_file.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)

    def finish(_: float) -> None:
        pipeline.store(signing.issue().text.reveal())
        fcntl.flock(folder, fcntl.LOCK_UN)

    pipeline.pause = finish
    done = rotate(pipeline, "--json")
    os.close(folder)
    assert (done.code, done.error) == (1, "rotated-meanwhile")
    assert signing.asked == []
    assert held(pipeline) != old
    assert leftovers(pipeline) == []


def test_while_one_asks_nobody_else_may(pipeline: Pipeline, signing: FakeSigningServer, old: str) -> None:
    refused: list[bool] = []

    def busy(_: str, path: str) -> None:
        handle = os.open(pipeline.key_file.parent, os.O_RDONLY)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            refused.append(False)
        os.close(handle)

    signing.fault = busy  # type: ignore[assignment]
    assert rotate(pipeline).code == 0
    assert refused == []


@pytest.mark.parametrize("arguments", [(), ("--emit-secret", "gitlab"), ("--overlap-days", "0")])
def test_killed_anywhere_the_holder_has_a_key_and_the_next_run_finishes(
    pipeline: Pipeline, signing: FakeSigningServer, arguments: tuple[str, ...]
) -> None:
    number = 0
    while True:
        text = signing.issue().text.reveal()
        count = len(signing.rows)
        pipeline.store(text)
        try:
            with dies_at(number):
                assert rotate(pipeline, *arguments).code == 0
            break
        except Killed:
            at_rest = held(pipeline)
            staged = [json.loads(path.read_text())["key"] for path in pipeline.root.rglob("*.rotation")]
            assert any(map(signing.knows, [at_rest, *staged]))
        done = rotate(pipeline, *arguments)
        assert done.code == 0, done.err
        assert signing.knows(held(pipeline))
        # One successor, or two where nothing told the second run that the first one had finished its work.
        assert len(signing.rows) - count <= (1 if at_rest == text or staged else 2)
        assert leftovers(pipeline) == []
        number += 1
    assert number > 8


def test_the_status_shows_where_the_old_key_is_still_used(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    rotate(pipeline)
    done = pipeline.good("auth", "status", "--af", pipeline.key_file)
    assert "used since   nowhere since the rotation" in done.out
    first = next(iter(signing.rows.values()))
    first.uses = [
        {"address": "192.0.2.7", "count": 12, "last_at": "2026-01-02T03:04:05Z"},
        {"address": "192.0.2.8", "count": 1, "last_at": "2026-01-02T03:04:05Z"},
    ]
    done = pipeline.good("auth", "status", "--af", pipeline.key_file)
    assert "12 times from 192.0.2.7, last 2026-01-02 03:04:05 UTC" in done.out
    assert "once from 192.0.2.8" in done.out
    done = pipeline.good("auth", "status", "--af", pipeline.key_file, "--json")
    assert done.json["predecessor"]["uses_since_rotation"] == first.uses
    assert held(pipeline) not in done.out
    before = pipeline.good("auth", "status", "-a", old)
    assert "revoked automatically by rotation from then on" in before.out
    assert "not used yet" in before.out
    signing.clock.move(7 * DAY)
    done = pipeline.good("auth", "status", "--af", pipeline.key_file)
    assert f"predecessor  {first.id}, revoked automatically by rotation, at " in done.out


def test_the_status_ends_with_four_where_the_key_ends_soon(
    pipeline: Pipeline, signing: FakeSigningServer, old: str
) -> None:
    line = ("auth", "status", "--af", pipeline.key_file, "--fail-if-expiring-within", "7d")
    assert pipeline.run(*line).code == 0
    signing.clock.move(83 * DAY)
    assert pipeline.run(*line).code == 4
    pipeline.store(signing.issue(lasts=None).text.reveal())
    assert pipeline.run(*line).code == 0
    before = pipeline.key_file.read_text().strip()
    rotate(pipeline)
    assert pipeline.run(*line).code == 0
    # The old one ends with the overlap, however long it would have lasted.
    assert pipeline.run("auth", "status", "-a", before, "--fail-if-expiring-within", "7d").code == 4
