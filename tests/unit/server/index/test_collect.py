from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.rows import NOW, make_project, make_release

from sealstead.server.index.blobs import LocalBlobs
from sealstead.server.index.collect import GRACE, Collected, collect
from sealstead.server.index.models import File

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


def aged(path: Path, age: timedelta) -> Path:
    moment = (NOW - age).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_an_empty_store_has_nothing_to_collect(blobs: LocalBlobs) -> None:
    assert collect(blobs, at=NOW) == Collected(incoming=0, blobs=0, bytes=0)


def test_stale_incoming_files_go_and_young_ones_stay(blobs: LocalBlobs) -> None:
    old, young = blobs.receive(), blobs.receive()
    old.write(b"12345")
    aged(old.path, GRACE + timedelta(seconds=1))
    aged(young.path, GRACE - timedelta(seconds=1))
    assert collect(blobs, at=NOW) == Collected(incoming=1, blobs=0, bytes=5)
    assert (old.path.exists(), young.path.exists()) == (False, True)
    old.close()
    young.close()


def test_blobs_without_a_row_go_and_named_ones_stay(blobs: LocalBlobs) -> None:
    orphan, young, file, metadata = (blobs.put(data) for data in (b"orphan", b"young", b"file", b"metadata"))
    release = make_release(make_project(), files=1)
    File.objects.filter(release=release).update(blake2b=file, metadata_blake2b=metadata)
    for name in (orphan, file, metadata):
        aged(blobs.path(name), GRACE + timedelta(seconds=1))
    aged(blobs.path(young), GRACE - timedelta(seconds=1))
    assert collect(blobs, at=NOW, dry_run=True) == Collected(incoming=0, blobs=1, bytes=6)
    assert blobs.path(orphan).exists()
    assert collect(blobs, at=NOW) == Collected(incoming=0, blobs=1, bytes=6)
    assert [blobs.path(name).exists() for name in (orphan, young, file, metadata)] == [
        False,
        True,
        True,
        True,
    ]


def test_a_deleted_file_keeps_its_blob_for_the_grace(blobs: LocalBlobs) -> None:
    name = blobs.put(b"file")
    aged(blobs.path(name), timedelta(days=400))
    make_release(make_project(), files=1)
    File.objects.update(blake2b=name, deleted_at=NOW)
    assert collect(blobs, at=NOW + GRACE).blobs == 0
    assert collect(blobs, at=NOW + GRACE + timedelta(microseconds=1)).blobs == 1
    assert not blobs.path(name).exists()


def test_content_that_a_second_file_names_stays(blobs: LocalBlobs) -> None:
    name = blobs.put(b"shared")
    aged(blobs.path(name), timedelta(days=400))
    make_release(make_project(), files=2)
    deleted, kept = File.objects.all()
    File.objects.filter(pk=deleted.pk).update(blake2b=name, deleted_at=NOW - timedelta(days=400))
    File.objects.filter(pk=kept.pk).update(metadata_blake2b=name)
    assert collect(blobs, at=NOW).blobs == 0


def test_uploads_may_end_while_the_collector_looks(blobs: LocalBlobs) -> None:
    class Fleeting:
        """A directory whose files are gone just before somebody looks at them."""

        def __init__(self, directory: Path) -> None:
            self.directory = directory

        def is_dir(self) -> bool:
            return True

        def iterdir(self) -> Iterator[Path]:
            for path in list(self.directory.iterdir()):
                path.unlink()
                yield path

    upload = blobs.receive()
    blobs.incoming = Fleeting(blobs.incoming)  # type: ignore[assignment]
    assert collect(blobs, at=NOW) == Collected(incoming=0, blobs=0, bytes=0)
    upload.close()


def test_a_listed_file_may_be_gone(blobs: LocalBlobs) -> None:
    blobs.receive().close()
    (blobs.incoming / "gone").symlink_to("nowhere")
    assert collect(blobs, at=NOW) == Collected(incoming=0, blobs=0, bytes=0)
