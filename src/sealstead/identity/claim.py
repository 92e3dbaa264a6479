"""Check one claim of a profile: look where its row of the provider table says, and judge what stands there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sealstead.errors import ExpiredError, InputError, ParseError, UpstreamError, VerificationError
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
from sealstead.identity.evidence import readings, texts_at
from sealstead.identity.looking import Looking, told
from sealstead.identity.outcomes import Outcome, Result, most_telling
from sealstead.identity.package import stored_package
from sealstead.identity.providers import Match, Place, Source, choose
from sealstead.net.pages import PageFetcher
from sealstead.net.urls import parse_url

if TYPE_CHECKING:
    from sealstead.net.dns import TextRecords


class Verifier(NamedTuple):
    """What the checks of one profile have in common."""

    pages: PageFetcher
    texts: TextRecords
    username: str
    package: str
    """The package that publishes the profile."""
    keys: Sequence[PublicKey]
    """The profile's own key first, then those that it is still taking over from."""
    at: datetime
    follow_stored: bool = False
    """A claim is for the package that its stored proof was made for, if it was for another."""
    former: Mapping[PublicKey, str] = {}
    """Keys of this profile that are believed no more, and why: to say more than that a proof is unknown."""
    retires: Mapping[str, datetime] = {}
    """When the retiring ones among `keys` end, by id: no proof by one counts any longer."""
    seconds: float = 10
    """How long the texts of one answer may keep us."""

    def check(self, link: ProfileLink) -> Result:
        """Return what becomes of one claim. Nothing that a page does raises."""
        trial = _Trial(self, link)
        try:
            trial.run()
        except InputError as exc:
            trial.conclude(Outcome.INVALID, told(exc))
        except Exception as exc:  # noqa: BLE001 - whatever one page brings about, the other claims have an answer
            trial.conclude(
                Outcome.UNREACHABLE, f"unexpected {type(exc).__name__}: this is a mistake in Sealstead"
            )
        return trial.result()

    def context(self, link: ProfileLink) -> ProofContext:
        stored = stored_package(link, self.username) if self.follow_stored else None
        package = stored or self.package
        return ProofContext(package=package, username=self.username, url=link.url)


