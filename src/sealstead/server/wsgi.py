"""The WSGI application: the fast read path (`edge`) in front of Django."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sealstead.server.settings")
_django = get_wsgi_application()

from sealstead.server.edge import Edge  # noqa: E402 - its modules name models, which exist once Django is set up

application = Edge(_django)
