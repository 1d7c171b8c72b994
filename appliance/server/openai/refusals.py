"""Errors as OpenAI's API words them, so that its clients can show them."""

from __future__ import annotations

import json

from appliance.errors import ProtocolError
from appliance.server.http import Response, respond

JSON = "application/json"

STATUS = {
    "no_recognizer": 400,
    "no_voice": 400,
    "too_large": 413,
    "not_understood": 415,
    "bad_file": 400,
    "too_slow": 408,
    "busy": 503,
}
"""By our codes; everything else is the client's mistake, 400."""


class Refused(ProtocolError):
    """A request that cannot be carried out. param: the field that is wrong."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(code, message)
        self.param = param


def refusal(status: int, words: str, code: str | None = None, param: str | None = None) -> Response:
    """The answer that says so."""
    kind = {401: "authentication_error", 403: "permission_error"}.get(
        status, "invalid_request_error" if status < 500 else "server_error"
    )
    error = {"message": words.strip(), "type": kind, "param": param, "code": code or _code(status)}
    further = {"retry_after": "1"} if status == 503 else {}
    return respond(status, json.dumps({"error": error}, ensure_ascii=False) + "\n", JSON, **further)


def refused(error: ProtocolError) -> Response:
    """The same for an error of ours."""
    words = f"{error} {error.hint}".strip()
    return refusal(STATUS.get(error.code, 400), words, error.code, error.param if isinstance(error, Refused) else None)


def _code(status: int) -> str | None:
    return {401: "invalid_api_key", 404: "not_found", 405: "method_not_allowed"}.get(status)
