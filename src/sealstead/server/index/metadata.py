"""Core metadata as the client sends it: form fields -> checked values (core metadata 2.5, PEP 566, 639, 794).

`packaging` knows the specification; the rules on top of it are the index's own (no local versions, no direct
references, known classifiers, addresses that work as links). The first error is reported, those of
metadata version, name and version before others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import getaddresses
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from packaging.metadata import InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from sealstead.server.index.forms import Fields
from sealstead.server.index.upload_errors import UploadMetadataError

SUPPORTED_VERSIONS = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"})
SPECIFICATION = "See https://packaging.python.org/specifications/core-metadata for more information."
MAX_SUMMARY_LENGTH = 512
MAX_LABEL_LENGTH = 32
MAX_DESCRIPTION_LENGTH = 1_000_000
"""Rendering reStructuredText takes seconds a megabyte; the longest honest ones are a tenth of this."""

_SINGLE = frozenset(
    [
        "author",
        "author_email",
        "description",
        "description_content_type",
        "download_url",
        "home_page",
        "license",
        "license_expression",
        "maintainer",
        "maintainer_email",
        "metadata_version",
        "name",
        "requires_python",
        "summary",
        "version",
    ]
)
_LISTS = {
    "classifiers": "classifiers",
    "dynamic": "dynamic",
    "license_file": "license_files",
    "license_files": "license_files",
    "obsoletes": "obsoletes",
    "obsoletes_dist": "obsoletes_dist",
    "platform": "platforms",
    "provides": "provides",
    "provides_dist": "provides_dist",
    "provides_extra": "provides_extra",
    "provides_extras": "provides_extra",
    "requires": "requires",
    "requires_dist": "requires_dist",
    "requires_external": "requires_external",
    "supported_platform": "supported_platforms",
    "import_name": "import_names",
    "import_names": "import_names",
    "import_namespace": "import_namespaces",
    "import_namespaces": "import_namespaces",
}
"""Form field -> name in `packaging.metadata.RawMetadata`. Clients differ in the plural."""
_FIRST = ("metadata-version", "name", "version")


@dataclass(frozen=True, kw_only=True)
class CoreMetadata:
    """`raw` holds the values under the names of `packaging.metadata.RawMetadata`, as JSON takes them:
    what `Release.metadata` stores.
    """

    raw: dict[str, Any]
    version: Version
    requires_python: str
    description: str
    description_content_type: str | None
    license_files: tuple[str, ...]


def parse_metadata(fields: Fields) -> CoreMetadata:
    """Check the metadata of an upload.

    Raises:
        UploadMetadataError: with the first error, and where the specification stands.
    """
    raw = _raw_from_fields(fields)
    try:
        metadata = Metadata.from_raw(cast("RawMetadata", raw))
    except ExceptionGroup as group:
        raise _first_error(list(_leaves(group))) from None
    errors = list(_own_rules(metadata))
    if errors:
        raise _first_error(errors)
    return CoreMetadata(
        raw=raw,
        version=metadata.version,
        requires_python=str(raw.get("requires_python", "")),
        description=metadata.description or "",
        description_content_type=metadata.description_content_type,
        license_files=tuple(metadata.license_files or ()),
    )


def _raw_from_fields(fields: Fields) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for key in _SINGLE:
        values = fields.get(key, [])
        if len(values) > 1:
            raise UploadMetadataError(f"Invalid value for {key}. Error: Use the field once. {SPECIFICATION}")
        if values and values[0] != "":
            raw[key] = values[0]
    for key, name in _LISTS.items():
        items = [value.strip() for value in fields.get(key, []) if value.strip()]
        if items:
            raw.setdefault(name, []).extend(items)
    # Older build tools write License-File into metadata that does not have it yet; the reference's clients
    # drop it, and so do we.
    if raw.get("metadata_version", "") < "2.4":
        raw.pop("license_files", None)
    keywords = [word.strip() for value in fields.get("keywords", []) for word in value.split(",")]
    if any(keywords):
        raw["keywords"] = [word for word in keywords if word]
    if urls := _project_urls(fields):
        raw["project_urls"] = urls
    return raw


def _project_urls(fields: Fields) -> dict[str, str]:
    urls: dict[str, str] = {}
    for pair in fields.get("project_urls", []):
        label, _, url = pair.partition(",")
        if label.strip() in urls:
            raise UploadMetadataError(f"{label.strip()!r} is given twice in 'project-url'. {SPECIFICATION}")
        urls[label.strip()] = url.strip()
    return urls


def _own_rules(metadata: Metadata) -> Iterator[InvalidMetadata]:
    if metadata.metadata_version not in SUPPORTED_VERSIONS:
        yield InvalidMetadata(
            "metadata-version", f"{metadata.metadata_version!r} is not a valid metadata version."
        )
    if metadata.version.local:
        yield InvalidMetadata(
            "version", f"The use of local versions in {str(metadata.version)!r} is not allowed."
        )
    if metadata.summary and len(metadata.summary) > MAX_SUMMARY_LENGTH:
        yield InvalidMetadata("summary", f"'summary' field must be {MAX_SUMMARY_LENGTH} characters or less.")
    if metadata.description and len(metadata.description) > MAX_DESCRIPTION_LENGTH:
        yield InvalidMetadata(
            "description", f"'description' field must be {MAX_DESCRIPTION_LENGTH} characters or less."
        )
    if metadata.license and metadata.license_expression:
        yield InvalidMetadata(
            "license", "License is deprecated when 'license-expression' is present. Use one of them."
        )
    yield from _addresses(metadata)
    yield from _classifiers(metadata)
    yield from _urls(metadata)
    yield from _dependencies(metadata)


def _addresses(metadata: Metadata) -> Iterator[InvalidMetadata]:
    for field, value in (
        ("author-email", metadata.author_email),
        ("maintainer-email", metadata.maintainer_email),
    ):
        for _, address in getaddresses([value] if value else []):
            try:
                validate_email(address)
            except ValidationError:
                yield InvalidMetadata(field, f"{address!r} is not a valid email address.")


@cache
def _known_classifiers() -> tuple[frozenset[str], dict[str, list[str]]]:
    from trove_classifiers import classifiers, deprecated_classifiers

    return frozenset(classifiers), deprecated_classifiers


def _classifiers(metadata: Metadata) -> Iterator[InvalidMetadata]:
    known, deprecated = _known_classifiers()
    for classifier in metadata.classifiers or []:
        if classifier in deprecated:
            instead = deprecated[classifier]
            advice = f", use one of {instead} instead." if instead else "."
            yield InvalidMetadata("classifier", f"The classifier {classifier!r} has been deprecated{advice}")
        elif classifier not in known and not classifier.startswith("Private ::"):
            yield InvalidMetadata("classifier", f"{classifier!r} is not a valid classifier.")


def _is_url(url: str) -> bool:
    """A page may link to it: `javascript:` and its kin never pass."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and url.isprintable()
        and not any(character in url for character in ' <>"')
    )


