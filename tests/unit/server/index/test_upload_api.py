"""The upload protocol from the outside, in process: what is answered, and that nothing was written."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import make_sdist, make_wheel, wheel_members, zip_bytes
from tests.fakes.clock import START, FakeClock
from tests.rows import make_project, make_user
from tests.uploads import CONTENT_TYPE, body_of, form_of, issue_token, part, parts_of

from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.index import states
from sealstead.server.index.blobs import LocalBlobs
from sealstead.server.index.models import File, IndexState, Project, Release, Role, RoleName
from sealstead.server.index.names import confusable_name
from sealstead.server.problem import help_link

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class Bench:
    """An account with a token, a place for files, and a way to send them."""

    def __init__(self, directory: Path, clock: FakeClock) -> None:
        self.directory = directory
        self.clock = clock
        self.owner = make_user("ada")
        self.token = issue_token("ada")
        self.blobs = LocalBlobs(django_settings.SEALSTEAD.data_dir / "blobs")
        mail.outbox.clear()

    def wheel(self, name: str = "example", version: str = "1.0", **options: object) -> Path:
        return make_wheel(self.directory, name, version, **options)  # type: ignore[arg-type]

    def sdist(self, name: str = "example", version: str = "1.0", **options: object) -> Path:
        return make_sdist(self.directory, name, version, **options)  # type: ignore[arg-type]

    def post(self, body: bytes, *, token: str | None = None, query: str = "", **headers: str) -> Answer:
        response = Client().post(
            "/legacy/" + query,
            data=body,
            content_type=headers.pop("content_type", CONTENT_TYPE),
            headers={"Authorization": f"Bearer {self.token if token is None else token}"} | headers,
        )
        return Answer(response.status_code, response.reason_phrase, response.content.decode())

    def send(
        self, path: Path, *, token: str | None = None, filename: str | None = None, **changes: object
    ) -> Answer:
        return self.post(body_of(path, filename=filename, **changes), token=token)  # type: ignore[arg-type]

    def refused_event(self) -> Event:
        return Event.objects.get(tag="file:refused")

    def blob_names(self) -> set[str]:
        root = self.blobs.root
        return {"".join(path.relative_to(root).parts) for path in root.glob("??/*") if path.is_file()}

    def incoming(self) -> list[Path]:
        return list(self.blobs.incoming.iterdir()) if self.blobs.incoming.exists() else []


class Answer:
    def __init__(self, status: int, reason: str, text: str) -> None:
        self.status = status
        self.reason = reason
        self.text = text

    def __repr__(self) -> str:
        return f"{self.status} {self.reason}: {self.text}"


@pytest.fixture
def bench(tmp_path: Path, fake_clock: FakeClock, settings: object) -> Bench:
    (tmp_path / "data").mkdir()
    settings.SEALSTEAD = replace(settings.SEALSTEAD, data_dir=tmp_path / "data")  # type: ignore[attr-defined]
    return Bench(tmp_path, fake_clock)


def configure(settings: object, **changes: object) -> None:
    settings.SEALSTEAD = replace(settings.SEALSTEAD, **changes)  # type: ignore[attr-defined]


def test_a_first_upload_makes_project_release_and_file(bench: Bench) -> None:
    path = bench.wheel("My.Example", "1.0", description="# hello\n")
    answer = bench.send(
        path, name="My.Example", description="# hello\n", description_content_type="text/markdown"
    )
    assert (answer.status, answer.text) == (200, f"{path.name}: stored\n")
    project = Project.objects.get()
    assert (project.name, project.normalized_name) == ("My.Example", "my-example")
    assert (project.confusable_name, project.summary) == ("myexamp1e", "An example")
    role = Role.objects.get()
    assert (role.user, role.role, role.project) == (bench.owner, RoleName.OWNER, project)
    release = Release.objects.get()
    assert (release.version, release.canonical_version, release.created_at) == ("1.0", "1", START)
    assert "hello</h" in release.description_html
    assert release.metadata["summary"] == "An example"
    file = File.objects.get()
    data = path.read_bytes()
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert file.blake2b == hashlib.blake2b(data, digest_size=32).hexdigest()
    assert file.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert (file.size, file.filename, file.filetype) == (len(data), path.name, "bdist_wheel")
    assert (file.python_version, file.uploaded_by) == ("py3", bench.owner)
    assert bench.blobs.path(file.blake2b).read_bytes() == data
    metadata = bench.blobs.path(file.metadata_blake2b).read_bytes()
    assert metadata.startswith(b"Metadata-Version:")
    assert hashlib.sha256(metadata).hexdigest() == file.metadata_sha256
    assert bench.incoming() == []
    assert IndexState.objects.get().serial == Project.objects.get().serial == 1
    events = {event.tag: event for event in Event.objects.filter(project="my-example")}
    assert set(events) == {"project:created", "file:uploaded"}
    uploaded = events["file:uploaded"]
    assert uploaded.credential_id == file.credential_id is not None
    assert (uploaded.actor_id, uploaded.details["filename"]) == (bench.owner.pk, path.name)


def test_an_sdist_joins_the_release(bench: Bench) -> None:
    assert bench.send(bench.wheel()).status == 200
    assert bench.send(bench.sdist()).status == 200
    assert Release.objects.count() == 1
    sdist = File.objects.get(filetype="sdist")
    assert (sdist.python_version, sdist.metadata_blake2b) == ("source", "")
    assert IndexState.objects.get().serial == 2


def test_equal_versions_are_one_release(bench: Bench) -> None:
    assert bench.send(bench.wheel(version="1.0")).status == 200
    assert bench.send(bench.wheel(version="1.0.0")).status == 200
    assert Release.objects.count() == 1


def test_the_same_file_again_is_answered_and_nothing_done(bench: Bench) -> None:
    path = bench.wheel()
    assert bench.send(path).status == 200
    events, blobs = set(Event.objects.values_list("pk", flat=True)), bench.blob_names()
    answer = bench.send(path)
    assert (answer.status, answer.text) == (200, f"{path.name}: already there, nothing done\n")
    assert (File.objects.count(), IndexState.objects.get().serial) == (1, 1)
    assert bench.blob_names() == blobs
    event = Event.objects.exclude(pk__in=events).get()
    assert (event.tag, event.project, event.details) == ("file:unchanged", "example", {"filename": path.name})
    assert event.credential_id == File.objects.get().credential_id is not None


def test_each_check_of_a_file_links_to_its_explanation(bench: Bench) -> None:
    for path in (bench.wheel(tag="cp311-cp311-linux_x86_64"), garbage(bench, "example-1.0-py3-none-any.whl")):
        assert bench.send(path).reason.endswith(f" See {help_link('file-checks')} for more information.")


@pytest.mark.parametrize(
    ("method", "path", "allow"), [("post", "/", "GET, HEAD"), ("get", "/legacy/", "POST")]
)
def test_the_wrong_address_or_method_names_the_right_one(method: str, path: str, allow: str) -> None:
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert (response.status_code, response["Allow"]) == (405, allow)
    assert "Uploads go to http://testserver/legacy/, by POST." in response.content.decode()


def test_the_same_name_with_other_content_is_refused(bench: Bench) -> None:
    assert bench.send(bench.wheel()).status == 200
    other = bench.wheel(files={"example/__init__.py": b"other\n"})
    digest = hashlib.blake2b(other.read_bytes(), digest_size=32).hexdigest()
    answer = bench.send(other)
    # The reason phrase is what old twine prints; clients look at its beginning.
    assert answer.status == 400
    assert answer.reason == (
        f"File already exists ('{other.name}', with blake2_256 hash '{digest}')."
        f" See {help_link('file-name-reuse')} for more information."
    )
    assert (bench.refused_event().code, File.objects.count()) == ("file-exists", 1)


def test_the_same_content_under_another_name_is_refused(bench: Bench) -> None:
    path = bench.wheel()
    assert bench.send(path).status == 200
    answer = bench.send(path, filename="example-1.0-py2.py3-none-any.whl")
    assert answer.reason.startswith("File already exists ('example-1.0-py2.py3-none-any.whl'")
    assert File.objects.count() == 1


def test_a_deleted_file_s_name_is_burned(bench: Bench) -> None:
    path = bench.wheel()
    assert bench.send(path).status == 200
    File.objects.update(deleted_at=START)
    for again in (path, bench.wheel(files={})):
        answer = bench.send(again)
        assert answer.status == 400
        assert answer.reason == (
            "This filename was previously used by a file that has since been deleted. Use a different version."
            f" See {help_link('file-name-reuse')} for more information."
        )
    assert Event.objects.filter(code="file-name-burned").count() == 2


def test_old_releases_are_closed_at_the_edge(bench: Bench) -> None:
    assert bench.send(bench.wheel()).status == 200
    bench.clock.move(timedelta(days=14) - timedelta(microseconds=1))
    assert bench.send(bench.sdist()).status == 200
    bench.clock.move(timedelta(microseconds=1))
    answer = bench.send(bench.wheel(tag="py2.py3-none-any"))
    assert answer.reason == (
        "Uploading new files to releases older than 14 days is not allowed."
        f" See {help_link('release-age')} for more information."
    )
    assert bench.refused_event().code == "release-closed"
    # What is there is still there: a repeated upload does not fail because of its age.
    assert bench.send(bench.wheel()).status == 200


def test_the_operator_may_leave_releases_open(bench: Bench, settings: object) -> None:
    configure(settings, release_closed_after=None)
    assert bench.send(bench.wheel()).status == 200
    bench.clock.move(timedelta(days=1000))
    assert bench.send(bench.sdist()).status == 200


def test_one_sdist_a_release(bench: Bench) -> None:
    assert bench.send(bench.sdist(version="1.0")).status == 200
    answer = bench.send(bench.sdist(version="1.0.0"))
    assert (answer.status, answer.reason) == (400, "Only one sdist may be uploaded per release.")
    assert bench.refused_event().code == "second-sdist"


@pytest.mark.parametrize("field", ["md5_digest", "sha256_digest", "blake2_256_digest"])
def test_every_digest_sent_is_compared(bench: Bench, field: str) -> None:
    path = bench.wheel()
    wrong = "0" * len(str(form_of(path)[field]))
    answer = bench.send(path, **{field: wrong})
    assert (answer.status, answer.reason) == (
        400,
        "The digest supplied does not match a digest calculated from the uploaded file.",
    )
    assert bench.refused_event().code == "digest-mismatch"
    assert_nothing_written(bench)


def assert_nothing_written(bench: Bench) -> None:
    assert not Project.objects.exists()
    assert not Release.objects.exists()
    assert not File.objects.exists()
    assert not Role.objects.exists()
    assert bench.blob_names() == set()
    assert bench.incoming() == []


REFUSALS: list[tuple[str, Callable[[Bench], Answer], str, str]] = [
    ("tuple", lambda b: b.post(parts_of(form_of(b.wheel())) + part("summary", b"x", filename="s") + b"--7f3c9f6a1f5e4b7d--"), "invalid-upload-field", "summary: Should not be a tuple."),
    ("protocol", lambda b: b.send(b.wheel(), protocol_version="2"), "invalid-upload-field", "Unknown protocol version."),
    ("name", lambda b: b.send(b.wheel(), name="ex ample"), "invalid-upload-field", "Start and end with a letter or numeral"),
    ("filetype", lambda b: b.send(b.wheel(), filetype="bdist_egg"), "invalid-upload-field", "Use a known file type."),
    ("no digest", lambda b: b.send(b.wheel(), md5_digest=None, sha256_digest=None, blake2_256_digest=None), "invalid-upload-field", "Include at least one message digest."),
    ("local version", lambda b: b.send(b.wheel(version="1.0+local")), "invalid-metadata", "The use of local versions in '1.0+local' is not allowed"),
    ("summary", lambda b: b.send(b.wheel(), summary="x" * 600), "invalid-metadata", "512 characters or less"),
    ("classifier", lambda b: b.send(b.wheel(), classifiers="No :: Such"), "invalid-metadata", "'No :: Such' is not a valid classifier"),
    ("url", lambda b: b.send(b.wheel(), home_page="javascript:alert(1)"), "invalid-metadata", "is not a valid url"),
    ("no file", lambda b: b.post(parts_of(form_of(b.wheel())) + b"--7f3c9f6a1f5e4b7d--"), "invalid-upload", "Upload payload does not have a file."),
    ("attestations", lambda b: b.send(b.wheel(), attestations="[]"), "invalid-upload", "this index does not check attestations"),
    ("stdlib", lambda b: b.send(b.wheel("asyncio")), "project-name-refused", "(conflict with Python Standard Library module name)."),
    ("prohibited", lambda b: b.send(b.wheel("requirements.txt")), "project-name-refused", "The name 'requirements-txt' isn't allowed."),
    ("description", lambda b: b.send(b.wheel(), description=".. nonsense::\n"), "invalid-description", "The description failed to render in the default format of reStructuredText."),
    ("control", lambda b: b.send(b.wheel(), filename="example\x01-1.0-py3-none-any.whl"), "invalid-file-name", "non-printable characters"),
    ("slash", lambda b: b.send(b.wheel(), filename="../example-1.0-py3-none-any.whl"), "invalid-file-name", "Cannot upload a file with '/' or"),
    ("extension", lambda b: b.send(b.wheel(), filename="example-1.0.exe"), "invalid-file-name", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
    ("wheel name", lambda b: b.send(b.wheel(), filename="example-1.0.whl"), "invalid-file-name", "Invalid wheel filename"),
    ("other project", lambda b: b.send(b.wheel("other"), name="example"), "invalid-file-name", "should contain the normalized project name 'example'"),
    ("other version", lambda b: b.send(b.wheel(version="2.0"), version="1.0"), "invalid-file-name", "Version in filename should be '1.0' not '2.0'."),
    ("platform", lambda b: b.send(b.wheel(tag="cp311-cp311-linux_x86_64")), "invalid-file-name", "has an unsupported platform tag 'linux_x86_64'."),
    ("sdist name", lambda b: b.send(b.sdist(), filename="Example-1.0.tar.gz"), "invalid-file-name", "is invalid, should be 'example-1.0.tar.gz'."),
    ("zip sdist", lambda b: b.send(b.sdist(), filename="example-1.0.zip"), "invalid-file-name", "is invalid, should be 'example-1.0.tar.gz'."),
    ("renamed", lambda b: b.send(renamed(b)), "invalid-archive", "Its metadata names the project 'inside', not 'example'."),
    ("not zip", lambda b: b.send(garbage(b, "example-1.0-py3-none-any.whl")), "invalid-archive", "File is not a zip file"),
    ("not tar", lambda b: b.send(garbage(b, "example-1.0.tar.gz")), "invalid-archive", "File is not a gzip file"),
]  # fmt: skip


def renamed(bench: Bench) -> Path:
    files = {path.replace("inside", "example"): data for path, data in wheel_members("inside", "1.0").items()}
    path = bench.directory / "example-1.0-py3-none-any.whl"
    path.write_bytes(zip_bytes(files))
    return path


def garbage(bench: Bench, name: str) -> Path:
    path = bench.directory / name
    path.write_bytes(b"this is neither a zip nor a gzip file, whatever its name says")
    return path


@pytest.mark.parametrize(
    ("act", "code", "text"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
def test_a_refusal_says_why_and_writes_nothing(
    bench: Bench, act: Callable[[Bench], Answer], code: str, text: str
) -> None:
    answer = act(bench)
    assert answer.status == 400
    assert text in answer.reason
    assert text in answer.text
    event = bench.refused_event()
    assert (event.code, event.accepted, event.actor_id) == (code, False, bench.owner.pk)
    assert event.credential_id is not None
    assert_nothing_written(bench)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{}", "application/json", 400, "invalid-upload-body"),
        (b"nothing", CONTENT_TYPE, 400, "invalid-upload-body"),
        (b"", CONTENT_TYPE, 411, "length-required"),
    ],
)
def test_what_is_no_form_is_refused(
    bench: Bench, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = bench.post(body, content_type=content_type)
    assert answer.status == status
    assert bench.refused_event().code == code
    assert_nothing_written(bench)


def test_former_actions_are_gone(bench: Bench) -> None:
    answer = bench.send(bench.wheel(), action="submit")
    assert (answer.status, "Project pre-registration is no longer required" in answer.reason) == (410, True)
    answer = bench.post(body_of(bench.wheel(), action=None), query="?:action=doc_upload")
    assert answer.status == 410
    assert_nothing_written(bench)


def test_the_action_may_stand_in_the_query(bench: Bench) -> None:
    assert bench.post(body_of(bench.wheel(), action=None), query="?:action=file_upload").status == 200


def test_other_methods_are_refused(bench: Bench) -> None:
    response = Client().get("/legacy/")
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_without_the_slash_the_right_address_is_told(bench: Bench) -> None:
    response = Client().post("/legacy", data=body_of(bench.wheel()), content_type=CONTENT_TYPE)
    assert (response.status_code, response["Location"]) == (308, "http://testserver/legacy/")
    assert "expected upload URL is /legacy/" in response.content.decode()


@pytest.mark.parametrize("token", ["", "pypi-nonsense", "x"])
def test_a_wrong_credential_comes_before_everything(bench: Bench, token: str) -> None:
    # Nothing else about this request is right either: it has no form.
    answer = bench.post(b"nothing", token=token)
    assert answer.status == 403
    assert answer.reason.startswith("Invalid or non-existent authentication information.")
    assert not Event.objects.filter(tag="file:refused").exists()
    assert_nothing_written(bench)


def test_a_foreign_scope_comes_before_bad_metadata(bench: Bench) -> None:
    make_project("mine", owner=bench.owner)
    token = issue_token("ada", "mine")
    for body in (
        body_of(bench.wheel(), filetype="nonsense", sha256_digest="0" * 64),
        # The name after the content: judged when it is known, still before validation.
        part("content", b"garbage", filename="x.exe")
        + parts_of({"name": "example"})
        + b"--7f3c9f6a1f5e4b7d--",
        part("content", b"garbage", filename="x.exe") + b"--7f3c9f6a1f5e4b7d--",
    ):
        answer = bench.post(body, token=token)
        assert answer.status == 403
        assert answer.reason.startswith("Invalid API Token: project-scoped token is not valid for project: '")
    assert not Project.objects.filter(normalized_name="example").exists()
    assert not File.objects.exists()
    assert bench.incoming() == []


def test_two_names_do_not_get_past_the_scope(bench: Bench) -> None:
    make_project("mine", owner=bench.owner)
    make_project("other", owner=bench.owner)
    token = issue_token("ada", "mine")
    for names in (["mine", "other"], ["other", "mine"]):
        answer = bench.post(body_of(bench.wheel("other"), name=names), token=token)
        assert answer.status == 403
    fields = form_of(bench.wheel("other")) | {"name": "mine"}
    late = parts_of(fields) + part("content", b"x", filename="x.whl") + parts_of({"name": "other"})
    assert bench.post(late + b"--7f3c9f6a1f5e4b7d--", token=token).status == 403
    assert not File.objects.exists()


def test_a_project_token_uploads_to_its_project(bench: Bench) -> None:
    project = make_project("example", owner=bench.owner)
    token = issue_token("ada", "example")
    assert bench.send(bench.wheel(), token=token).status == 200
    assert File.objects.get().release.project == project


def test_the_owner_s_role_counts(bench: Bench) -> None:
    make_project("example", owner=make_user("grace"))
    answer = bench.send(bench.wheel(), filetype="nonsense")
    assert answer.status == 403
    assert answer.reason.startswith("The user 'ada' isn't allowed to upload to project 'example'.")
    assert answer.reason.endswith("/help/#project-name for more information.")
    event = bench.refused_event()
    assert (event.code, event.project) == ("upload-not-allowed", "example")
    assert event.details["filename"] == "example-1.0-py3-none-any.whl"


def test_a_maintainer_may_upload(bench: Bench) -> None:
    make_project("example", owner=make_user("grace"), maintainers=(bench.owner,))
    assert bench.send(bench.wheel()).status == 200


def test_a_deleted_project_s_name_stays_taken(bench: Bench) -> None:
    project = make_project("example", owner=bench.owner)
    Project.objects.filter(pk=project.pk).update(deleted_at=START)
    Role.objects.all().delete()
    assert bench.send(bench.wheel()).status == 403
    Project.objects.filter(pk=project.pk).update(confusable_name=confusable_name("example"))
    similar = bench.send(bench.wheel("examp1e"))
    assert (similar.status, "The name 'examp1e' is too similar" in similar.reason) == (400, True)


@pytest.mark.parametrize(
    ("switch", "text"),
    [
        (states.Switches(read_only=True), "Read-only mode: Uploads are temporarily disabled."),
        (states.Switches(uploads_disabled=True), "New uploads are temporarily disabled."),
        (states.Switches(new_projects_disabled=True), "New projects are temporarily disabled."),
    ],
)
def test_the_switches_close_the_index(bench: Bench, switch: states.Switches, text: str) -> None:
    states.set_switches(switch, at=START)
    answer = bench.send(bench.wheel())
    assert (answer.status, text in answer.reason) == (403, True)
    assert help_link("project-state") in answer.reason
    assert bench.refused_event().code == "uploads-closed"
    assert_nothing_written(bench)


@pytest.mark.parametrize("state", ["archived", "quarantined"])
def test_a_closed_project_takes_nothing(bench: Bench, state: str) -> None:
    make_project("example", owner=bench.owner)
    Project.objects.update(state=state)
    answer = bench.send(bench.wheel())
    assert (answer.status, bench.refused_event().code) == (403, "uploads-closed")
    assert not File.objects.exists()


def test_a_large_file_is_refused_with_the_limit(bench: Bench, settings: object) -> None:
    configure(settings, max_file_bytes=500)
    answer = bench.send(bench.wheel())
    assert (answer.status, answer.reason) == (
        400,
        f"File too large. Limit for project 'example' is 500 bytes. See {help_link('file-size')} for more information.",
    )
    assert bench.refused_event().code == "upload-too-large"
    assert_nothing_written(bench)


def test_a_project_s_own_limit_raises_the_server_s(bench: Bench, settings: object) -> None:
    configure(settings, max_file_bytes=500)
    make_project("example", owner=bench.owner)
    Project.objects.update(max_file_bytes=100_000)
    assert bench.send(bench.wheel()).status == 200


def test_a_full_project_takes_nothing_more(bench: Bench, settings: object) -> None:
    size = bench.wheel().stat().st_size
    configure(settings, max_project_bytes=size)
    assert bench.send(bench.wheel()).status == 200
    answer = bench.send(bench.sdist())
    assert answer.reason.startswith("Project size too large. Limit for project 'example' total size is")
    assert File.objects.count() == 1


def test_a_wrong_record_is_accepted_told_and_mailed(
    bench: Bench, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    make_project("example", owner=bench.owner)
    path = bench.directory / "example-1.0-py3-none-any.whl"
    path.write_bytes(zip_bytes(wheel_members("example", "1.0") | {"example/extra.py": b""}))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        answer = bench.send(path)
    assert answer.status == 200
    assert "warning: RECORD does not list example/extra.py" in answer.text
    assert Event.objects.get(tag="file:uploaded").details["record_problem"].startswith("RECORD does not list")
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["ada@example.org"], f"{path.name} of example has a wrong RECORD")
    ]
    assert "example/extra.py" in str(mail.outbox[0].body)


def test_a_wrong_record_is_refused_when_the_operator_says_so(bench: Bench, settings: object) -> None:
    configure(settings, wheel_record="refuse")
    path = bench.directory / "example-1.0-py3-none-any.whl"
    path.write_bytes(zip_bytes(wheel_members("example", "1.0") | {"example/extra.py": b""}))
    answer = bench.send(path)
    assert (answer.status, "RECORD does not list example/extra.py" in answer.reason) == (400, True)
    assert_nothing_written(bench)


def test_hostile_descriptions_are_stored_harmless(bench: Bench) -> None:
    hostile = "<script>alert(1)</script>[x](javascript:alert(2))<img src=x onerror=alert(3)>"
    answer = bench.send(bench.wheel(), description=hostile, description_content_type="text/markdown")
    assert answer.status == 200
    html = Release.objects.get().description_html
    assert "<script" not in html
    assert 'href="javascript:' not in html
    assert "onerror" not in html


def test_the_first_description_stays(bench: Bench) -> None:
    assert bench.send(bench.wheel(), description="first", description_content_type="text/plain").status == 200
    assert (
        bench.send(bench.sdist(), description="second", description_content_type="text/plain").status == 200
    )
    assert "first" in Release.objects.get().description_html
    answer = bench.send(bench.wheel(tag="py2.py3-none-any"), description=".. nonsense::\n")
    assert answer.status == 400


def test_nul_is_escaped(bench: Bench) -> None:
    assert bench.send(bench.wheel(), summary="a\x00b", license="\x00").status == 200
    assert Release.objects.get().metadata["summary"] == "a\\x00b"


def test_unknown_fields_and_a_signature_file_are_ignored(bench: Bench) -> None:
    body = part("gpg_signature", b"x", filename="s.asc") + body_of(
        bench.wheel(), nonsense="x", license="UNKNOWN"
    )
    assert bench.post(body).status == 200
    assert "license" not in Release.objects.get().metadata


def test_problem_details_when_asked_for(bench: Bench) -> None:
    body = body_of(bench.wheel(), filetype="nonsense")
    answer = bench.post(body, Accept="application/json")
    assert '"code": "invalid-upload-field"' in answer.text
    assert '"status": 400' in answer.text


def test_a_project_that_changed_meanwhile_is_judged_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role goes between the first look and the transaction."""
    from sealstead.server.index import upload

    make_project("example", owner=bench.owner)
    real = upload.read_framing

    def slow(fd: int, size: int) -> object:
        Role.objects.all().delete()
        return real(fd, size)

    monkeypatch.setattr(upload, "read_framing", slow)
    assert bench.send(bench.wheel()).status == 403
    assert not File.objects.exists()


