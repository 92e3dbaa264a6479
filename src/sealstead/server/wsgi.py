"""The WSGI application: the fast read path (`edge`) in front of Django."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sealstead.server.settings")
application = get_wsgi_application()