def _urls(metadata: Metadata) -> Iterator[InvalidMetadata]:
    for field, url in (("home-page", metadata.home_page), ("download-url", metadata.download_url)):
        if url and not _is_url(url):
            yield InvalidMetadata(field, f"{url!r} is not a valid url.")
    for label, url in (metadata.project_urls or {}).items():
        if not label:
            yield InvalidMetadata("project-url", "Must have a label.")
        elif len(label) > MAX_LABEL_LENGTH:
            yield InvalidMetadata("project-url", f"{label!r} must be {MAX_LABEL_LENGTH} characters or less.")
        elif not url:
            yield InvalidMetadata("project-url", "Must have a URL.")
        elif not _is_url(url):
            yield InvalidMetadata("project-url", f"{url!r} is not a valid url.")


def _dependencies(metadata: Metadata) -> Iterator[InvalidMetadata]:
    for requirement in metadata.requires_dist or []:
        if requirement.url is not None:
            yield InvalidMetadata("requires-dist", f"Can't have direct dependency: {requirement}.")
    for field, texts in (
        ("provides-dist", metadata.provides_dist),
        ("obsoletes-dist", metadata.obsoletes_dist),
    ):
        for text in texts or []:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                yield InvalidMetadata(field, f"{text!r} is invalid for {field!r}.")
            else:
                if requirement.url is not None:
                    yield InvalidMetadata(field, f"Can't have direct dependency: {text}.")


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _first_error(errors: list[Any]) -> UploadMetadataError:
    def order(error: BaseException) -> int:
        field = getattr(error, "field", "")
        return _FIRST.index(field) if field in _FIRST else len(_FIRST)

    text = str(min(errors, key=order)).rstrip(".")
    return UploadMetadataError(f"{text}. {SPECIFICATION}")
