"""Read a JSON Resume (https://jsonresume.org/schema, version 1.0.0) into a profile; what fits nowhere is left out."""

from __future__ import annotations

import json
from typing import Any

from sealstead.errors import ParseError
from sealstead.formats.profile_schema import (
    ContactMethod,
    Identity,
    Principal,
    Profile,
    ProfileLink,
    Project,
    Work,
)

MAX_BYTES = 4 * 1024 * 1024


class ResumeError(ParseError):
    """The bytes are no JSON Resume."""

    code = "json-resume"


def parse_resume(data: bytes, *, source: str) -> Profile:
    """Return what a resume says of a person. Claims of other pages come without proofs.

    Raises:
        ResumeError: not UTF-8, not JSON, or no resume.
    """
    if len(data) > MAX_BYTES:
        raise ResumeError(f"{source}: too large for a resume ({len(data)} bytes)")
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise ResumeError(f"{source}:{line}: not UTF-8", hint="save the file as UTF-8") from None
    except json.JSONDecodeError as exc:
        fact = exc.msg[:1].lower() + exc.msg[1:]
        raise ResumeError(f"{source}:{exc.lineno}:{exc.colno}: not JSON: {fact}") from None
    except (RecursionError, ValueError):
        raise ResumeError(f"{source}: not JSON that can be read") from None
    if not isinstance(document, dict) or not isinstance(document.get("basics"), dict):
        raise ResumeError(f"{source}: no JSON Resume: it has no object basics")
    return _profile(document)


def _profile(resume: dict[str, Any]) -> Profile:
    basics = resume["basics"]
    name = _text(basics, "name")
    place = basics.get("location") if isinstance(basics.get("location"), dict) else {}
    location = ", ".join(filter(None, (_text(place, key) for key in ("city", "region", "countryCode"))))
    return Profile(
        profile=Principal(display_name=name, summary=_text(basics, "summary") or _text(basics, "label")),
        identity=Identity(display_name=name, location=location),
        profiles=tuple(_links(basics)),
        contact_methods=tuple(
            ContactMethod(kind=kind, label=label, value=_text(basics, kind))
            for kind, label in (("email", "E-mail"), ("phone", "Phone"))
            if _text(basics, kind)
        ),
        projects=tuple(
            Project(
                name=_text(row, "name"),
                url=_text(row, "url"),
                summary=_text(row, "description") or _text(row, "summary"),
            )
            for row in _rows(resume, "projects")
            if _text(row, "name")
        ),
        work_experience=tuple(
            Work(
                organization=organization,
                title=_text(row, "position"),
                start_date=_text(row, "startDate"),
                end_date=_text(row, "endDate"),
                summary=_text(row, "summary"),
            )
            for row in _rows(resume, "work")
            # `company` is what it was called before version 1.0.
            if (organization := _text(row, "name") or _text(row, "company"))
        ),
    )


def _links(basics: dict[str, Any]) -> list[ProfileLink]:
    links = []
    for key in ("url", "website"):
        if _text(basics, key):
            links.append(ProfileLink(kind="website", label="Website", url=_text(basics, key)))
            break
    for row in _rows(basics, "profiles"):
        network, url = _text(row, "network"), _text(row, "url")
        if url and url not in {link.url for link in links}:
            kind = "-".join(network.lower().split()) or "website"
            links.append(ProfileLink(kind=kind, label=network or url, url=url))
    return links


def _rows(table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = table.get(key)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _text(table: dict[str, Any], key: str) -> str:
    found = table.get(key)
    return " ".join(found.split()) if isinstance(found, str) else ""
