"""The drop-in script `pypi-profile`: `sealstead profile` under its other name (docs/adr/0001-name.md).

Everything here is about the start, which is half of the time of a short command: what is not needed is not imported,
`typing` least of all, and a long file is read while the rest is imported.
"""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_OBJECTS_BEFORE_COLLECTION = 50_000


def main() -> NoReturn:
    # What the imports make is no garbage: looking for it a hundred times takes a tenth of a short command.
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    if sys.argv[1:2] in (["sign-file"], ["verify-file"]):
        # Before the rest is imported: the file is read meanwhile.
        from sealstead.identity.head_start import begin_early

        begin_early(sys.argv[2:])
    from sealstead.cli.later import put_off

    put_off()
    from sealstead.cli.main import leave, run
    from sealstead.cli.profile.main import profile

    leave(run(profile, "pypi-profile", sys.argv[1:]))
