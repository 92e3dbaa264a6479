from __future__ import annotations

import pytest

from sealstead.server.index.metadata import parse_metadata
from sealstead.server.index.upload_errors import UploadMetadataError


def fields(**changes: list[str]) -> dict[str, list[str]]:
    return {"metadata_version": ["2.4"], "name": ["example"], "version": ["1.0"]} | changes


def test_values_are_kept_under_the_names_of_packaging() -> None:
    metadata = parse_metadata(
        fields(
            summary=["An example"],
            keywords=["a, b,,c"],
            classifiers=["Programming Language :: Python :: 3"],
            project_urls=["Home, https://example.org/", "Docs,https://example.org/docs"],
            requires_dist=["requests>=2"],
            requires_python=[">=3.9"],
            platform=["linux"],
            license_file=["LICENSE"],
            import_name=["example"],
            author_email=["A B <a@example.org>, b@example.org"],
            metadata_version=["2.5"],
        )
    )
    assert metadata.raw == {
        "metadata_version": "2.5",
        "name": "example",
        "version": "1.0",
        "summary": "An example",
        "keywords": ["a", "b", "c"],
        "classifiers": ["Programming Language :: Python :: 3"],
        "project_urls": {"Home": "https://example.org/", "Docs": "https://example.org/docs"},
        "requires_dist": ["requests>=2"],
        "requires_python": ">=3.9",
        "platforms": ["linux"],
        "license_files": ["LICENSE"],
        "import_names": ["example"],
        "author_email": "A B <a@example.org>, b@example.org",
    }
    assert str(metadata.version) == "1.0"
    assert metadata.requires_python == ">=3.9"
    assert metadata.license_files == ("LICENSE",)


def test_license_files_of_older_metadata_are_dropped() -> None:
    assert parse_metadata(fields(metadata_version=["2.1"], license_file=["LICENSE"])).license_files == ()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"metadata_version": ["2.0"]}, "metadata version"),
        ({"metadata_version": ["9.9"]}, "9.9"),
        ({"version": ["1.0+local"]}, "The use of local versions in '1.0+local' is not allowed"),
        ({"version": ["one"]}, "'one'"),
        ({"summary": ["x" * 513]}, "512 characters or less"),
        ({"summary": ["a\nb"]}, "summary"),
        ({"description": ["x" * 1_000_001]}, "1000000 characters or less"),
        ({"author_email": ["nobody"]}, "'nobody' is not a valid email address"),
        ({"classifiers": ["Nonsense :: All"]}, "'Nonsense :: All' is not a valid classifier"),
        ({"classifiers": ["Natural Language :: Ukranian"]}, "has been deprecated, use one of"),
        ({"home_page": ["javascript:alert(1)"]}, "is not a valid url"),
        ({"download_url": ["http://"]}, "is not a valid url"),
        ({"project_urls": ["Home, data:text/html,x"]}, "is not a valid url"),
        ({"project_urls": ['Home, https://example.org/"><script>']}, "is not a valid url"),
        ({"project_urls": [f"{'L' * 33}, https://example.org"]}, "must be 32 characters or less"),
        ({"project_urls": [", https://example.org"]}, "Must have a label"),
        ({"project_urls": ["Home"]}, "Must have a URL"),
        ({"project_urls": ["H, https://a.org", "H, https://b.org"]}, "is given twice"),
        ({"requires_dist": ["x @ https://example.org/x.whl"]}, "Can't have direct dependency"),
        ({"provides_dist": ["x @ https://example.org/x.whl"]}, "Can't have direct dependency"),
        ({"obsoletes_dist": ["???"]}, "is invalid"),
        ({"requires_dist": ["???"]}, "requires-dist"),
        ({"requires_python": ["three"]}, "requires-python"),
        ({"license": ["MIT"], "license_expression": ["MIT"]}, "license"),
        ({"license_expression": ["Not A License"]}, "license-expression"),
        ({"dynamic": ["name"]}, "dynamic"),
        ({"description_content_type": ["text/html"]}, "description-content-type"),
        ({"license_file": ["../../etc/passwd"]}, "license-file"),
        ({"name": ["a", "b"]}, "Use the field once"),
    ],
)
def test_bad_metadata_is_refused(changes: dict[str, list[str]], text: str) -> None:
    with pytest.raises(UploadMetadataError) as refused:
        parse_metadata(fields(**changes))
    assert refused.value.code == "invalid-metadata"
    assert text in refused.value.message
    assert "https://packaging.python.org/specifications/core-metadata" in refused.value.message


def test_errors_of_version_and_name_come_first() -> None:
    with pytest.raises(UploadMetadataError, match="local versions"):
        parse_metadata(fields(version=["1+l"], classifiers=["Nonsense :: All"], home_page=["x"]))


def test_private_classifiers_pass() -> None:
    # "Private :: Do Not Upload" keeps a file off the public index; this one may be private.
    parse_metadata(fields(classifiers=["Private :: Do Not Upload"]))
