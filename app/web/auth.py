"""Signing in with GitHub: OAuth's code flow with state and PKCE, for browsers.

What must survive the way to GitHub and back travels in one signed, short-lived cookie: nothing is kept here, and only
the browser that set out can come back.
"""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.credentials.cookies import Cookie, session_cookie
from app.domain.errors import ErrorCode, Invalid, NotFound, Refusal, Unauthenticated
from app.rates import place_of
from app.runtime import Runtime
from app.services import signing_in
from app.services.signing_in import Opening, Outsider
from app.web import answers

CALLBACK = "/auth/github/callback"
PATIENCE_SECONDS = 600
LONGEST_PATH = 1000

_STATUS = {ErrorCode.UNAUTHENTICATED: 401, ErrorCode.NOT_FOUND: 404, ErrorCode.RATE_LIMITED: 429}
_STATUS |= {ErrorCode.UPSTREAM_ERROR: 502, ErrorCode.UNAVAILABLE: 503}


@dataclass(frozen=True, slots=True)
class Journey:
    """A browser on its way to GitHub and back."""

    state: str
    return_to: str
    expires: int


class GithubPages:
    """The two addresses of signing in with GitHub."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None

    async def start(self, request: Request) -> Response:
        """Send a browser to GitHub."""
        try:
            runtime = self._ready()
            return_to = safe_path(request.query_params.get("return_to", "/"))
            journey = Journey(token_urlsafe(32), return_to, int(time.time()) + PATIENCE_SECONDS)
            challenge = urlsafe_b64encode(sha256(_verifier(runtime, journey.state).encode()).digest()).rstrip(b"=")
            assert runtime.github is not None
            consent = runtime.github.consent_url(
                redirect_uri=_redirect_uri(runtime, request), state=journey.state, challenge=challenge.decode()
            )
        except Refusal as refusal:
            return _refused(refusal)
        response = RedirectResponse(consent, 302, answers.NEVER_STORED)
        response.raw_headers.append(_cookie(runtime).set(_seal(runtime, journey), seconds=PATIENCE_SECONDS))
        return response

    async def finish(self, request: Request) -> Response:
        """Take a browser back, signed in."""
        try:
            runtime = self._ready()
            cookies = request.headers.get("cookie", "").encode("latin-1")
            session = session_cookie(secure=runtime.settings.production)
            journey = _unseal(runtime, _cookie(runtime).find(cookies))
            state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
            if journey is None or not hmac.compare_digest(journey.state.encode(), state.encode()) or not code:
                raise Unauthenticated("This sign-in was not begun in this browser, or took too long; begin again.")
            address = request.client.host[:64] if request.client else "unknown"
            await runtime.rates.write(place_of(address), 1)
            assert runtime.github is not None
            person = await runtime.github.person(
                code=code[:512],
                redirect_uri=_redirect_uri(runtime, request),
                verifier=_verifier(runtime, journey.state),
            )
            # By the number, which stays, whatever becomes of a login or an address.
            issuer, subject = runtime.github.url, str(person.number)
            outsider = Outsider(issuer, subject, person.login, person.name, person.avatar_url)
            now, lifetime = runtime.clock(), timedelta(days=runtime.settings.session_days)
            opening = Opening(now, lifetime, address)
            async with runtime.write() as tx:
                opened = await signing_in.sign_in_outsider(tx, outsider, opening, ends=session.find(cookies))
        except Refusal as refusal:
            return _refused(refusal)
        response = RedirectResponse(journey.return_to, 303, answers.NEVER_STORED)
        seconds = round((opened.expires_at - now).total_seconds())
        response.raw_headers += [session.set(opened.secret, seconds=seconds), _cookie(runtime).clear()]
        return response

    def _ready(self) -> Runtime:
        assert self.runtime is not None, "the application has begun its life"
        if self.runtime.github is None:
            raise NotFound("Signing in with GitHub is not set up here.")
        return self.runtime


def safe_path(text: str) -> str:
    """Check where a browser wants to come back to: a path of this service, and nothing that leads anywhere else."""
    # Two slashes begin a host, and browsers take a backslash for a slash.
    plain = len(text) <= LONGEST_PATH and text.isascii() and text.isprintable() and "\\" not in text
    if not plain or not text.startswith("/") or text.startswith("//"):
        raise Invalid("This is no path to come back to.", fields={"return_to": "needs the form /path"})
    return text


def _cookie(runtime: Runtime) -> Cookie:
    return Cookie("tenet_github", runtime.settings.production)


def _redirect_uri(runtime: Runtime, request: Request) -> str:
    # GitHub compares it with what is registered there, so that a forged Host header leads nowhere.
    base = runtime.settings.public_url or str(request.base_url).rstrip("/")
    return base + CALLBACK


def _verifier(runtime: Runtime, state: str) -> str:
    """Make PKCE's verifier of the state and our secret: it need not be kept anywhere."""
    return urlsafe_b64encode(_mac(runtime, b"pkce", state.encode())).rstrip(b"=").decode()


def _seal(runtime: Runtime, journey: Journey) -> str:
    told = urlsafe_b64encode(json.dumps([journey.state, journey.return_to, journey.expires]).encode())
    return f"{told.decode()}.{_mac(runtime, b'journey', told).hex()}"


def _unseal(runtime: Runtime, sealed: str | None) -> Journey | None:
    told, _, seal = (sealed or "").partition(".")
    if not hmac.compare_digest(
        seal.encode("latin-1"), _mac(runtime, b"journey", told.encode("latin-1")).hex().encode()
    ):
        return None
    journey = Journey(*json.loads(urlsafe_b64decode(told)))
    return journey if journey.expires > time.time() else None


def _mac(runtime: Runtime, purpose: bytes, data: bytes) -> bytes:
    key = sha256(b"github " + purpose + b":" + runtime.settings.signing_secret().encode()).digest()
    return hmac.digest(key, data, "sha256")


def _refused(refusal: Refusal) -> Response:
    return answers.error(_STATUS.get(refusal.code, 400), refusal.message, refusal.code)
