from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rows import NOW

from sealstead.server.index.models import Project
from sealstead.server.index.names import (
    check_new_name,
    confusable_name,
    find_confusable,
    is_project_name,
    normalize_name,
)
from sealstead.server.index.upload_errors import ProjectNameError


@pytest.mark.parametrize("name", ["a", "A", "0", "a-b", "a_b", "a.b", "A..b", "x" * 200])
def test_names_that_are_names(name: str) -> None:
    assert is_project_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", ".a", "a_", "a b", "a/b", "ä", "a\n", "a\x00b", "x" * 201, "\u017f", "\u212a"]
)
def test_names_that_are_none(name: str) -> None:
    assert not is_project_name(name)


@pytest.mark.parametrize("name", ["os", "OS", "asyncio", "distutils", "Cgi", "lib2to3", "thread", "email"])
def test_modules_of_the_standard_library_past_and_present_are_refused(name: str) -> None:
    with pytest.raises(
        ProjectNameError, match="conflict with Python Standard Library module name"
    ) as refused:
        check_new_name(name)
    assert refused.value.code == "project-name-refused"


@pytest.mark.parametrize("name", ["requirements.txt", "Requirements-TXT", "setup.py"])
def test_what_people_type_by_mistake_is_refused(name: str) -> None:
    with pytest.raises(ProjectNameError, match="isn't allowed"):
        check_new_name(name)


def test_the_operator_adds_names() -> None:
    check_new_name("acme-internal")
    with pytest.raises(ProjectNameError):
        check_new_name("acme.internal", prohibited=["Acme_Internal"])


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["F0O-BAR", "foobar", "fo0_bar", "f.o.o.b.a.r"])
def test_a_name_that_differs_only_in_what_readers_miss_is_found(name: str) -> None:
    project = Project.objects.create(
        name="foo-bar", normalized_name="foo-bar", confusable_name=confusable_name("foo-bar"), created_at=NOW
    )
    assert find_confusable(name) == project
    assert find_confusable("foo-baz") is None
    assert find_confusable("Foo_Bar") is None


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}[A-Za-z0-9]", fullmatch=True))
def test_equal_after_normalisation_is_equal_after_confusion(name: str) -> None:
    assert confusable_name(name) == confusable_name(normalize_name(name))
    assert not set(confusable_name(name)) & set("lio._-LIO")
