"""What every listener with a page answers besides its files: health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from appliance.server.access import Role, Visitor
from appliance.server.http import Request, Response, respond
from appliance.server.listener import Route
from appliance.server.metrics import CONTENT_TYPE, Metrics


def status_routes(metrics: Metrics, ready: Callable[[], bool]) -> dict[str, Route]:
    """ready: whether the models are warm."""

    def readiness(request: Request, visitor: Visitor) -> Response:
        return respond(HTTPStatus.OK, "ready\n") if ready() else respond(HTTPStatus.SERVICE_UNAVAILABLE, "loading\n")

    return {
        "/healthz": Route(lambda request, visitor: respond(HTTPStatus.OK, "alive\n")),
        "/readyz": Route(readiness),
        "/metrics": Route(
            lambda request, visitor: respond(HTTPStatus.OK, metrics.text(), CONTENT_TYPE), needs=Role.OWNER
        ),
    }
