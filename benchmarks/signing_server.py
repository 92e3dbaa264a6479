"""Measure the signing server: a batch beside what `cryptography` alone signs, single requests, and many stored API keys.

The server is `sealstead serve --workers 2` as installed: every check on, one event a request, durable before the answer. After
each measurement its access log and its events are counted: an answer other than 200, or a request without its event, is an error.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from benchmarks import fill_keys, load, report, servers

BEGIN, END = "<!-- begin of the signing server table -->", "<!-- end of the signing server table -->"
ITEMS = 256
FEW, USED = 100, 64
RSA_LABEL, EC_LABEL = "bench-rsa", "bench-p256"
CLIENTS = (2, 3, 4)
PROCESSES = THREADS = 2
_SCRIPT = str(Path(__file__).parent / "sign.lua")
_SETTLE_SECONDS = 30


class Row(NamedTuple):
    what: str
    measured: str
    wanted: str
    holds: bool | None
    more: str = ""


class Rate(NamedTuple):
    """Signatures a second, and the processor time of one."""

    each_second: float
    cpu_us: float


@dataclass(kw_only=True)
class Signing:
    """A running server with two certificates and some API keys."""

    server: servers.Server
    keys: Path
    stored: int
    _next: int = 0

    @property
    def url(self) -> str:
        return self.server.simple.removesuffix("/simple/")

    def first(self, count: int) -> int:
        """Return the number of the first of `count` digests that were not sent yet."""
        self._next += count
        return self._next - count

    def events(self) -> int:
        """Return how many requests to sign have an event."""
        with closing(sqlite3.connect(self.server.directory / "data/db.sqlite3", timeout=30)) as database:
            found = database.execute(
                "SELECT count(*) FROM audit_event WHERE tag LIKE 'signature:%'"
            ).fetchone()
        return int(found[0])

    def answers(self) -> list[int]:
        """Return the status of every request to sign in the access log."""
        found = []
        with (self.server.directory / "server.log").open() as log:
            for line in log:
                if "/api/v1/" in line and line.startswith("{"):
                    entry = json.loads(line)
                    if entry.get("path") == "/api/v1/sign":
                        found.append(int(entry["status"]))
        return found

    def check(self, requests: int, in_flight: int) -> None:
        """Compare requests, answers and events; ends the program where they differ.

        Whoever stops measuring leaves up to `in_flight` requests that are signed and answered to nobody.
        """
        deadline = time.monotonic() + _SETTLE_SECONDS
        seen, now = (-1, -1), (self.events(), len(self.answers()))
        while (now[0] != now[1] or now != seen) and time.monotonic() < deadline:
            time.sleep(0.5)
            seen, now = now, (self.events(), len(self.answers()))
        (events, answers), statuses = now, set(self.answers())
        if statuses - {200} or events != answers:
            sys.exit(f"error: {answers} answers ({statuses}), {events} events")
        if not requests <= events <= requests + in_flight:
            sys.exit(f"error: {requests} requests, and {events} events")


def start(work: Path, name: str, stored: int) -> Signing:
    server = servers.start_ours(work / name, name, "--workers", "2")
    with servers.stopped_on_failure(server):
        for label, algorithm in ((RSA_LABEL, "RSA-3072"), (EC_LABEL, "P-256")):
            servers.admin(server, "create-certificate", "--test", "--label", label, "--algorithm", algorithm)
            servers.admin(server, "grant-certificate", "--user", fill_keys.USER, "--label", label)
        say(f"storing {stored:,} API keys")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.fill_keys", str(work / name / "data"), str(stored), str(USED)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        keys = work / name / "keys.txt"
        keys.touch(0o600)
        keys.write_text(done.stdout)
    return Signing(server=server, keys=keys, stored=stored)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# What the library alone signs


def sign_alone(pem: bytes, threads: int, seconds: float) -> Rate:
    """Sign as fast as this process can, and nothing else."""
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    scheme, algorithm = padding.PKCS1v15(), hashes.SHA256()
    data = bytes(150)  # as long as the attributes of a signature
    key.sign(data, scheme, algorithm)
    counts = [0] * threads
    began, processor = time.monotonic(), time.process_time()
    end = began + seconds

    def work(place: int) -> None:
        while time.monotonic() < end:
            key.sign(data, scheme, algorithm)
            counts[place] += 1

    workers = [threading.Thread(target=work, args=(place,)) for place in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    spent = time.monotonic() - began
    return Rate(sum(counts) / spent, (time.process_time() - processor) / sum(counts) * 1e6)


def alone(pem: bytes, seconds: float, pool: ProcessPoolExecutor) -> Rate:
    """Return the better of two processes with a thread each, and one with two threads."""
    both = list(pool.map(sign_alone, [pem] * PROCESSES, [1] * PROCESSES, [seconds] * PROCESSES))
    processes = Rate(sum(one.each_second for one in both), min(one.cpu_us for one in both))
    threads = pool.submit(sign_alone, pem, THREADS, seconds).result()
    say(
        f"cryptography alone: {processes.each_second:.0f}/s in processes, {threads.each_second:.0f}/s in threads"
    )
    return Rate(max(processes.each_second, threads.each_second), min(processes.cpu_us, threads.cpu_us))


# What the server signs


def batches(signing: Signing, *, clients: int, count: int) -> Rate:
    """Send `count` batches by `clients` at a time; every signature of every answer is counted."""
    api_keys = signing.keys.read_text().split()
    address = urlsplit(signing.url)
    lock, left = threading.Lock(), list(range(count))
    wrong: list[bytes] = []
    first = signing.first(count * ITEMS)

    def client(number: int) -> None:
        connection = HTTPConnection(address.hostname or "", address.port, timeout=120)
        head = {"Authorization": f"Bearer {api_keys[number]}", "Content-Type": "application/json"}
        while True:
            with lock:
                if not left:
                    break
                batch = left.pop()
            connection.request("POST", "/api/v1/sign", bodies[batch], head)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200 or answer.count(b'"signature"') != ITEMS:
                wrong.append(answer[:500])
        connection.close()

    bodies = [_batch(first + number * ITEMS) for number in range(count)]
    workers = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    before, began = signing.server.cpu_seconds(), time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    spent, processor = time.monotonic() - began, signing.server.cpu_seconds() - before
    if wrong:
        sys.exit(f"error: {wrong[0]!r}")
    return Rate(count * ITEMS / spent, processor / (count * ITEMS) * 1e6)


def _batch(first: int) -> bytes:
    items = [
        {
            "kind": "pe",
            "digest": f"{number:08}{'A' * 35}=",
            "file_name": f"program-{number}.exe",
            "file_size": 2**20,
        }
        for number in range(first, first + ITEMS)
    ]
    return json.dumps(
        {"label": RSA_LABEL, "profile": "authenticode", "algorithm": "SHA256", "items": items}
    ).encode()


def singles(
    signing: Signing, what: str, label: str, *, connections: int, seconds: int, warm_up: int = 2
) -> load.Load:
    """Single requests, `sign` or `get`, through wrk; checked afterwards."""

    def run(seconds: int) -> load.Load:
        before = signing.events()
        script = (_SCRIPT, str(signing.keys), what, label, "1", str(signing.first(1_000_000)))
        measured = load.wrk(signing.url, seconds=seconds, connections=connections, script=script)
        if measured.errors:
            sys.exit(f"error: {measured.errors} answers other than 200")
        if what == "sign":
            signing.check(before + measured.requests, connections)
        return measured

    if warm_up:
        run(warm_up)
    before = signing.server.cpu_seconds()
    measured = run(seconds)
    spent = signing.server.cpu_seconds() - before
    return replace(measured, cpu_us=spent / max(measured.requests, 1) * 1e6)


# The rows of the table


def batch_rows(signing: Signing, options: argparse.Namespace) -> Iterator[Row]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    raw: list[Rate] = []
    ours: dict[int, list[Rate]] = {clients: [] for clients in CLIENTS}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        batches(signing, clients=4, count=8)  # threads, connections and byte code of both workers
        alone(pem, 0.5, pool)
        for _ in range(options.rounds):
            raw.append(alone(pem, options.seconds / 2, pool))
            count = max(8, int(raw[-1].each_second * options.seconds / ITEMS))
            for clients, rates in ours.items():
                before = signing.events()
                rates.append(batches(signing, clients=clients, count=count))
                signing.check(before + count, 0)
                say(
                    f"batches by {clients} clients: {rates[-1].each_second:.0f}/s, {rates[-1].cpu_us:.0f} us each"
                )
    best_raw = max(rate.each_second for rate in raw)
    raw_cpu = min(rate.cpu_us for rate in raw)
    yield Row(
        f"`cryptography` alone, RSA-3072, the better of {PROCESSES} processes and {THREADS} threads",
        f"{best_raw:.0f}/s",
        "",
        None,
        f"{raw_cpu:.0f} µs each",
    )
    for clients, rates in ours.items():
        best = max(rate.each_second for rate in rates)
        cpu = min(rate.cpu_us for rate in rates)
        yield Row(
            f"batches of {ITEMS}, RSA-3072, {clients} clients",
            f"{best:.0f}/s, {best / best_raw:.2f} of that",
            "≥ 0.85",
            best / best_raw >= 0.85,
            f"{cpu:.0f} µs a signature: {raw_cpu / cpu:.2f} of it is the library's",
        )


def single_rows(signing: Signing, options: argparse.Namespace) -> Iterator[Row]:
    runs = []
    for _ in range(options.rounds):
        runs.append(singles(signing, "sign", RSA_LABEL, connections=16, seconds=options.seconds))
        say(f"single requests: {runs[-1].rps:.0f}/s, p99 {runs[-1].p99_ms:.1f} ms, {runs[-1].cpu_us:.0f} us")
    best = max(runs, key=lambda run: run.rps)
    cpu = f"{min(run.cpu_us for run in runs):.0f} µs a request"
    what = "single requests, RSA-3072, 16 connections"
    yield Row(what, f"{best.rps:.0f}/s", "≥ 700/s", best.rps >= 700, cpu)
    yield Row(
        f"{what}: p99", f"{best.p99_ms:.1f} ms", "≤ 40 ms", best.p99_ms <= 40, f"p50 {best.p50_ms:.1f} ms"
    )


def flat_rows(few: Signing, many: Signing, options: argparse.Namespace) -> Iterator[Row]:
    """Compare the two servers pair by pair: what else the machine does changes slower than one takes over from the other.

    One request at a time, so that nothing depends on which worker has which connection. The median of the pairs' ratios
    counts, and how far they lie apart is told.
    """
    seconds = max(1, options.seconds // 2)
    measures: dict[str, tuple[str, Callable[[load.Load], float]]] = {
        "p50": ("ms", lambda run: run.p50_ms),
        "processor time": ("µs", lambda run: run.cpu_us),
    }
    for name, what in (("GET /api/v1/key", "get"), ("POST /api/v1/sign, P-256", "sign")):
        runs: dict[int, list[load.Load]] = {few.stored: [], many.stored: []}
        for number in range(4 * options.rounds):
            pair = (few, many) if number % 2 else (many, few)
            for signing in pair:
                run = singles(
                    signing, what, EC_LABEL, connections=1, seconds=seconds, warm_up=0 if number else 2
                )
                runs[signing.stored].append(run)
                say(f"{name}, {signing.stored:,} keys: p50 {run.p50_ms:.2f} ms, {run.cpu_us:.0f} us")
        for measure, (unit, value) in measures.items():
            small, large = (list(map(value, runs[signing.stored])) for signing in (few, many))
            ratios = sorted(after / before for before, after in zip(small, large, strict=True))
            quarter = len(ratios) // 4
            middle = median(ratios)
            digits = 2 if unit == "ms" else 0
            yield Row(
                f"{name}: {measure}, {many.stored:,} stored keys against {few.stored}",
                f"{middle:.2f} x",
                "≤ 1.1 x",
                middle <= 1.1,
                f"{median(large):.{digits}f} {unit} against {median(small):.{digits}f} {unit}; "
                f"half of {len(ratios)} pairs from {ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f}",
            )


def markdown(rows: list[Row], busy: str) -> str:
    lines = [busy, "", "| what | measured | wanted | | |", "|---|---:|---:|---|---|"]
    verdicts = {True: "holds", False: "**missed**", None: ""}
    lines += [
        f"| {row.what} | {row.measured} | {row.wanted} | {verdicts[row.holds]} | {row.more} |" for row in rows
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="put the table into this page")
    parser.add_argument("--keys", type=int, default=1_000_000, help="so many API keys in the larger database")
    parser.add_argument("--seconds", type=int, default=6, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["batch", "single", "flat"], help="measure only this")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("error: wrk is not installed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    busy = report.measured_on("python -m benchmarks.signing_server")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="sealstead-bench-") as name, ExitStack() as stack:

        def running(label: str, stored: int) -> Signing:
            signing = start(Path(name), label, stored)
            stack.callback(signing.server.stop)
            return signing

        few = running("few", FEW)
        if options.only in {None, "batch"}:
            rows += batch_rows(few, options)
        if options.only in {None, "single"}:
            rows += single_rows(few, options)
        if options.only in {None, "flat"}:
            rows += flat_rows(few, running("many", options.keys), options)
    table = markdown(rows, busy)
    print(table)
    if options.write is not None:
        report.write(options.write, table, begin=BEGIN, end=END)
        say(f"written to {options.write}")


if __name__ == "__main__":
    main()
