"""A desktop session of its own, with a real keyring: a message bus and gnome-keyring, unlocked."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import require_program


@contextmanager
def session_with_keyring(home: Path) -> Iterator[dict[str, str]]:
    """Yield the environment that lets a program find this keyring, which keeps its entries below `home`."""
    daemon, keeper = require_program("dbus-daemon"), require_program("gnome-keyring-daemon")
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    bus = subprocess.Popen(
        [daemon, "--session", "--nofork", "--nopidfile", "--print-address=1"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert bus.stdout
    try:
        found = {
            "DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip(),
            "XDG_RUNTIME_DIR": str(runtime),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
        }
        keyring = subprocess.Popen(
            [keeper, "--foreground", "--unlock", "--components=secrets"],
            env=environment | found,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert keyring.stdin
            keyring.stdin.write(b"the session's password")
            keyring.stdin.close()
            _wait_for_service(environment | found)
            yield found
        finally:
            keyring.terminate()
            keyring.wait(60)
    finally:
        bus.terminate()
        bus.stdout.close()
        bus.wait(60)


def _wait_for_service(environment: dict[str, str]) -> None:
    """Return when the keyring has taken its name on the bus: before, a program would start a second one."""
    asked = [
        *("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus"),
        *("/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"),
    ]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True, timeout=60)
        if "boolean true" in done.stdout:
            return
        time.sleep(0.02)
    raise AssertionError("gnome-keyring did not come up")
