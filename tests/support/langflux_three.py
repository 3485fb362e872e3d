"""LangFlux 3.0.13's accounts, logins and API keys, as they were measured, in front of an embedded LangFlux."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

OPEN = ("/api/v1/prediction/", "/api/v1/ping")
"""What everybody may ask."""


@dataclass
class Accounts:
    """Who is known, and logged in. behind: the URL of the embedded LangFlux, and its key; "" for none.

    makes_keys, keeps_keys: whether it makes them at all, and whether it refuses to delete them.
    made: how many it made. most_logins: how many were logged in at the same time.
    """

    behind: str = ""
    key: str = ""
    accounts: dict[str, str] = field(default_factory=dict)
    logins: set[str] = field(default_factory=set)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    makes_keys: bool = True
    keeps_keys: bool = False
    made: int = 0
    most_logins: int = 0

    def app(self) -> Starlette:
        """Return the server that asks everybody who they are."""
        v1 = "/api/v1"
        return Starlette(
            routes=[
                Route(f"{v1}/version", lambda _: JSONResponse({"version": "3.0.13"})),
                Route(f"{v1}/account/register", self._register, methods=["POST"]),
                Route(f"{v1}/auth/resolve", self._resolve, methods=["POST"]),
                Route(f"{v1}/auth/login", self._login, methods=["POST"]),
                Route(f"{v1}/account/logout", self._logout, methods=["POST"]),
                Route(f"{v1}/apikey", self._make_key, methods=["POST"]),
                Route(f"{v1}/apikey/{{id}}", self._delete_key, methods=["DELETE"]),
                Route("/{path:path}", self._forward, methods=["GET", "POST", "DELETE"]),
            ]
        )

    def _is_logged_in(self, request: Request) -> bool:
        return request.headers.get("x-request-from") == "internal" and request.cookies.get("token") in self.logins

    def _resolve(self, _: Request) -> Response:
        return JSONResponse({"redirectUrl": "/signin" if self.accounts else "/organization-setup"})

    async def _register(self, request: Request) -> Response:
        user = (await request.json())["user"]
        if self.accounts:
            return JSONResponse({"message": "You can only have one organization"}, 400)
        self.accounts[user["email"]] = user["credential"]
        return JSONResponse({"user": {"email": user["email"]}}, 201)

    async def _login(self, request: Request) -> Response:
        given = await request.json()
        if self.accounts.get(given["email"], "") != given["password"]:
            return JSONResponse({"message": "Incorrect Email or Password"}, 401)
        answer = JSONResponse({"email": given["email"]})
        for name in ("token", "refreshToken"):
            self.logins.add(value := secrets.token_urlsafe(30))
            answer.set_cookie(name, value, httponly=True)
        self.most_logins = max(self.most_logins, len(self.logins) // 2)
        return answer

    def _logout(self, request: Request) -> Response:
        self.logins -= set(request.cookies.values())
        return JSONResponse({})

    async def _make_key(self, request: Request) -> Response:
        if not self._is_logged_in(request):
            return JSONResponse({"message": "Invalid or Missing token"}, 401)
        if not self.makes_keys:
            return JSONResponse({"message": "Forbidden"}, 403)
        self.made += 1
        wanted = await request.json()
        identifier = secrets.token_hex(8)
        self.keys[identifier] = {
            "id": identifier,
            "keyName": wanted["keyName"],
            "apiKey": secrets.token_urlsafe(32),
            "apiSecret": secrets.token_hex(40),
            "permissions": wanted["permissions"],
        }
        return JSONResponse(list(self.keys.values()))

    def _delete_key(self, request: Request) -> Response:
        if not self._is_logged_in(request):
            return JSONResponse({"message": "Invalid or Missing token"}, 401)
        if self.keeps_keys:
            return JSONResponse({"message": "no"}, 500)
        return JSONResponse({"affected": int(self.keys.pop(request.path_params["id"], None) is not None)})

    async def _forward(self, request: Request) -> Response:
        """Let in who has a key, and nothing that says "internal" beside it; or who is logged in."""
        path = request.url.path
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        has_key = given in [key["apiKey"] for key in self.keys.values()] and "x-request-from" not in request.headers
        self.seen.append(f"{request.method} {path}")
        if not path.startswith(OPEN) and not has_key and not self._is_logged_in(request):
            return JSONResponse({"error": "Unauthorized Access"}, 401)
        if not self.behind:
            return JSONResponse("pong") if path.endswith("ping") else JSONResponse({"name": "ZepMemory"})
        async with httpx.AsyncClient(base_url=self.behind, timeout=30) as client:
            answer = await client.request(
                request.method,
                path,
                params=list(request.query_params.multi_items()),
                content=await request.body(),
                headers={
                    "authorization": f"Bearer {self.key}",
                    "content-type": request.headers.get("content-type", "application/json"),
                },
            )
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