class _Trial(Looking):
    """What is known so far about one claim."""

    def __init__(self, verifier: Verifier, link: ProfileLink) -> None:
        super().__init__(verifier.pages, link)
        self.verifier = verifier
        self.provider = self.by = ""
        self.proof: VerifiedProof | None = None
        self.ends_at: datetime | None = None
        self.contradicted = False
        self.others: list[str] = []
        """Why what looks like a proof is none for this page."""
        self.links: set[str] = set()

    def run(self) -> None:
        for match in choose(self.link.url, self.link.kind, rel_me=self.link.rel_me):
            provider = match.provider
            if provider.name == "page" and self.answered:
                # A forum shows its members' pages with what others write on them.
                self.steps.append("what stands elsewhere on the page may be written by others: not looked at")
                continue
            self.provider = self.provider or provider.name
            if provider.closed:
                self.conclude(Outcome.REFUSED, f"{provider.title}: {provider.closed}")
                continue
            if provider.sources[0].place is not Place.DNS:
                parse_url(match.values["url"])
            for source in provider.sources:
                try:
                    self._look(match, source)
                except UpstreamError as exc:
                    self.failed(exc)
                if Outcome.VERIFIED in self.outcomes:
                    self.provider = provider.name
                    return

    def result(self) -> Result:
        outcome = most_telling(self.outcomes)
        return Result(
            link=self.link,
            outcome=outcome,
            provider=self.provider,
            by=self.by,
            proof=self.proof,
            ends_at=self.ends_at,
            retiring=self.proof is not None and self.proof.key_id in self.verifier.retires,
            contradicted=self.contradicted,
            steps=tuple(self.steps),
            me_links=frozenset(self.links),
        )

    def _look(self, match: Match, source: Source) -> None:
        if source.place is Place.DNS:
            name = match.fill(source.url)
            records = self.verifier.texts.find_texts(name)
            self.steps.append(f"{name} has {_count(len(records), 'TXT record')}")
            self._judge(records)
            return
        page = self.fetch(match, source)
        if page is None:
            return
        if source.place is Place.LINKS:
            # Whether one of them leads to a page of ours is known when all claims have been checked.
            self._note_links([page.text()])
            self.steps.append(f"the page has {_count(len(self.links), 'link')} with rel=me")
            if not page.complete:
                self.conclude(Outcome.UNREACHABLE, f"{page.url} is longer than is read")
            return
        texts = [page.text()]
        if source.place is Place.JSON:
            value = self.value(match, source, page)
            if value is None:
                return
            texts = texts_at(value, source.where)
            self.steps.append(f"its owner writes {_count(len(texts), 'text')} there")
        self._judge(texts, complete=page.complete)
        if self.link.rel_me:
            self._note_links(texts)

    def _note_links(self, texts: Sequence[str]) -> None:
        from sealstead.identity.me_links import me_links  # its expressions take a while to compile

        self.links.update(*map(me_links, texts))

    def _judge(self, texts: Sequence[str], *, complete: bool = True) -> None:
        """Find the proofs, and say what stands there: a bad one beside a good one takes nothing from it."""
        before = len(self.outcomes)
        self.others.clear()
        self._find_best(texts)
        if self.proof is not None and self.ends_at is not None:
            self.by = "signature"
            whose = "the retiring key" if self.proof.key_id in self.verifier.retires else "key"
            until = f"{self.ends_at:%Y-%m-%d %H:%M} UTC"
            step = f"a proof ({self.proof.form}) by {whose} {self.proof.key_id} is good until {until}"
            self.conclude(Outcome.VERIFIED, step)
            return
        if self.others:
            count = _count(len(self.others), "proof")
            self.steps.append(f"{count} there for something else, or not whole: {self.others[0]}")
        if len(self.outcomes) == before:
            if complete and self.others:
                self.conclude(Outcome.INVALID, "no proof for this page stands there, only such")
            elif complete:
                self.conclude(Outcome.MISSING, "no proof for this page stands there")
            else:
                self.conclude(Outcome.UNREACHABLE, "no proof stands in the part that was read")

    def _find_best(self, texts: Sequence[str]) -> None:
        """Judge each proof until one is good.

        After a good one by a retiring key the others are judged too: its successor's lasts longer.
        """
        stop = time.monotonic() + self.verifier.seconds
        for token in _tokens(texts):
            if time.monotonic() > stop:
                if self.proof is None:
                    self.conclude(Outcome.UNREACHABLE, "more stands there than can be judged in this time")
                return
            proof = self._proved(token)
            if proof is None:
                continue
            if self.ends_at is None or self._end(proof) > self.ends_at:
                self.proof, self.ends_at = proof, self._end(proof)
            if proof.key_id not in self.verifier.retires:
                return

    def _end(self, proof: VerifiedProof) -> datetime:
        return min(proof.expires_at, self.verifier.retires.get(proof.key_id, proof.expires_at))

    def _proved(self, token: str) -> VerifiedProof | None:
        context = self.verifier.context(self.link)
        try:
            return verify_proof(token, context, self.verifier.keys, at=self.verifier.at)
        except (OtherClaimError, ProofFormatError) as exc:
            self.others.append(told(exc))
        except ExpiredError as exc:
            self.conclude(Outcome.EXPIRED, f"a proof for this page {told(exc)}")
        except VerificationError as exc:
            self.contradicted = True
            why = self._former(token, context) or told(exc)
            self.conclude(Outcome.INVALID, f"a proof for this page counts for nothing: {why}")
        return None

    def _former(self, token: str, context: ProofContext) -> str:
        for key, why in self.verifier.former.items():
            with contextlib.suppress(ParseError, VerificationError, ExpiredError):
                verify_proof(token, context, [key], at=self.verifier.at)
                return f"it is by key {key.id}, {why}"
        return ""


def _tokens(texts: Sequence[str]) -> Iterator[str]:
    """Yield what may be a proof in each text however it is read, each once."""
    seen: set[str] = set()
    for text in texts:
        for view in readings(text):
            for token in find_proofs(view):
                if token not in seen:
                    seen.add(token)
                    yield token


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
