"""The provider table: one row for each kind of page. `providers.py` says what the words mean.

Addresses and shapes of answers are those of the sites' public interfaces, which need no account.
"""

from __future__ import annotations

from sealstead.identity.provider_accounts import ACCOUNTS
from sealstead.identity.provider_forges import FORGES
from sealstead.identity.provider_forums import FORUMS
from sealstead.identity.providers import Form, Place, Provider, Source

_SIGNED_IN = "the site shows its pages only to visitors who are signed in"

DNS = Provider(
    name="dns",
    title="Domain name",
    paths=("{domain:host}",),
    sources=(
        Source(url="{domain}", place=Place.DNS),
        Source(url="_pypi-profile.{domain}", place=Place.DNS),
    ),
    paste="a TXT record of {domain}, or of _pypi-profile.{domain}",
    form=Form.COMPACT,
    example="dns:ada.example",
)

PAGE = Provider(
    name="page",
    title="Web page",
    paths=("/{rest:rest}",),
    sources=(Source(url="{url}", place=Place.TEXT),),
    paste="anywhere on the page {url}; it need not be visible",
    form=Form.FULL,
    example="https://ada.example/about",
)

REL_ME = Provider(
    name="rel-me",
    title='Link with rel="me"',
    kinds=("rel-me", "relme"),
    paths=("/{rest:rest}",),
    sources=(Source(url="{url}", place=Place.LINKS),),
    paste='a link with rel="me" on {url} to your user or project page on the index, or to a page of yours with a proof',
    form=Form.TINY,
    example="https://ada.example/about",
)

_OURS = (
    Provider(
        name="well-known",
        title="Domain (file on its web server)",
        kinds=("domain", "well-known"),
        paths=("/",),
        sources=(
            Source(url="{scheme}://{host}/.well-known/pypi-profile", place=Place.TEXT),
            Source(url="{url}", place=Place.TEXT),
        ),
        paste="the file {scheme}://{host}/.well-known/pypi-profile, or the page {url}",
        form=Form.FULL,
        example="https://ada.example/",
    ),
    Provider(
        name="sealstead",
        title="Project on a Sealstead server",
        kinds=("sealstead", "package-index"),
        paths=("/project/{project}",),
        sources=(Source(url="{scheme}://{host}/project/{project}/", place=Place.TEXT),),
        paste="the description (README) of {project}, with its next release",
        form=Form.FULL,
        example="https://packages.ada.example/project/engine/",
    ),
)

_SHUT = tuple(
    Provider(
        name=name,
        title=title,
        hosts=hosts,
        paths=("/{rest:rest}",),
        sources=(),
        closed=_SIGNED_IN,
        paste="your biography; nobody can check it without an account there",
        form=Form.TINY,
        example=f"https://{hosts[0]}/ada",
    )
    for name, title, hosts in (
        ("linkedin", "LinkedIn", ("linkedin.com", "*.linkedin.com")),
        ("x", "X (Twitter)", ("x.com", "*.x.com", "twitter.com", "*.twitter.com")),
        ("instagram", "Instagram", ("instagram.com", "*.instagram.com")),
        ("facebook", "Facebook", ("facebook.com", "*.facebook.com")),
        ("threads", "Threads", ("threads.net", "threads.com", "*.threads.net", "*.threads.com")),
        ("tiktok", "TikTok", ("tiktok.com", "*.tiktok.com")),
    )
)

TABLE: tuple[Provider, ...] = (*FORGES, *FORUMS, *ACCOUNTS, *_OURS, *_SHUT)
"""Earlier rows win. `DNS` is chosen by its scheme; `PAGE` and `REL_ME` are what is left."""

WRITTEN_BY_MANY = (
    "bsky.social",
    "fandom.com",
    "githubusercontent.com",  # what a pull request brings stands there under the name of the repository
    "groups.google.com",
    "mail-archive.com",
    "npmjs.org",
    "quora.com",
    "redd.it",
    "wikibooks.org",
    "wikidata.org",
    "wikimedia.org",
    "wikipedia.org",
    "wikiquote.org",
    "wikisource.org",
    "wikiversity.org",
    "wiktionary.org",
    "ycombinator.com",
)

SITES: frozenset[str] = frozenset(
    (*WRITTEN_BY_MANY, *(host.removeprefix("*.") for row in TABLE for host in row.hosts))
)
"""Hosts that are all their site's, with every host below them: nothing counts there but what a row describes.

A forum that such a site keeps on a host of its own is described by the rows that are recognised, unless the host is
below one of `WRITTEN_BY_MANY`.
"""
