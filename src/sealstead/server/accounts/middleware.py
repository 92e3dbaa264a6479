"""Answers a visitor who tried too often: 429 with `Retry-After` (RFC 6585, section 4)."""

from __future__ import annotations

import math
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sealstead.server.accounts.limits import TooManyAttemptsError
from sealstead.server.problem import API_PREFIXES, refusal


class TooManyAttemptsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyAttemptsError):
            return None
        if request.path.startswith(API_PREFIXES):
            response = refusal(request, exception)
        else:
            response = render(request, "429.html", status=429)
        response["Retry-After"] = str(math.ceil(exception.retry_after.total_seconds()))
        return response
