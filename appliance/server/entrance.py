"""What a stranger gets to see: over HTTPS the way to be paired, over HTTP the way to HTTPS. And who was paired."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

from appliance.server.access import COOKIE, Role, Visitor, host_name
from appliance.server.http import SECURITY, HttpError, Request, Response, respond
from appliance.server.json_object import json_object
from appliance.server.listener import Route
from appliance.server.pairing import WELCOME_S, Locked, Pairing
from appliance.server.site import Site
from appliance.state.tokens import MOST_NAME_CHARACTERS, UNUSED_S, Place, TokenStore

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 2048
JSON = "application/json"

Run = Callable[..., Awaitable[Any]]
"""Runs a call that may touch the disk in a worker thread."""


@dataclass(frozen=True)
class Trust:
    """What somebody must know to trust this device's certificates."""

    name: str
    """What the authority is called, after the device's permanent name."""
    names: Callable[[], tuple[str, ...]]
    """Names and addresses that the certificate is for at the moment, the device's own first."""
    port: Callable[[], int]
    certificate: bytes
    """The authority's, as DER."""
    profile: bytes
    """… and as an Apple profile."""
    fingerprint: str
    words: tuple[str, ...]


class Entrance:
    """Routes of both kinds of listener.

    trust: None without an authority of the device's own. run: for the disk. can_show: whether a code that a stranger
    asks for can be seen or heard at the device. secure_port: where HTTPS is spoken; None: nowhere.
    """

    def __init__(
        self,
        site: Site,
        tokens: TokenStore,
        pairing: Pairing,
        trust: Trust | None,
        run: Run,
        *,
        can_show: bool,
        secure_port: Callable[[], int | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secure_port = secure_port
        self._site, self._tokens, self._pairing, self._trust, self._run = site, tokens, pairing, trust, run
        self._clock, self._can_show, self._begun_s = clock, can_show, clock()

    def plain(self) -> tuple[Route, dict[str, Route]]:
        """(otherwise, by path) where there is no TLS: all for this machine, the way to HTTPS for others."""
        return Route(self._plain), {
            "/trust.json": Route(self._trust_json),
            "/ca.crt": Route(self._certificate),
            "/ca.mobileconfig": Route(self._profile),
            **self._shared(),
        }

    def secure(self) -> tuple[Route, dict[str, Route]]:
        """(otherwise, by path) over TLS."""
        return Route(self._secure), {
            "/trusted": Route(lambda request, visitor: respond(HTTPStatus.NO_CONTENT, "")),
            "/pair": Route(self._pair, ("POST",)),
            "/pair/request": Route(self._request, ("POST",)),
            "/ca.crt": Route(self._certificate),
            **self._shared(),
        }

    def _shared(self) -> dict[str, Route]:
        return {
            "/me": Route(self._me),
            "/pair/open": Route(self._open, ("POST",), Role.CONFIGURE),
            "/paired": Route(self._list, needs=Role.OWNER),
            "/paired/revoke": Route(self._revoke, ("POST",), Role.OWNER),
            "/paired/change": Route(self._change, ("POST",), Role.OWNER),
            "/paired/add": Route(self._add, ("POST",), Role.OWNER),
        }

    # Pages

    def _secure(self, request: Request, visitor: Visitor) -> Response:
        if request.path in ("/", "/index.html") and visitor.role < Role.TALK:
            request = replace(request, target="/entrance/pair.html")
        return self._site.answer(request, visitor)

    def _plain(self, request: Request, visitor: Visitor) -> Response:
        if visitor.role >= Role.TALK or request.path.startswith("/entrance/") or request.path == "/icon.svg":
            return self._site.answer(request, visitor)
        if request.path != "/":
            return respond(HTTPStatus.NOT_FOUND, "Over plain HTTP there is only the way to HTTPS here, at /.\n")
        if self._trust is None and (port := self._secure_port()):
            there = f"https://{_bracketed(host_name(request.headers['host']))}{f':{port}' if port != 443 else ''}/"
            return respond(HTTPStatus.TEMPORARY_REDIRECT, f"The page is at {there}\n", location=there)
        if self._trust is None:
            return respond(
                HTTPStatus.FORBIDDEN,
                "This device's page is for this device only, until it is started with "
                "--lan; then it is reached over HTTPS.\n",
            )
        page = self._site.answer(replace(request, target="/entrance/trust.html"), visitor)
        policy = SECURITY["Content-Security-Policy"].replace("connect-src 'self'", "connect-src 'self' https:")
        return replace(page, headers={**page.headers, "Content-Security-Policy": policy})

    def _trust_json(self, request: Request, visitor: Visitor) -> Response:
        trust = self._trusted()
        return _json(
            {
                "name": trust.name,
                "names": trust.names(),
                "port": trust.port(),
                "words": trust.words,
                "fingerprint": trust.fingerprint,
            }
        )

    def _certificate(self, request: Request, visitor: Visitor) -> Response:
        return respond(
            HTTPStatus.OK,
            self._trusted().certificate,
            "application/x-x509-ca-cert",
            content_disposition='attachment; filename="stimme.crt"',
        )

    def _profile(self, request: Request, visitor: Visitor) -> Response:
        return respond(
            HTTPStatus.OK,
            self._trusted().profile,
            "application/x-apple-aspen-config",
            content_disposition='attachment; filename="stimme.mobileconfig"',
        )

    def _trusted(self) -> Trust:
        if self._trust is None:
            raise HttpError(HTTPStatus.NOT_FOUND, "This device has no certificate authority of its own.\n")
        return self._trust

    # Pairing

    def _me(self, request: Request, visitor: Visitor) -> Response:
        now_s = self._clock()
        locked = self._pairing.locked(now_s)
        return _json(
            {
                "id": visitor.id,
                "role": visitor.role.name.lower(),
                "name": visitor.name,
                "code": self._pairing.is_open(now_s),
                "may_request": self._may_request(),
                "locked_s": round(locked.seconds) if locked else 0,
            }
        )

    def _may_request(self) -> bool:
        return self._can_show and not self._tokens.places() and self._clock() - self._begun_s < WELCOME_S

    def _request(self, request: Request, visitor: Visitor) -> Response:
        """A stranger asks for a code to be shown, soon after the first start."""
        if not self._may_request():
            return _json({"error": "ask_at_the_device"}, HTTPStatus.CONFLICT)
        opened = self._pairing.open(self._clock())
        return self._locked(opened) if isinstance(opened, Locked) else _json({"code": True})

    def _open(self, request: Request, visitor: Visitor) -> Response:
        """Somebody who may asks for a code, and sees it."""
        opened = self._pairing.open(self._clock())
        return self._locked(opened) if isinstance(opened, Locked) else _json({"code": opened})

    async def _pair(self, request: Request, visitor: Visitor) -> Response:
        fields = await _fields(request)
        name = _text(fields, "name").strip()[:MOST_NAME_CHARACTERS] or "browser"
        got = self._pairing.attempt(_text(fields, "code"), self._clock())
        if isinstance(got, Locked):
            log.warning("pairing: too many wrong codes, the last from %s; shut for %d s", request.address, got.seconds)
            return self._locked(got)
        if not got:
            log.warning("pairing: a wrong code from %s", request.address)
            return _json({"error": "wrong_code"}, HTTPStatus.FORBIDDEN)
        token, place = await self._do(lambda: self._tokens.add(name, "browser"))
        log.info("paired: %r (%s, may %s)", place.name, place.id, place.role)
        cookie = f"{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={UNUSED_S:.0f}"
        paired = _json({"id": place.id, "role": place.role})
        return replace(paired, headers={**paired.headers, "Set-Cookie": cookie})

    @staticmethod
    def _locked(locked: Locked) -> Response:
        seconds = max(1, round(locked.seconds))
        refused = _json({"error": "locked", "seconds": seconds}, HTTPStatus.TOO_MANY_REQUESTS)
        return replace(refused, headers={**refused.headers, "Retry-After": str(seconds)})

    # Who was paired

    def _list(self, request: Request, visitor: Visitor) -> Response:
        return _json({"paired": [_shown(place) | {"you": place.id == visitor.id} for place in self._tokens.places()]})

    async def _revoke(self, request: Request, visitor: Visitor) -> Response:
        id = _text(await _fields(request), "id")
        gone = await self._do(lambda: self._tokens.revoke(id))
        for place in gone:
            log.info("revoked: %r (%s)", place.name, place.id)
        return _json({"revoked": [place.id for place in gone]})

    async def _change(self, request: Request, visitor: Visitor) -> Response:
        fields = await _fields(request)
        id, name, role = (_text(fields, key) for key in ("id", "name", "role"))
        place = await self._do(lambda: self._tokens.change(id, name=name, role=role))
        return _json({"error": "unknown"}, HTTPStatus.NOT_FOUND) if place is None else _json(_shown(place))

    async def _add(self, request: Request, visitor: Visitor) -> Response:
        fields = await _fields(request)
        token, place = await self._do(
            lambda: self._tokens.add(_text(fields, "name"), "program", _text(fields, "role") or "talk")
        )
        log.info("paired: %r (%s, may %s)", place.name, place.id, place.role)
        return _json(_shown(place) | {"token": token})

    async def _do(self, call: Callable[[], Any]) -> Any:
        try:
            return await self._run(call)
        except ValueError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"{error}\n") from None


def _bracketed(host: str | None) -> str:
    """As a URL has it; the Guard let nobody in without one."""
    return f"[{host}]" if host and ":" in host else host or "localhost"


def _shown(place: Place) -> dict[str, Any]:
    return asdict(place)


async def _fields(request: Request) -> Mapping[str, Any]:
    """A JSON object of a request's body; a form of another site cannot send one without asking (CORS preflight)."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != JSON:
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {JSON}.\n")
    try:
        return json_object(await request.body.whole(MOST_BODY_BYTES))
    except ValueError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"This is {error}.\n") from None


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{key} is {value!r:.60}, expected text.\n")
    return value


def _json(fields: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return respond(status, json.dumps(fields, ensure_ascii=False) + "\n", JSON, cache_control="no-store")
