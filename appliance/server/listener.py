"""What listens where, as data: app.py holds the list."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Protocol

from websockets.asyncio.server import ServerConnection

from appliance.limits import MAX_MESSAGE_BYTES
from appliance.server.access import Refusal, Role, Visitor
from appliance.server.http import Request, Response, respond


class Admits(Protocol):
    """Decides who comes in (access.Guard)."""

    def admit(self, request: Request, needs: Role = ...) -> Visitor | Refusal: ...


Talk = Callable[[ServerConnection, Visitor], Awaitable[None]]
"""Serves one WebSocket until it closes."""


@dataclass(frozen=True)
class Route:
    """What answers one path, by which methods, and what somebody must be to ask. refuse: says why they cannot."""

    answer: Callable[[Request, Visitor], Response | Awaitable[Response]]
    methods: tuple[str, ...] = ("GET", "HEAD")
    needs: Role = Role.ANYBODY
    refuse: Callable[[int, str], Response] = respond


@dataclass(frozen=True)
class Listener:
    """One place that listens.

    name, setting: for messages; the setting is the environment's name of its port. port: 0 takes a free one.
    routes: by path; `otherwise` answers all other paths. talk: serves one WebSocket until it closes; None: there is
    none here. tls: renewed in place while it is used. guard: who may come in; None: whom the house lets in, and its own
    page is here. most_bytes: of one message over a WebSocket.
    """

    name: str
    setting: str
    host: str | tuple[str, ...]
    port: int
    otherwise: Route
    routes: Mapping[str, Route] = field(default_factory=dict)
    talk: Talk | None = None
    tls: ssl.SSLContext | None = None
    guard: Admits | None = None
    most_bytes: int = MAX_MESSAGE_BYTES

    def route(self, request: Request) -> Route | Response:
        """What answers a request, or why nothing does."""
        route = self.routes.get(request.path, self.otherwise)
        if request.method in route.methods:
            return route
        refusal = route.refuse(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"{request.method} is not answered here, only {' and '.join(route.methods)}.\n",
        )
        return replace(refusal, headers={**refusal.headers, "Allow": ", ".join(route.methods)})
