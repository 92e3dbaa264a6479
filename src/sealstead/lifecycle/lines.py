"""Lines of descent: what rotations made from what.

Ending a credential ends everything that descends from it, unless that one link is named: a thief may have
rotated what was stolen, and the rightful holder knows only the credential they lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID


def descendants(predecessors: Mapping[UUID, UUID | None], credential: UUID) -> tuple[UUID, ...]:
    """Return what was made from `credential`, directly or not, nearest first.

    `predecessors` maps each credential of the line to what it was made from. A ring in damaged data ends the walk
    instead of turning in it.
    """
    made_from: dict[UUID, list[UUID]] = {}
    for link, predecessor in predecessors.items():
        if predecessor is not None:
            made_from.setdefault(predecessor, []).append(link)
    found: list[UUID] = []
    seen = {credential}
    queue = [credential]
    while queue:
        for link in made_from.get(queue.pop(0), []):
            if link not in seen:
                seen.add(link)
                found.append(link)
                queue.append(link)
    return tuple(found)


def ended_by_revoking(
    predecessors: Mapping[UUID, UUID | None], credential: UUID, *, only_this: bool = False
) -> tuple[UUID, ...]:
    """Return what ends when `credential` is revoked: itself, and its descendants unless `only_this`."""
    return (credential,) if only_this else (credential, *descendants(predecessors, credential))
