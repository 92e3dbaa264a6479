"""Reading and verifying a project-scoped upload token: ours beside pymacaroons, in one run.

Both start from the text of the token and end with a verified signature and every caveat found met; ours also
checks the caveats' types and the request's facts, while pymacaroons is handed a predicate that decodes JSON.
Processor time, in rounds that alternate, so that a busy machine slows both; the median round counts.

    python -m benchmarks.macaroon
"""

from __future__ import annotations

import json
import statistics
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime

import pymacaroons

from sealstead.formats import caveat_json, caveats, macaroon, token_text

ROUNDS = 15
CALLS = 2000
GOAL_MICROSECONDS = 20

ROOT_KEY = bytes(range(32))
IDENTIFIER = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
PROJECT_ID = "9b2e6d4e-37f4-4f5b-8a57-1f0f6a4d9a11"
TOKEN = token_text.serialize_token(
    macaroon.mint(
        ROOT_KEY,
        location=b"pkg.test",
        identifier=IDENTIFIER.encode(),
        caveats=[
            caveat_json.serialize_caveat(caveats.ProjectNames.tag, ["demo-lib"]),
            caveat_json.serialize_caveat(caveats.ProjectIds.tag, [PROJECT_ID]),
        ],
    )
)
CONTEXT = caveats.AccessContext(
    now=datetime(2026, 1, 1, tzinfo=UTC),
    user_id=IDENTIFIER,
    project_name="demo-lib",
    project_id=PROJECT_ID,
    project_pending=False,
)


def ours() -> None:
    token = token_text.parse_token(TOKEN)
    macaroon.verify_macaroon(token, ROOT_KEY)
    caveats.check_caveats(
        [caveat_json.parse_caveat(caveat, token_owner=IDENTIFIER) for caveat in token.caveats], CONTEXT
    )


def ours_signature_only() -> None:
    macaroon.verify_macaroon(token_text.parse_token(TOKEN), ROOT_KEY)


def pymacaroons_with_caveats() -> None:
    token = pymacaroons.Macaroon.deserialize(TOKEN.partition("-")[2])
    verifier = pymacaroons.Verifier()
    verifier.satisfy_general(lambda caveat: bool(json.loads(caveat)))
    assert verifier.verify(token, ROOT_KEY)


def measure(*functions: Callable[[], None]) -> dict[str, float]:
    """Return microseconds a call, the median of alternating rounds."""
    rounds: dict[str, list[float]] = {function.__name__: [] for function in functions}
    for _ in range(ROUNDS):
        for function in functions:
            rounds[function.__name__].append(
                timeit.timeit(function, timer=time.process_time, number=CALLS) / CALLS * 1e6
            )
    return {name: statistics.median(times) for name, times in rounds.items()}


def main() -> None:
    medians = measure(ours, ours_signature_only, pymacaroons_with_caveats)
    for name, microseconds in medians.items():
        print(f"{name:28} {microseconds:6.1f} us")
    print(f"{'ratio':28} {medians['pymacaroons_with_caveats'] / medians['ours']:6.1f} x faster")
    verdict = "met" if medians["ours"] <= GOAL_MICROSECONDS else "MISSED"
    print(f"goal of {GOAL_MICROSECONDS} us: {verdict}")


if __name__ == "__main__":
    main()
