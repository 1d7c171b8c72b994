"""Our responses as the WebSocket library's own HTTP sends them: for servers of the tests that have no Door."""

from __future__ import annotations

from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Response

from appliance.server import http


def library_response(response: http.Response) -> Response:
    """A whole response that closes its connection."""
    assert isinstance(response.body, bytes)
    headers = Headers(
        {"Content-Type": response.content_type, "Content-Length": str(len(response.body)), "Connection": "close"}
        | http.SECURITY
        | dict(response.headers)
    )
    return Response(response.status, HTTPStatus(response.status).phrase, headers, response.body)
