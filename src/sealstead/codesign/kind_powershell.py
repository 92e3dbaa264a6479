"""PowerShell scripts, modules and their data: the signature is a block of comments at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sealstead.codesign.digested import Digested, NewFile, reading
from sealstead.formats.powershell import MAX_BYTES, Script, hash_script, parse_script, with_signature


class PowerShellHandler:
    def digest(self, path: Path, algorithms: Sequence[str]) -> Digested:
        with reading(path) as (file, facts):
            data = b"".join(iter(lambda: file.read(min(1 << 20, MAX_BYTES + 1)), b""))
        script = parse_script(data, path.suffix)
        return Digested(
            path=path,
            facts=facts,
            digests={name: hash_script(script, name) for name in algorithms},
            existing=script.signature,
            state=script,
        )

    def prepared(self, digested: Digested, signature: bytes) -> NewFile:
        script = digested.state
        assert isinstance(script, Script)  # noqa: S101 - made above
        return NewFile(
            path=digested.path,
            content=with_signature(script, signature),
            source=digested.path,
            facts=digested.facts,
        )
