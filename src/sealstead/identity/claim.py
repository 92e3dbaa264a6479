"""Check one claim of a profile: fetch what its row of the provider table names, and judge what stands there."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sealstead.errors import (
    ExpiredError,
    InputError,
    ParseError,
    SealsteadError,
    UpstreamError,
    VerificationError,
)
from sealstead.formats.minisign import PublicKey
from sealstead.formats.profile_schema import ProfileLink
from sealstead.formats.proof_text import (
    OtherClaimError,
    ProofContext,
    ProofFormatError,
    VerifiedProof,
    find_proofs,
    verify_proof,
)
from sealstead.identity.evidence import NotJsonError, me_links, parse_json, readings, texts_at, values_at
from sealstead.identity.outcomes import SUCCESS, Outcome, Result, most_telling, understood
from sealstead.identity.providers import Match, Place, Source, choose
from sealstead.net.dns import NameServerRefusesError, TextRecords
from sealstead.net.pages import LeavesSiteError, Page, PageFetcher
from sealstead.net.urls import BadUrlError, parse_url


class Verifier(NamedTuple):
    """What the checks of one profile have in common."""

    pages: PageFetcher
    texts: TextRecords
    username: str
    package: str
    """The package that publishes the profile."""
    keys: Sequence[PublicKey]
    """The profile's own key first, then those it is being replaced by overlap from."""
    at: datetime
    packages: Mapping[str, str] = {}
    """Another package, for the URLs whose proof was made for it."""
    former: Mapping[PublicKey, str] = {}
    """Keys of this profile that are believed no more, and why: to say more than that a proof is unknown."""

    def check(self, link: ProfileLink) -> Result:
        """Return what becomes of one claim. Nothing that a page does raises."""
        trial = _Trial(self, link)
        try:
            trial.run()
        except InputError as exc:
            trial.conclude(Outcome.INVALID, _told(exc))
        return trial.result()

    def context(self, link: ProfileLink) -> ProofContext:
        return ProofContext(
            package=self.packages.get(link.url, self.package), username=self.username, url=link.url
        )


