"""Where a proof must stand on each kind of page: the words of the provider table, and how a row is chosen.

A row names the pages that belong to one owner (`hosts`, `paths`), what is fetched for one (`sources`), and the places
in the answer that only that owner can write. That is the point of the table: a proof in a comment somebody left on a
page proves nothing about who owns it. A page of a known host that no row describes is therefore refused, not searched.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from sealstead.errors import InputError
from sealstead.net.urls import parse_url

PATH_VALUE = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}"
"""One part of a path: never `.` or `..`, nothing escaped, so it may stand in another URL as it is."""

_SHAPES = {
    "": PATH_VALUE,
    "digits": r"[0-9]{1,12}",
    "hex": r"[0-9a-f]{8,64}",
    "localpart": r"[A-Za-z0-9_=+-][A-Za-z0-9._=/+-]{0,199}",
    "account": r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(?:@[A-Za-z0-9.-]{1,200})?",
    "orcid": r"[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]",
    "rest": r"[^?#]*",
    "host": r"(?:[A-Za-z0-9_-]{1,63}\.){0,60}[A-Za-z0-9_-]{1,63}\.?",
}

_SCHEMES = (
    (r"matrix:u/([^/?#:]+):([^/?#]+)", r"https://matrix.to/#/@\1:\2"),
    (r"acct:([^/?#@]+)@([^/?#@]+)", r"https://\2/@\1"),
)
"""Names of accounts (the matrix scheme of its specification; RFC 7565) and the page that says the same."""


class NotAnOwnersPageError(InputError):
    """A page of a known site on which others may write too, so a proof on it proves nothing."""

    code = "not-an-owners-page"


class Place(StrEnum):
    """How the answer is read."""

    TEXT = "text"
    """Anywhere in it."""
    JSON = "json"
    """In the values at the paths of `where`."""
    LINKS = "links"
    """Links with rel=me in it lead back to the profile."""
    DNS = "dns"
    """In TXT records."""


class Form(StrEnum):
    """The longest form of a proof that fits the place (reference: 575, 360 and 88 characters)."""

    FULL = "full"
    COMPACT = "compact"
    TINY = "tiny"


class Lookup(NamedTuple):
    """A question that comes before: what its answer holds at `path` becomes `{name}`."""

    url: str
    path: str
    name: str
    otherwise: str = ""
    """The value where there is no such page; empty: then there is no answer."""


class Source(NamedTuple):
    """One thing to fetch. Texts in braces come from the URL, and `{url}` is the URL itself."""

    url: str
    place: Place = Place.JSON
    where: tuple[str, ...] = ()
    """Paths into JSON: names and numbers between slashes, `*` for each of them."""
    owner: tuple[tuple[str, str], ...] = ()
    """(path, text): what the answer must say, or it is about somebody else."""
    accept: str = ""
    first: Lookup | None = None
    body: str = ""
    """JSON to be posted, with values in double angle brackets."""
    anywhere: bool = False
    """Redirects may lead to another host, for it is the site's own interface that sends us there."""


class Provider(NamedTuple):
    name: str
    title: str
    paths: tuple[str, ...]
    sources: tuple[Source, ...]
    paste: str
    """Where its owner puts a proof."""
    form: Form
    example: str
    hosts: tuple[str, ...] = ()
    """Exact names, or `*.` and a name for all below it. None: any host."""
    kinds: tuple[str, ...] = ()
    """What `kind` in a profile chooses the row on any host."""
    recognised: bool = False
    """Chosen on a host nobody knows by the shape of the path alone, before the page itself is searched."""
    closed: str = ""
    """Why the site is not even asked."""
    facts: tuple[tuple[str, str], ...] = ()
    """(name, path) of what the first source says about the account, for `fetch-claims`."""


class Match(NamedTuple):
    provider: Provider
    values: Mapping[str, str]

    def fill(self, template: str, **more: str) -> str:
        return _fill(template, {**self.values, **more})

    def fill_json(self, template: str) -> str:
        """Fill `<<name>>`; values have the shapes above, none of which needs escaping within a JSON string."""
        for name, value in self.values.items():
            template = template.replace(f"<<{name}>>", value)
        return template


def choose(url: str, kind: str = "", *, rel_me: bool = False) -> list[Match]:
    """Return the rows to try for a URL of a profile, the best first.

    Raises:
        NotAnOwnersPageError: the host is known, but not such a page of it.
        BadUrlError: it is no URL.
    """
    from sealstead.identity.provider_table import DNS, PAGE, REL_ME

    kind = kind.strip().lower().replace("_", "-")
    if url.lower().startswith("dns:"):
        found = _match(DNS, url)
        if found is None:
            raise NotAnOwnersPageError(f"{url[:80]!r} names no domain", hint="write dns:example.org")
        return [found]
    url = _as_web(url)
    page = Match(PAGE, {"url": url})
    link_back = [Match(REL_ME, {"url": url})] if rel_me or kind in REL_ME.kinds else []
    host = _parts(url)[1]["name"]
    at_host = _rows_at(host)
    if at_host or _is_of_a_known_site(host):
        matches = [found for row in at_host if (found := _match(row, url))][:1]
        if not at_host and not _is_below_many(host):
            # A site's own forum: what its software says of an account is fetched, nothing else of the page is read.
            matches = [found for row in _recognised(kind) if (found := _match(row, url))]
        if not matches:
            raise NotAnOwnersPageError(
                f"{url[:120]} is not a page of {host} that only one owner writes",
                hint=_hint(host),
            )
        return [*matches, *link_back]
    # What a page is recognised as counts whatever the profile calls it, for the profile may be a stranger's.
    rows = dict.fromkeys((*(_rows_of(kind) if kind else ()), *_rows_of("")))
    guesses = [found for row in rows if (found := _match(row, url))]
    if kind in REL_ME.kinds:
        return [*link_back, *guesses, page]
    return [*guesses, page, *link_back]


