"""Collects what must not happen while a page is open, in any test."""

from __future__ import annotations

import re

from playwright.sync_api import ConsoleMessage, Error, Page, Request


class Watch:
    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._seen: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    def allow(self, pattern: str) -> None:
        """Excuse complaints that match, for example the console's note on a 403 that the test is about."""
        self._allowed.append(re.compile(pattern))

    def complaints(self) -> list[str]:
        return [seen for seen in self._seen if not any(pattern.search(seen) for pattern in self._allowed)]

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", self._page_error)
        # The context also sees requests without a page, such as reports.
        page.context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._seen.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _page_error(self, error: Error) -> None:
        self._seen.append(f"uncaught error: {error.message}")

    def _request(self, request: Request) -> None:
        if request.url.startswith(self._server_url + "/csp-report"):
            self._seen.append(f"policy violation reported: {request.post_data}")
        elif not request.url.startswith((self._server_url + "/", "data:", "blob:", "about:")):
            self._seen.append(f"request to another host: {request.url}")
