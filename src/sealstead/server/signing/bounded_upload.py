"""Files that hold a secret are read into memory, never into a temporary file, and only if they are small.

Django decides where an upload goes when the request is first read, which is in the middleware that looks for the CSRF
token. So that check is taken out of the middleware for these views, and made after the length has been looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from sealstead.custody.key_import import MAX_BYTES

MAX_BODY_BYTES = MAX_BYTES + 100_000
"""A file as large as any that is read, and the other fields. Below what Django keeps in memory (2.5 MB)."""

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def small_secret_upload(view: View[P]) -> View[P]:
    checked = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > MAX_BODY_BYTES:  # noqa: PLR2004 - digits of far more than the limit
            return _too_large(request)
        request.upload_handlers = [MemoryFileUploadHandler(request)]
        return checked(request, *args, **kwargs)

    return guarded


def _too_large(request: HttpRequest) -> HttpResponse:
    return render(request, "signing/too_large.html", status=413)
