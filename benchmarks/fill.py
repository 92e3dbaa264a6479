"""Fill an index with many projects at once, straight into the database: `fill.py DATA_DIR PROJECTS FILES`.

For measurements of reading only: the files have rows and no blobs, except one of 1 MB.
"""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def main(data_dir: Path, projects: int, files_each: int) -> None:
    os.environ["SEALSTEAD_DATA_DIR"] = str(data_dir)
    os.environ["DJANGO_SETTINGS_MODULE"] = "sealstead.server.settings"
    import django

    django.setup()
    from django.db import transaction

    from sealstead.server.index.models import File, Project, Release
    from sealstead.server.index.serial import bump

    def digest(text: str) -> str:
        return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()

    with transaction.atomic():
        names = [f"filled-{number:05d}" for number in range(projects)]
        rows = [
            Project(
                name=name,
                normalized_name=name,
                confusable_name=name.replace("-", ""),
                created_at=MOMENT,
                summary="Filled",
            )
            for name in names
        ]
        Project.objects.bulk_create(rows, batch_size=500)
        releases = [
            Release(project=project, version=f"1.{minor}", canonical_version=f"1.{minor}", created_at=MOMENT)
            for project in rows
            for minor in range(files_each)
        ]
        Release.objects.bulk_create(releases, batch_size=500)
        File.objects.bulk_create(
            [
                File(
                    release=release,
                    filename=(
                        filename
                        := f"{release.project.name.replace('-', '_')}-{release.version}-py3-none-any.whl"
                    ),
                    filetype="bdist_wheel",
                    python_version="py3",
                    requires_python=">=3.11",
                    size=1000,
                    sha256=digest("s" + filename),
                    blake2b=digest(filename),
                    md5="0" * 32,
                    metadata_sha256=digest("m" + filename),
                    metadata_blake2b=digest("b" + filename),
                    uploaded_at=MOMENT,
                )
                for release in releases
            ],
            batch_size=500,
        )
        for project in rows[:1]:
            bump(project)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
