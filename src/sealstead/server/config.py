"""The operator's settings: `sealstead.toml` in the data directory, then `SEALSTEAD_*`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealstead.clock import Clock, SystemClock
from sealstead.custody.sealed import KeyRing


@dataclass(frozen=True, kw_only=True)
class Config:
    data_dir: Path
    database: dict[str, Any]
    ring: KeyRing
    clock: Clock = field(default_factory=SystemClock)

    @property
    def secret_key(self) -> str:
        return self.ring.derive("django-secret-key").hex()


def load_config() -> Config:
    data_dir = Path(os.environ["SEALSTEAD_DATA_DIR"])
    database: dict[str, Any] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(data_dir / "db.sqlite3"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
    return Config(data_dir=data_dir, database=database, ring=KeyRing.load(data_dir / "keyring.json"))
