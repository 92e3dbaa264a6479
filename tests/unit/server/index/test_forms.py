from __future__ import annotations

import pytest

from sealstead.server.index.forms import FileType, check_action, clean_fields, parse_form
from sealstead.server.index.upload_errors import UploadActionGoneError, UploadFieldError

SHA256 = "A" * 64


def fields(**changes: list[str] | None) -> dict[str, list[str]]:
    given: dict[str, list[str] | None] = {
        "protocol_version": ["1"],
        "name": ["example"],
        "version": ["1.0"],
        "filetype": ["bdist_wheel"],
        "pyversion": ["py3"],
        "sha256_digest": [SHA256],
    }
    return {key: value for key, value in (given | changes).items() if value is not None}


def test_a_good_form_is_read() -> None:
    form = parse_form(fields(comment=["hi"]))
    assert (form.name, form.version, form.filetype, form.pyversion) == (
        "example",
        "1.0",
        FileType.WHEEL,
        "py3",
    )
    assert form.digests == {"sha256_digest": SHA256.lower()}
    assert form.comment == "hi"


def test_an_sdist_needs_no_python_version() -> None:
    assert parse_form(fields(filetype=["sdist"], pyversion=None)).pyversion == "source"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"protocol_version": None}, "Unknown protocol version."),
        ({"protocol_version": ["2"]}, "Unknown protocol version."),
        ({"name": None}, "Invalid value for name. Error: This field is required."),
        ({"name": ["-x"]}, "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."),
        ({"name": ["a", "b"]}, "Invalid value for name. Error: Use the field once."),
        ({"version": None}, "Invalid value for version. Error: This field is required."),
        ({"version": ["1" * 201]}, "Use 200 characters or less."),
        ({"filetype": ["bdist_egg"]}, "Use a known file type."),
        ({"filetype": None}, "Use a known file type."),
        ({"pyversion": None}, "Python version is required for binary distribution uploads."),
        ({"filetype": ["sdist"]}, "Use 'source' as Python version for an sdist."),
        ({"pyversion": ["p" * 101]}, "Use 100 characters or less."),
        ({"sha256_digest": None}, "Include at least one message digest."),
        ({"sha256_digest": ["zz"]}, "Use a valid, hex-encoded, SHA256 message digest."),
        ({"blake2_256_digest": ["00"]}, "Use a valid, hex-encoded, BLAKE2 message digest."),
        ({"md5_digest": ["00"]}, "Use a valid, hex-encoded, MD5 message digest."),
        ({"comment": ["c" * 401]}, "Use 400 characters or less."),
        ({"requires_python": [">=3" + " " * 400]}, "Use 400 characters or less."),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(changes: dict[str, list[str] | None], text: str) -> None:
    with pytest.raises(UploadFieldError) as refused:
        parse_form(fields(**changes))
    assert refused.value.code == "invalid-upload-field"
    assert text in refused.value.message


def test_unknown_is_absent_and_nul_is_shown() -> None:
    assert clean_fields({"license": ["UNKNOWN"], "summary": ["a\x00b"]}) == {"summary": ["a\\x00b"]}


@pytest.mark.parametrize("action", ["submit", "submit_pkg_info", "doc_upload"])
def test_actions_of_former_times_are_gone(action: str) -> None:
    for given, query in (({":action": [action]}, ""), ({}, action)):
        with pytest.raises(UploadActionGoneError) as refused:
            check_action(given, query)
        assert refused.value.code == "upload-action-gone"


def test_the_action_comes_from_query_or_form() -> None:
    check_action({":action": ["file_upload"]}, "")
    check_action({}, "file_upload")
    with pytest.raises(UploadFieldError, match="Unknown or missing ':action'"):
        check_action({}, "")
