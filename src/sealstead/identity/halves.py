"""Check the claims of a long profile in two processes: what is done with a page is Python, of which one runs at a time.

The other process takes every second claim, and tells what it found as JSON. It ends with this one, whatever ends that;
what it does not tell of is looked at here.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sealstead.formats.profile_schema import ProfileLink
from sealstead.formats.proof_text import VerifiedProof
from sealstead.identity.outcomes import Outcome, Result

_WORTH_IT = 64
Check = Callable[[Sequence[ProfileLink]], list[Result]]


def can_be_halved(links: Sequence[ProfileLink]) -> bool:
    return (
        len(links) >= _WORTH_IT
        and sys.platform == "linux"
        and (os.cpu_count() or 1) > 1
        and threading.active_count() == 1
    )


def in_halves(links: Sequence[ProfileLink], check: Check) -> list[Result]:
    """Return what `check` says of each, every second one in another process."""
    here = os.getpid()
    answers, end = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.close(answers)
            text = json.dumps([_told(each) for each in check(links[1::2])]).encode()
            while text and os.getppid() == here:
                text = text[os.write(end, text) :]
        finally:  # nothing of the command runs twice
            os._exit(0)
    os.close(end)
    mine = check(links[::2])
    with os.fdopen(answers, "rb") as file:
        told = file.read()
    with contextlib.suppress(ChildProcessError):  # there is nothing to wait for where SIGCHLD is ignored
        os.waitpid(process, 0)
    try:
        others = [_heard(link, row) for link, row in zip(links[1::2], json.loads(told), strict=True)]
    except ValueError:  # it was ended
        others = check(links[1::2])
    results = [mine[0]] * len(links)
    results[::2], results[1::2] = mine, others
    return results


def _told(result: Result) -> list[Any]:
    proof = result.proof
    return [
        result.outcome.value,
        result.provider,
        result.by,
        proof and [proof.form, proof.key_id, proof.issued_at.isoformat(), proof.expires_at.isoformat()],
        result.ends_at and result.ends_at.isoformat(),
        result.retiring,
        result.contradicted,
        result.steps,
        list(result.me_links),
    ]


def _heard(link: ProfileLink, row: list[Any]) -> Result:
    outcome, provider, by, proof, ends_at, retiring, contradicted, steps, me_links = row
    return Result(
        link=link,
        outcome=Outcome(outcome),
        provider=provider,
        by=by,
        proof=VerifiedProof(
            form=proof[0],
            key_id=proof[1],
            issued_at=datetime.fromisoformat(proof[2]),
            expires_at=datetime.fromisoformat(proof[3]),
        )
        if proof
        else None,
        ends_at=datetime.fromisoformat(ends_at) if ends_at else None,
        retiring=retiring,
        contradicted=contradicted,
        steps=tuple(steps),
        me_links=frozenset(me_links),
    )
