"""Programs of the machine that some tests drive (a browser, `minisign`, …)."""

from __future__ import annotations

import os
import shutil

import pytest


def require_program(*names: str) -> str:
    """Return the path of the first of `names` on PATH.

    Without any of them the calling test is skipped and says which program it misses. Where
    `CI=true`, a skip would hide that nothing was tested, so there it fails.
    """
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    reason = f"needs the program {' or '.join(names)}, which is not installed (.ci/run installs it)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