@functools.lru_cache(maxsize=1024)
def instructions(url: str, kind: str = "", *, rel_me: bool = False) -> tuple[Provider, str]:
    """Return the row for a URL and, for a person, where on that page a proof goes."""
    try:
        match = choose(url, kind, rel_me=rel_me)[0]
    except InputError as exc:
        from sealstead.identity.provider_table import PAGE

        return PAGE, f"{exc.message}; {exc.hint}" if exc.hint else exc.message
    return match.provider, match.fill(match.provider.paste)


def _as_web(url: str) -> str:
    """Return the page that stands for an account which is named by a URI of its own scheme."""
    for scheme, page in () if "//" in url else _SCHEMES:
        found = re.fullmatch(scheme, url)
        if found is not None:
            return found.expand(page)
    return url


@functools.lru_cache(maxsize=1024)
def _rows_at(host: str) -> tuple[Provider, ...]:
    from sealstead.identity.provider_table import TABLE

    return tuple(row for row in TABLE if any(_is_host(host, pattern) for pattern in row.hosts))


def _is_of_a_known_site(host: str) -> bool:
    """Return whether many write on `host`: it belongs to a site of the table, or to one that is all comments."""
    from sealstead.identity.provider_table import SITES

    return _is_at_or_below(host, SITES)


def _is_below_many(host: str) -> bool:
    """Return whether strangers may choose what stands at an address of `host`."""
    from sealstead.identity.provider_table import WRITTEN_BY_MANY

    return _is_at_or_below(host, WRITTEN_BY_MANY)


def _is_at_or_below(host: str, sites: Collection[str]) -> bool:
    return any(".".join(host.split(".")[start:]) in sites for start in range(host.count(".") + 1))


def _hint(host: str) -> str:
    from sealstead.identity.provider_table import TABLE

    rows = _rows_at(host) or [row for row in TABLE if any(host.endswith(f".{known}") for known in row.hosts)]
    if not rows:
        return "use a page of your own, or one of the table of providers"
    return "use a page such as " + ", ".join(row.example for row in rows[:3])


@functools.lru_cache(maxsize=128)
def _rows_of(kind: str) -> tuple[Provider, ...]:
    """Return the rows of a kind; of none, those that are recognised by shape."""
    from sealstead.identity.provider_table import TABLE

    return tuple(row for row in TABLE if (kind in row.kinds if kind else row.recognised))


def _recognised(kind: str) -> list[Provider]:
    """Return the rows that are recognised by shape, those of `kind` first."""
    return sorted(_rows_of(""), key=lambda row: kind not in row.kinds)


def _is_host(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host in (pattern, f"www.{pattern}")


def _match(row: Provider, url: str) -> Match | None:
    subject, values = _parts(url)
    for path in row.paths:
        found = _pattern(path).fullmatch(subject)
        if found is not None:
            return Match(row, {**values, **found.groupdict()})
    return None


@functools.lru_cache(maxsize=64)
def _parts(url: str) -> tuple[str, dict[str, str]]:
    """Return what the paths of rows are compared with, and the values that each row may use.

    Raises:
        BadUrlError: not a URL that is fetched.
    """
    if url[:4].lower() == "dns:":
        return url[4:].partition("?")[0], {"url": url}
    # The host as it is dialled, or another spelling of a known site would be a site that nobody knows.
    target = parse_url(url)
    parts = urlsplit(url)
    values = {"url": url, "scheme": target.scheme, "host": target.authority, "name": target.host}
    if parts.fragment.startswith("/"):  # matrix.to keeps its path there
        return f"#{parts.fragment.partition('?')[0]}?", values
    return f"{parts.path}?{parts.query}", values


@functools.lru_cache(maxsize=256)
def _pattern(template: str) -> re.Pattern[str]:
    """Return the expression for a path such as `/{user}/{id:digits}`, with or without a slash at its end."""
    parts: list[str] = []
    at = 0
    for found in re.finditer(r"\{([a-z]+)(?::([a-z]+))?\}", template):
        parts.append(re.escape(template[at : found.start()]))
        parts.append(f"(?P<{found[1]}>{_SHAPES[found[2] or '']})")
        at = found.end()
    parts.append(re.escape(template[at:]))
    text = "".join(parts)
    if template.startswith("{"):  # a name in the domain name system
        return re.compile(text)
    # The query matters only where the template has one.
    return re.compile(f"{text}(?:&.*)?" if "?" in template else f"{text.removesuffix('/')}/?\\?.*", re.DOTALL)


def _fill(template: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        text = values[found[1]]
        return quote(text, safe="") if found[2] else text

    return re.sub(r"\{([a-z_]+)(!?)\}", value, template)


def named() -> Iterator[Provider]:
    """Every row, for documentation and tests."""
    from sealstead.identity.provider_table import DNS, PAGE, REL_ME, TABLE

    yield from (DNS, *TABLE, REL_ME, PAGE)
