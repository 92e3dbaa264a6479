"""The pages for people, in process, on real rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.rows import NOW, make_project, make_release, make_user

from sealstead.server.index.browse import project_links, untracked
from sealstead.server.index.models import Project, ProjectState, Release
from sealstead.server.index.search import search

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def project() -> Project:
    project = make_project("Demo.Project", owner=make_user("mira"))
    Project.objects.filter(pk=project.pk).update(summary="Things & <tags>")
    for version in ("1.9", "1.10", "2.0b1"):
        make_release(project, version)
    release = Release.objects.get(project=project, version="1.10")
    release.metadata = {
        "requires_python": ">=3.11",
        "license_expression": "MIT",
        "requires_dist": ["click>=8"],
        "home_page": "javascript:alert(1)",
        "project_urls": {"<b>Source</b>": "https://example.org/?a=1&b=2"},
    }
    release.description_html = "<p>Read <strong>me</strong></p>"
    release.save()
    return project


def test_the_start_page_lists_projects(client: Client, project: Project) -> None:
    make_project("another")
    html = page(client, "/")
    assert html.index(">another<") < html.index(">Demo.Project<")
    assert 'href="/project/demo-project/"' in html
    assert "Things &amp; &lt;tags&gt;" in html
    assert "2 projects" in html


def test_an_empty_index_says_what_to_do(client: Client) -> None:
    assert "/help/#apitoken" in page(client, "/")


def test_lists_have_pages(client: Client) -> None:
    for number in range(51):
        make_project(f"many-{number:02d}")
    first, second = page(client, "/search/?q=many"), page(client, "/search/?q=many&page=2")
    assert ">many-49<" in first
    assert ">many-50<" not in first
    assert 'href="?q=many&amp;page=2"' in first
    assert ">many-50<" in second
    assert ">many-50<" in page(client, "/search/?q=many&page=99999999999")
    assert ">many-00<" in page(client, "/search/?q=many&page=x")


def names(query: str) -> list[str]:
    return [project.normalized_name for project in search(query)]


def test_search_puts_the_name_first() -> None:
    for name, summary in (
        ("http-client", ""),
        ("my-http-client", ""),
        ("http-client-extras", ""),
        ("other", "An HTTP client"),
        ("unrelated", "nothing"),
    ):
        Project.objects.filter(pk=make_project(name).pk).update(summary=summary)

    assert names("HTTP_Client") == ["http-client", "http-client-extras", "my-http-client"]
    assert names("http client") == ["http-client", "http-client-extras", "my-http-client", "other"]
    assert names("client missing") == []
    assert len(names("")) == 5


@pytest.mark.parametrize(
    "query", ["%", "_", "'", '"', "\\", "-", "\x00", "x" * 5000, "a " * 5000, "é", "..."]
)
def test_any_search_is_answered(client: Client, project: Project, query: str) -> None:
    response = client.get("/search/", {"q": query})
    assert response.status_code == 200


def test_wildcards_of_the_database_are_letters_here(project: Project) -> None:
    assert names("%") == []
    assert names("d%o") == []


def test_lists_hide_what_is_deleted_or_quarantined(client: Client, project: Project) -> None:
    for change in ({"deleted_at": NOW}, {"deleted_at": None, "state": ProjectState.QUARANTINED}):
        Project.objects.filter(pk=project.pk).update(**change)
        assert "Demo.Project" not in page(client, "/")
        assert names("demo") == []


def test_a_search_is_shown_as_text(client: Client) -> None:
    html = page(client, "/search/?q=<script>alert(1)</script>")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_project_page(client: Client, project: Project) -> None:
    html = page(client, "/project/demo-project/")
    assert "pip install --index-url" in html
    assert "/simple/ demo-project<" in html
    assert "<p>Read <strong>me</strong></p>" in html
    assert "demo-project-1.10-0-py3-none-any.whl</a>" in html
    assert re.search(r"<code>[0-9a-f]{64}</code>", html)
    assert "mira" in html
    assert 'href="https://example.org/?a=1&amp;b=2"' in html
    assert "&lt;b&gt;Source" in html
    assert "javascript:" not in html
    history = [html.index(f'href="/project/demo-project/{version}/"') for version in ("2.0b1", "1.10", "1.9")]
    assert history == sorted(history)


def test_a_version_page_pins_its_version(client: Client, project: Project) -> None:
    html = page(client, "/project/demo-project/1.9/")
    assert "demo-project==1.9" in html
    assert "demo-project-1.9-0-py3-none-any.whl" in html
    assert "The newest version is 1.10" in html
    assert client.get("/project/demo-project/3.0/").status_code == 404


def test_other_spellings_lead_to_the_one_address(client: Client, project: Project) -> None:
    response = client.get("/project/Demo_Project/")
    assert (response.status_code, response["Location"]) == (301, "/project/demo-project/")
    response = client.get("/project/Demo_Project/1.9/")
    assert (response.status_code, response["Location"]) == (301, "/project/demo-project/1.9/")


def test_states_are_told(client: Client, project: Project) -> None:
    Release.objects.filter(project=project, version="1.9").update(yanked_at=NOW, yanked_reason="broken <b>")
    html = page(client, "/project/demo-project/1.9/")
    assert "This version was yanked." in html
    assert "broken &lt;b&gt;" in html

    Project.objects.filter(pk=project.pk).update(state=ProjectState.ARCHIVED, state_reason="use other")
    assert "This project is archived." in page(client, "/project/demo-project/")

    Project.objects.filter(pk=project.pk).update(state=ProjectState.QUARANTINED)
    html = page(client, "/project/demo-project/")
    assert "This project is quarantined." in html
    assert ".whl" not in html
    assert "Read <strong>" not in html

    Project.objects.filter(pk=project.pk).update(deleted_at=NOW)
    assert client.get("/project/demo-project/").status_code == 404
    assert client.get("/project/demo-project/1.9/").status_code == 404


def test_a_project_without_releases_has_a_page(client: Client) -> None:
    make_project("empty")
    assert "This project has no releases." in page(client, "/project/empty/")


def test_a_long_history_is_shown_on_demand(client: Client) -> None:
    project = make_project("long")
    for number in range(40):
        make_release(project, f"1.{number}", files=0)
    short, full = page(client, "/project/long/"), page(client, "/project/long/?history=all")
    assert ">1.39<" in short
    assert ">1.0<" not in short
    assert "All 40 releases" in short
    assert ">1.0<" in full


def test_nothing_can_be_posted(client: Client, project: Project) -> None:
    for path in ("/", "/search/", "/project/demo-project/"):
        assert client.post(path).status_code == 405


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//example.org",
        "example.org",
        "https:",
        "https://[",
        "",
        7,
    ],
)
def test_a_link_that_could_run_something_is_not_shown(url: object) -> None:
    assert project_links({"home_page": url, "project_urls": {"x": url}}) == []


@pytest.mark.parametrize("url", ["https://example.org", "http://example.org/a?b#c", "mailto:a@example.org"])
def test_other_links_are_shown_once(url: str) -> None:
    assert [link.url for link in project_links({"home_page": url, "project_urls": {"x": url}})] == [url]


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        (
            '<p><img src="https://example.org/a.png" alt="A &quot;b&quot; > c"></p>',
            '<p><a href="https://example.org/a.png" rel="nofollow noopener noreferrer">A &quot;b&quot; &gt; c</a></p>',
        ),
        ('<img alt="x" src="docs/a.png" width="3">', "<em>x</em>"),
        ("<img>", "<em>picture</em>"),
        ('<img src="javascript:x" alt="<script>">', "<em>&lt;script&gt;</em>"),
        ("<p>no picture</p>", "<p>no picture</p>"),
    ],
)
def test_pictures_of_elsewhere_become_links(html: str, shown: str) -> None:
    assert untracked(html) == shown
