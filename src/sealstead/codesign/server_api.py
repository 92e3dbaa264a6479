"""The signing server as the client sees it: four questions of `/api/v1`, each a method.

The key travels in the `Authorization` header only, to the address that was given and nowhere else (`net/https.py`).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from sealstead.codesign import server_answers
from sealstead.codesign.server_errors import not_a_signing_server, refusal
from sealstead.codesign.server_values import (
    AnswerFormatError,
    KeyInfo,
    Rotated,
    ServerCertificate,
    SignAnswer,
    SignRequest,
)
from sealstead.net.https import HttpsClient
from sealstead.secret import Secret

if TYPE_CHECKING:
    from sealstead.net.https import HttpsAnswer

T = TypeVar("T")

MAX_ITEMS = 256
"""Of one request to sign."""
_OK = 200
_ANSWERS = {"Accept": "application/json, application/problem+json"}


class ServerApi:
    """One server, asked with one API key. Safe to be used by several threads.

    Every method raises, beside what it says itself:
        ServerUnreachableError, WrongSchemeError, UntrustedServerError, ServerRedirectsError, NotASigningServerError:
            no answer of ours;
        ApiKeyRefusedError, ApiKeyNotAllowedError: the key, see `server_errors`;
        ServerBusyError, ServerFailedError: later.
    """

    def __init__(
        self,
        url: str,
        key: Secret[str],
        *,
        allow_untrusted: bool = False,
        seconds: float = 60,
        retries: int = 3,
        environ: Mapping[str, str] = os.environ,
        pause: Callable[[float], None] | None = None,
        told: Callable[[str], None] | None = None,
    ) -> None:
        """`seconds` and `retries` are for each request; `told` learns when and why one is repeated.

        Raises:
            ServerAddressError: `url` is no server's, or the key would travel in the clear.
        """
        self._client = HttpsClient(
            url,
            allow_untrusted=allow_untrusted,
            seconds=seconds,
            retries=retries,
            environ=environ,
            pause=pause,
        )
        if told is not None:
            self._client.told = told
        self._key = key

    @property
    def url(self) -> str:
        return self._client.url

    def key_info(self, *, key: Secret[str] | None = None) -> KeyInfo:
        """Return what the server says about the key, or about another one. Does not count as a use of it."""
        return self._read(server_answers.key_info, self._ask("GET", "/api/v1/key", key=key))

    def rotate(
        self,
        *,
        key_id: str,
        secret_sha256: str,
        overlap: timedelta | None,
        auto_revoke: bool,
        idempotency_key: str,
        key: Secret[str] | None = None,
    ) -> Rotated:
        """Make the key's successor, of which the server learns the id and the hash only.

        Without an `overlap` it is what the server's policy proposes. `key` proves a repeated request in the place of the old key, which may have ended.

        Raises:
            ServerConflictError: it has another successor already, `members["successor"]`.
            RequestRejectedError: the overlap is longer than the server allows.
        """
        body = {"id": key_id, "secret_sha256": secret_sha256, "auto_revoke": auto_revoke}
        if overlap is not None:
            body["overlap_seconds"] = int(overlap.total_seconds())
        answer = self._ask("POST", "/api/v1/key/rotate", body=body, idempotency_key=idempotency_key, key=key)
        return self._read(server_answers.rotated, answer)

    def certificates(
        self, *, label: str | None = None, thumbprint: str | None = None, subject: str | None = None
    ) -> tuple[ServerCertificate, ...]:
        """Return the certificates that the key may sign with, the best first.

        Raises:
            ServerNotFoundError: none of that name, or none that is granted.
        """
        asked = {"label": label, "thumbprint": thumbprint, "subject": subject}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        answer = self._ask("GET", f"/api/v1/certificates{'?' if query else ''}{query}")
        return self._read(server_answers.certificates, answer)

    def sign(self, request: SignRequest, *, idempotency_key: str | None = None) -> SignAnswer:
        """Return a signature for each item, in their order; all or none.

        With `idempotency_key` the request is repeated when the answer is lost.

        Raises:
            ServerNotFoundError: no such certificate for this key.
            RequestRejectedError: the server finds a fault; names the item.
        """
        body: dict[str, Any] = {
            "label": request.label,
            "thumbprint": request.thumbprint,
            "subject": request.subject,
            "profile": request.profile,
            "algorithm": request.algorithm,
            "description": request.description,
            "description_url": request.description_url,
        }
        body = {name: value for name, value in body.items() if value is not None}
        body["items"] = [
            _present(
                {
                    "kind": item.kind,
                    "digest": base64.b64encode(item.digest).decode(),
                    "file_name": item.file_name,
                    "file_size": item.file_size,
                    "file_version": item.file_version,
                }
            )
            for item in request.items
        ]
        answer = self._ask("POST", "/api/v1/sign", body=body, idempotency_key=idempotency_key)
        return self._read(lambda value: server_answers.sign_answer(value, items=len(request.items)), answer)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        key: Secret[str] | None = None,
    ) -> HttpsAnswer:
        headers = _ANSWERS | {"Authorization": f"Bearer {(key or self._key).reveal()}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        answer = self._client.ask(
            method,
            path,
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
            repeatable=method == "GET" or idempotency_key is not None,
        )
        if answer.status != _OK:
            raise refusal(self.url, answer)
        return answer

    def _read(self, parse: Callable[[object], T], answer: HttpsAnswer) -> T:
        try:
            return parse(server_answers.parse_json(answer.body))
        except AnswerFormatError as exc:
            raise not_a_signing_server(self.url, exc.message) from exc


def _present(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value is not None}
