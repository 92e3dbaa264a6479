"""Fetch what a row of the provider table names, and note step by step what came of it."""

from __future__ import annotations

from typing import Any

from sealstead.errors import SealsteadError, UpstreamError
from sealstead.formats.profile_schema import ProfileLink
from sealstead.identity.evidence import NotJsonError, parse_json, texts_at, values_at
from sealstead.identity.outcomes import SUCCESS, Outcome, is_door, understood
from sealstead.identity.providers import Match, Place, Source
from sealstead.net.pages import LeavesSiteError, Page, PageFetcher
from sealstead.net.urls import BadUrlError

_JSON, _PAGE = "application/json", "text/html, text/*;q=0.9, */*;q=0.8"


class Looking:
    """One look at the pages of one claim. What goes wrong becomes an outcome with its step; nothing is raised."""

    def __init__(self, pages: PageFetcher, link: ProfileLink) -> None:
        self.pages = pages
        self.link = link
        self.outcomes: list[Outcome] = []
        self.steps: list[str] = []
        self.answered = False
        """The site has said as JSON what its owner writes, or may have: it is of the kind it was taken for."""
        self._fetched: dict[tuple[str, str], Page] = {}

    def conclude(self, outcome: Outcome, step: str) -> None:
        self.outcomes.append(outcome)
        self.steps.append(step)

    def failed(self, exc: UpstreamError | BadUrlError) -> None:
        """Note what an answer that never came means for the claim."""
        from sealstead.net.dns import NameServerRefusesError

        match exc:
            case LeavesSiteError() if is_door(exc.to) and not is_door(self.link.url):
                self.conclude(Outcome.REFUSED, f"{told(exc)}: the site asks its visitors to sign in")
            case LeavesSiteError():
                # What stands elsewhere is another page's.
                self.conclude(Outcome.MISSING, told(exc))
            case NameServerRefusesError():
                self.conclude(Outcome.REFUSED, told(exc))
            case _:
                self.conclude(Outcome.UNREACHABLE, told(exc))

    def fetch(self, match: Match, source: Source) -> Page | None:
        """Return the page, or None when there is none to look at.

        Raises:
            UpstreamError: no answer.
            BadUrlError: the claim's own URL is not one that is fetched.
        """
        more: dict[str, str] = {}
        if source.first is not None:
            first = self._get(match.fill(source.first.url), _JSON, b"", anywhere=True)
            found = _text_or_none(first, source.first.path)
            if found is None and not source.first.otherwise:
                self.conclude(Outcome.MISSING, f"{first.url} does not say where to look")
                return None
            more[source.first.name] = (found or match.fill(source.first.otherwise)).rstrip("/")
        accept = source.accept or (_JSON if source.place is Place.JSON else _PAGE)
        body = match.fill_json(source.body).encode()
        # Until it is known that the site has no such interface, nobody may say that it has none.
        before, self.answered = self.answered, self.answered or source.place is Place.JSON
        try:
            page = self._get(match.fill(source.url, **more), accept, body, anywhere=source.anywhere)
        except BadUrlError:
            if source.first is None:
                raise
            self.conclude(Outcome.UNREACHABLE, "the site names an address of its own that cannot be fetched")
            return None
        outcome, said = understood(page, self.link.url)
        self.steps.append(said)
        if outcome is Outcome.MISSING or (outcome is None and not _is_json(page)):
            self.answered = before
        if outcome is None:
            return page
        self.outcomes.append(outcome)
        return None

    def value(self, match: Match, source: Source, page: Page) -> Any:  # noqa: ANN401 - whatever JSON can say
        """Return what the page says as JSON; None when it says nothing that counts."""
        if not page.complete and _is_json(page):
            self.conclude(Outcome.UNREACHABLE, f"{page.url} is longer than is read")
            return None
        try:
            value = parse_json(page.body)
        except NotJsonError as exc:
            # Of a site whose kind was only guessed, it says that the guess was wrong.
            guessed = match.provider.recognised and self.link.kind not in match.provider.kinds
            outcome = Outcome.MISSING if guessed else Outcome.UNREACHABLE
            self.conclude(outcome, f"{page.url}: {exc.message}")
            return None
        for path, template in source.owner:
            wanted = match.fill(template).lower()
            if wanted not in [str(said).lower() for said in values_at(value, path)]:
                self.conclude(Outcome.INVALID, f"{page.url} is not a page of {match.fill(template)}")
                return None
        return value

    def _get(self, url: str, accept: str, body: bytes, *, anywhere: bool) -> Page:
        key = (url, accept)
        if key not in self._fetched:
            self._fetched[key] = self.pages.fetch(
                url,
                accept=accept,
                headers={"Content-Type": "application/json"} if body else {},
                body=body or None,
                anywhere=anywhere,
            )
        return self._fetched[key]


def told(exc: SealsteadError) -> str:
    return f"{exc.message} ({exc.hint})" if exc.hint else exc.message


def _is_json(page: Page) -> bool:
    """Return whether an answer is a table or a list, or the beginning of one that is longer than is read."""
    begins = page.body.lstrip()[:1]
    if not page.complete:
        return begins in (b"{", b"[")
    if begins == b"<":  # as most pages do; in no encoding is that JSON
        return False
    try:
        return isinstance(parse_json(page.body), dict | list)
    except NotJsonError:
        return False


def _text_or_none(page: Page, path: str) -> str | None:
    if page.status not in SUCCESS:
        return None
    try:
        found = texts_at(parse_json(page.body), (path,))
    except NotJsonError:
        return None
    return found[0] if found else None
