"""The WSGI application: the fast read path (`edge`) and the JSON protocol (`api_edge`) in front of Django."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sealstead.server.settings")
_django = get_wsgi_application()

from django.urls import resolve  # noqa: E402

from sealstead.server.api_edge import ApiEdge  # noqa: E402 - their modules name models, which exist once Django is set up
from sealstead.server.edge import Edge  # noqa: E402
from sealstead.server.housekeeping import start as start_housekeeping  # noqa: E402

_api = ApiEdge(_django)
application = Edge(_api, prompt=_api)


def warm_up() -> None:
    """Import what the first request would, every page's module and the patterns of every address; begin the periodic job.

    A worker that did it on the way would make its first publisher wait for it. What is there now stays for good, and the
    garbage collector need not walk through it again.
    """
    resolve("/legacy/")
    gc.collect()
    gc.freeze()
    start_housekeeping()