def test_somebody_who_was_faster_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name arrives, by another request, between the first look and the transaction."""
    from sealstead.server.index import upload

    faster = body_of(bench.wheel(files={"example/a.py": b"faster"}))
    body = body_of(bench.wheel())
    real = upload.read_framing

    def slow(fd: int, size: int) -> object:
        monkeypatch.setattr(upload, "read_framing", real)
        assert bench.post(faster).status == 200
        return real(fd, size)

    monkeypatch.setattr(upload, "read_framing", slow)
    answer = bench.post(body)
    assert (answer.status, answer.reason.startswith("File already exists")) == (400, True)
    assert (File.objects.count(), Project.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("database is locked"), 503, "index-busy"),
        (OperationalError("database or disk is full"), 507, "storage-full"),
        (OSError(28, "No space left on device"), 507, "storage-full"),
    ],
)
def test_the_server_s_own_trouble_is_told_as_such(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    from sealstead.server.index import upload_store

    def bump(project: Project) -> int:
        raise error

    monkeypatch.setattr(upload_store, "bump", bump)
    answer = bench.send(bench.wheel())
    assert answer.status == status
    assert bench.refused_event().code == code
    assert not Project.objects.exists()
    assert not File.objects.exists()
    assert bench.incoming() == []


def test_an_upload_asks_the_database_seldom(bench: Bench) -> None:
    """Each query is a part of the time a publisher waits; more of them should be somebody's decision."""
    assert bench.send(bench.wheel()).status == 200
    body = body_of(bench.wheel(version="1.1"))
    with CaptureQueriesContext(connection) as queries:
        assert bench.post(body).status == 200
    statements = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 17, "\n".join(statements)


def test_no_owner_no_upload(bench: Bench) -> None:
    User.objects.update(is_active=False)
    assert bench.send(bench.wheel()).status == 403
    assert_nothing_written(bench)


def test_the_driver_s_complaint_is_the_one_we_look_for() -> None:
    # The texts above are SQLite's own: a new version that words them otherwise must be noticed.
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (x)")
    database.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        database.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 100)
    database.close()
