"""Writes docs/reference/providers.md from the provider table."""

from __future__ import annotations

from sealstead.identity.providers import Place, Provider, named

HEAD = """\
# Providers

Where `verify` looks for a proof, by kind of page. The first row whose host and path fit the URL is taken; where the host
may be any, the `kind` in the profile chooses the row, and `/@name` and `/u/name` are recognised by their shape. Everything
else is a web page, on which a proof may stand anywhere in the text.

Looked at are only places that the page's owner alone can write: a proof that somebody left in a comment proves nothing.
For the same reason a page of a known site that no row describes - an issue, a question, a wiki - is `invalid` as a claim.
The same holds for every host below that of a known site, and for sites that are all wiki or answers; but a forum that a
known site keeps on a host of its own (`/u/name`, `/@name`) counts by what it answers of that account. Where a server of a
known kind has answered as JSON what the page's owner writes, or does not let us read it, nothing else on the page counts;
only where there is no such answer (404, or no JSON) is the URL a web page like any other.

`acct:ada@social.example` and `matrix:u/ada:ada.example` mean the pages that say the same.
"""


def providers_page() -> str:
    rows = list(named())
    lines = [
        HEAD,
        "| provider | for example | kinds on any host | where the proof goes | form |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.title} | `{row.example}` | {_kinds(row)} | {_place(row)} | {row.form.value if row.sources else '-'} |"
        for row in rows
    ]
    lines.append(
        "\n`form` is the longest that fits the place; `sign` takes it unless told otherwise. What a proof of each form "
        "says is in\n[decision 0015](../adr/0015-proofs.md)."
    )
    return "\n".join(lines) + "\n"


def _kinds(row: Provider) -> str:
    return ", ".join(f"`{kind}`" for kind in row.kinds) or "-"


def _place(row: Provider) -> str:
    if row.closed:
        return f"refused: {row.closed}"
    place = row.paste.replace("{", "*").replace("}", "*")
    return place + (" (link, not proof)" if row.sources[0].place is Place.LINKS else "")
