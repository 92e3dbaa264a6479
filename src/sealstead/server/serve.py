"""Run the server: prepare the data directory, migrate, hand over to gunicorn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sealstead.custody.sealed import KeyRing


def open_data_dir(data_dir: Path) -> None:
    """Make the data directory ready and start Django on it."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ring = data_dir / "keyring.json"
    if not ring.exists():
        ring.touch(0o600)
        ring.write_text(KeyRing.generate().dump())
    os.environ["SEALSTEAD_DATA_DIR"] = str(data_dir)
    os.environ["DJANGO_SETTINGS_MODULE"] = "sealstead.server.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def serve(*, data_dir: Path, host: str, port: int, workers: int) -> None:
    open_data_dir(data_dir)
    from django.db import connections
    from gunicorn.app.base import BaseApplication

    connections.close_all()

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"{host}:{port}",
                "workers": workers,
                "worker_class": "gthread",
                "threads": 8,
                "control_socket_disable": True,
            }
            for key, value in options.items():
                self.cfg.set(key, value)

        def load(self) -> object:
            from sealstead.server.wsgi import application

            return application

    Server().run()