class _Trial:
    """What is known so far about one claim."""

    def __init__(self, verifier: Verifier, link: ProfileLink) -> None:
        self.verifier = verifier
        self.link = link
        self.outcomes: list[Outcome] = []
        self.steps: list[str] = []
        self.provider = self.by = ""
        self.proof: VerifiedProof | None = None
        self.others = 0
        self.links: set[str] = set()
        self.fetched: dict[tuple[str, str], Page] = {}

    def conclude(self, outcome: Outcome, step: str) -> None:
        self.outcomes.append(outcome)
        self.steps.append(step)

    def run(self) -> None:
        for match in choose(self.link.url, self.link.kind, rel_me=self.link.rel_me):
            provider = match.provider
            self.provider = self.provider or provider.name
            if provider.closed:
                self.conclude(Outcome.REFUSED, f"{provider.title}: {provider.closed}")
                continue
            if not self.link.url.lower().startswith("dns:"):
                parse_url(self.link.url)
            for source in provider.sources:
                self._try(match, source)
                if Outcome.VERIFIED in self.outcomes:
                    self.provider = provider.name
                    return

    def result(self) -> Result:
        outcome = most_telling(self.outcomes)
        return Result(
            link=self.link,
            outcome=outcome,
            provider=self.provider,
            by=self.by if outcome is Outcome.VERIFIED else "",
            proof=self.proof if outcome is Outcome.VERIFIED else None,
            steps=tuple(self.steps),
            me_links=frozenset(self.links),
        )

    def _try(self, match: Match, source: Source) -> None:
        try:
            if source.place is Place.DNS:
                self._judge(self._records(match, source))
                return
            page = self._fetch(match, source)
            if page is not None:
                self._look(match, source, page)
        except LeavesSiteError as exc:
            # The page is gone from there: what stands elsewhere is another page's.
            self.conclude(Outcome.MISSING, _told(exc))
        except NameServerRefusesError as exc:
            self.conclude(Outcome.REFUSED, _told(exc))
        except UpstreamError as exc:
            self.conclude(Outcome.UNREACHABLE, _told(exc))
        except BadUrlError:
            if source.first is None:
                raise
            self.conclude(Outcome.UNREACHABLE, "the site names an address of its own that cannot be fetched")

    def _records(self, match: Match, source: Source) -> tuple[str, ...]:
        name = match.fill(source.url)
        records = self.verifier.texts.find_texts(name)
        self.steps.append(f"{name} has {_count(len(records), 'TXT record')}")
        return records

    def _fetch(self, match: Match, source: Source) -> Page | None:
        more: dict[str, str] = {}
        if source.first is not None:
            first = self._get(match.fill(source.first.url), "application/json", b"", anywhere=True)
            found = _text_or_none(first, source.first.path)
            if found is None and not source.first.otherwise:
                self.conclude(Outcome.MISSING, f"{first.url} does not say where to look")
                return None
            more[source.first.name] = (found or match.fill(source.first.otherwise)).rstrip("/")
        accept = source.accept or (
            "application/json" if source.place is Place.JSON else "text/html, text/*;q=0.9, */*;q=0.8"
        )
        body = match.fill_json(source.body).encode()
        page = self._get(match.fill(source.url, **more), accept, body, anywhere=source.anywhere)
        outcome, said = understood(page, self.link.url)
        self.steps.append(said)
        if outcome is None:
            return page
        self.outcomes.append(outcome)
        return None

    def _get(self, url: str, accept: str, body: bytes, *, anywhere: bool) -> Page:
        key = (url, accept)
        if key not in self.fetched:
            self.fetched[key] = self.verifier.pages.fetch(
                url,
                accept=accept,
                headers={"Content-Type": "application/json"} if body else {},
                body=body or None,
                anywhere=anywhere,
            )
        return self.fetched[key]

    def _look(self, match: Match, source: Source, page: Page) -> None:
        if source.place is Place.LINKS:
            self._look_back(page.text(), complete=page.complete)
            return
        if source.place is Place.TEXT:
            texts = [page.text()]
        elif not page.complete:
            self.conclude(Outcome.UNREACHABLE, f"{page.url} is longer than is read")
            return
        else:
            try:
                value = parse_json(page.body)
            except NotJsonError as exc:
                # Of a site whose kind was only guessed, it says that the guess was wrong.
                guessed = match.provider.recognised and self.link.kind not in match.provider.kinds
                outcome = Outcome.MISSING if guessed else Outcome.UNREACHABLE
                self.conclude(outcome, f"{page.url}: {exc.message}")
                return
            for path, template in source.owner:
                wanted = match.fill(template).lower()
                if wanted not in [str(said).lower() for said in values_at(value, path)]:
                    self.conclude(Outcome.INVALID, f"{page.url} is not a page of {match.fill(template)}")
                    return
            texts = texts_at(value, source.where)
            self.steps.append(f"its owner writes {_count(len(texts), 'text')} there")
        self._judge(texts, complete=page.complete)
        if self.link.rel_me:
            self.links.update(*map(me_links, texts))

    def _judge(self, texts: Sequence[str], *, complete: bool = True) -> None:
        """Find the proofs and judge each, until one is good: a bad one beside it takes nothing from it."""
        seen: set[str] = set()
        before = len(self.outcomes)
        for text in texts:
            for view in readings(text):
                for token in find_proofs(view):
                    if token not in seen and self._is_good(token):
                        return
                    seen.add(token)
        if self.others:
            self.steps.append(f"{_count(self.others, 'proof')} there for something else, or not whole")
        if len(self.outcomes) == before:
            if complete:
                self.conclude(Outcome.MISSING, "no proof for this page stands there")
            else:
                self.conclude(Outcome.UNREACHABLE, "no proof stands in the part that was read")

    def _is_good(self, token: str) -> bool:
        context = self.verifier.context(self.link)
        try:
            proof = verify_proof(token, context, self.verifier.keys, at=self.verifier.at)
        except (OtherClaimError, ProofFormatError):
            self.others += 1
        except ExpiredError as exc:
            self.conclude(Outcome.EXPIRED, f"a proof for this page {_told(exc)}")
        except VerificationError as exc:
            why = self._former(token, context) or _told(exc)
            self.conclude(Outcome.INVALID, f"a proof for this page counts for nothing: {why}")
        else:
            self.by, self.proof = "signature", proof
            until = f"{proof.expires_at:%Y-%m-%d %H:%M} UTC"
            self.conclude(
                Outcome.VERIFIED, f"a proof ({proof.form}) by key {proof.key_id} is good until {until}"
            )
            return True
        return False

    def _former(self, token: str, context: ProofContext) -> str:
        for key, why in self.verifier.former.items():
            with contextlib.suppress(ParseError, VerificationError, ExpiredError):
                verify_proof(token, context, [key], at=self.verifier.at)
                return f"it is by key {key.id}, {why}"
        return ""

    def _look_back(self, text: str, *, complete: bool) -> None:
        """Note links with rel=me. Whether one leads to a page of ours is known when all claims have been checked."""
        self.links |= me_links(text)
        self.steps.append(f"the page has {_count(len(self.links), 'link')} with rel=me")
        if not complete:
            self.conclude(Outcome.UNREACHABLE, f"{self.link.url} is longer than is read")


def _text_or_none(page: Page, path: str) -> str | None:
    if page.status not in SUCCESS:
        return None
    try:
        found = texts_at(parse_json(page.body), (path,))
    except NotJsonError:
        return None
    return found[0] if found else None


def _told(exc: SealsteadError) -> str:
    return f"{exc.message} ({exc.hint})" if exc.hint else exc.message


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
