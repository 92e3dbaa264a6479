"""The drop-in script `SignotaurTool`: `sealstead signing` under its other name (docs/adr/0001-name.md).

As in `pypi_profile`, everything here is about the start: what is not needed is not imported, and a long program is
digested while the rest is.
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
    if sys.argv[1:2] == ["sign"]:
        from sealstead.codesign.early import begin_early

        begin_early(sys.argv[2:])
    from sealstead.cli.later import put_off

    put_off()
    from sealstead.cli.main import leave, run
    from sealstead.cli.signing.main import signing

    leave(run(signing, "SignotaurTool", sys.argv[1:]))
