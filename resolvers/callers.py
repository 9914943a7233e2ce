"""Who is calling: by a cookie, an access token, an outside issuer's token or an API key, all of them one viewer.

A proof of who it is costs little to check once it was seen; whom it stands for is looked up again each second, and at
once when any process tells that somebody's rights have changed.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from math import inf
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from app.credentials import secrets, tokens
from app.credentials.cookies import browser_cookie, session_cookie
from app.credentials.secrets import Prefix
from app.domain.errors import Refusal, Unauthenticated
from app.domain.events import CredentialRevoked
from app.domain.ids import new_id
from app.domain.viewer import CredentialKind, Viewer
from app.observe import headers_of
from app.rates import place_of
from app.reads import viewers
from app.reads.viewers import ByAccessToken, ByKey, ByOutsideToken, BySession, Found, Proof
from app.reads.visible import View
from app.runtime import Runtime
from app.services import keying, signing_in
from app.services.signing_in import Outsider

# A revoked credential and a changed role count everywhere within a second: this, and the time that a look-up takes.
FRESH_SECONDS = 0.8
# A signature that fitted is checked again: an issuer withdraws a key for a reason.
PROVEN_SECONDS = 600.0
MOST_KNOWN = 10_000
LONGEST_ADDRESS = 64
# After silence on the bus a listener looks for itself; here there is nothing to look at that a second does not show.
SILENCE_SECONDS = 60.0

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Caller:
    """Whoever sent a request, and how to ask whether their credential still holds."""

    viewer: Viewer | None
    proof: Proof | None
    address: str
    callers: "Callers" = field(repr=False)
    cookies: bytes | None = field(default=None, repr=False)
    by_cookie: bool = False
    live: bool = False
    # What the viewer sees, where that was worked out already.
    view: View | None = field(default=None, repr=False)
    # Names the viewer, or the place that a stranger comes from.
    key: str = field(init=False)

    def __post_init__(self) -> None:
        """Work out the name once: limits ask for it at each operation."""
        self.key = place_of(self.address) if self.viewer is None else self.viewer.user_id.hex

    async def still_valid(self) -> bool:
        """Tell whether the credential still holds."""
        try:
            await self.now()
        except Unauthenticated:
            return False
        return True

    async def now(self) -> "Caller":
        """Look again, as at the start of each operation on a live connection."""
        if self.proof is None:
            return self
        viewer = await self.callers.viewer(self.proof)
        return replace(self, viewer=replace(viewer, address=self.address), view=None)


class _Warm(NamedTuple):
    """What a credential stood for a moment ago, shown from an address."""

    until: float
    caller: Caller


class _Bounded(OrderedDict[K, V], Generic[K, V]):
    """Keeps what was used last."""

    def recall(self, key: K) -> V | None:
        found = self.get(key)
        if found is not None:
            self.move_to_end(key)
        return found

    def keep(self, key: K, value: V) -> None:
        self[key] = value
        if len(self) > MOST_KNOWN:
            self.popitem(last=False)


class Callers:
    """Finds out who is calling."""

    def __init__(self, runtime: Runtime, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self.cookie = session_cookie(secure=runtime.settings.production)
        self.browser = browser_cookie(secure=runtime.settings.production)
        self._runtime = runtime
        self._ticks = ticks
        self._secret = runtime.settings.signing_secret()
        self._idle = timedelta(days=runtime.settings.session_idle_days)
        # Tokens whose signature was checked, by their digests: a secret is kept nowhere, not even in memory.
        self._proofs: _Bounded[bytes, tuple[float, Proof]] = _Bounded()
        self._viewers: _Bounded[Proof, tuple[float, Viewer]] = _Bounded()
        # By the digest of what was shown: for whoever asks again and again this is all that is done.
        self._warm: _Bounded[bytes, _Warm] = _Bounded()
        self._asked: dict[Proof, asyncio.Task[Viewer]] = {}
        self._notes: dict[UUID, asyncio.Task[None]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def of(self, scope: Scope, init: Mapping[str, Any] | None) -> Caller:
        """Read the payload of connection_init, the authorization header or the session's cookie, in this order."""
        client = scope.get("client")
        # A proxy's word may be anything.
        address = client[0][:LONGEST_ADDRESS] if client else "unknown"
        live = scope["type"] == "websocket"
        authorization, cookie = _credentials(scope, init)
        if authorization is not None:
            # Apart from the digests of cookies: the one must not pass for the other.
            shown = sha256(b"authorization:" + authorization).digest()
            warm = self._recalled(shown, address, cookie, live=live)
            if warm is not None:
                return warm
            try:
                proof, until = await self._proof(authorization.decode("latin-1"), address)
                caller = await Caller(None, proof, address, self, cookie, live=live).now()
            except Unauthenticated:
                await self._runtime.rates.refused(address)
                raise
            self._keep_warm(shown, caller, until)
            return caller
        secret = self.cookie.find(cookie)
        if secret is not None and secrets.looks_like(Prefix.SESSION, secret):
            shown = secrets.digest(secret)
            warm = self._recalled(shown, address, cookie, live=live)
            if warm is not None:
                return warm
            # A browser sends its cookie whether it still holds or not, and needs to be let in to sign in again.
            with suppress(Unauthenticated):
                caller = await Caller(None, BySession(shown), address, self, cookie, by_cookie=True, live=live).now()
                self._keep_warm(shown, caller, inf)
                return caller
        return Caller(None, None, address, self, cookie, live=live)

    async def viewer(self, proof: Proof) -> Viewer:
        """Tell whom a proof stands for now, or refuse it."""
        until, viewer = self._viewers.recall(proof) or (0.0, None)
        # What has expired comes to life no more, whether the database can be asked just now or not.
        if viewer is None or (until <= self._ticks() and not self._expired(viewer)):
            viewer = await self._looked_up(proof)
        if self._expired(viewer):
            raise tokens.refused()
        return viewer

    def _expired(self, viewer: Viewer) -> bool:
        ends = viewer.credential.expires_at
        return ends is not None and ends + tokens.LEEWAY <= self._runtime.clock()

    def access_token(self, user_id: UUID, session_id: UUID, ends: datetime) -> tuple[str, datetime]:
        """Sign a short-lived token of a session, and tell when it expires."""
        now = self._runtime.clock()
        expires_at = min(now + tokens.LIFETIME, ends)
        return tokens.sign(self._secret, user_id, session_id, now=now, expires_at=expires_at), expires_at

    def forget(self) -> None:
        """Forget whom proofs stand for: whoever comes is looked up again."""
        self._viewers.clear()
        self._warm.clear()
        # What is being read was perhaps read before the change.
        self._asked.clear()

    async def __aenter__(self) -> "Callers":
        """Begin to listen for changes; without that they still count within a second."""
        self._listening = asyncio.create_task(self._listen(), name="revocations")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, and finish what is being written down."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self.settle()

    async def settle(self) -> None:
        """Wait until what is being written down is written."""
        await asyncio.gather(*self._notes.values())

    def _recalled(self, shown: bytes, address: str, cookie: bytes | None, *, live: bool) -> Caller | None:
        """Recall who showed this, if that was looked up within the last second and they came just as now."""
        warm = self._warm.recall(shown)
        if warm is None or warm.until <= self._ticks():
            return None
        caller = warm.caller
        as_now = caller.address == address and caller.cookies == cookie and caller.live == live
        assert caller.viewer is not None
        return caller if as_now and not self._expired(caller.viewer) else None

    def _keep_warm(self, shown: bytes, caller: Caller, until: float) -> None:
        """Keep what a credential stands for, as long as what that rests on holds."""
        viewer, proof = caller.viewer, caller.proof
        if viewer is None or proof is None:
            return
        known = self._viewers.get(proof)
        # A change may have been heard of since.
        if known is not None and known[1] == viewer:
            caller.view = View.of(viewer)
            self._warm.keep(shown, _Warm(min(until, known[0]), caller))

    async def _proof(self, authorization: str, address: str) -> tuple[Proof, float]:
        """Find out what a header proves, and for how long that is believed without another look at it."""
        kind, _, token = authorization.partition(" ")
        token = token.strip()
        if kind.lower() != "bearer" or not token:
            raise Unauthenticated("The authorization header needs the form: Bearer <token>.")
        if secrets.looks_like(Prefix.API_KEY, token):
            return ByKey(secrets.digest(token)), inf
        if len(token) > tokens.LONGEST:
            raise tokens.refused()
        key = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._proofs.recall(key)
        if known is not None and known[0] > self._ticks():
            return known[1], known[0]
        until = self._ticks() + PROVEN_SECONDS
        proof = await self._checked(token, address)
        self._proofs.keep(key, (until, proof))
        return proof, until

    async def _checked(self, token: str, address: str) -> Proof:
        now, issuer = self._runtime.clock(), self._runtime.issuer
        if issuer is None or tokens.issuer_of(token) != issuer.name:
            own = tokens.read(self._secret, token, now=now)
            return ByAccessToken(own.session_id, own.user_id, own.expires_at)
        claims = await issuer.read(token, now=now)
        proof = ByOutsideToken(claims.issuer, claims.subject, claims.expires_at)
        if await self._found(proof) is None:
            outsider = Outsider(claims.issuer, claims.subject, claims.login, claims.name, claims.avatar_url)
            async with self._runtime.write() as tx:
                await signing_in.admit(tx, outsider, address)
        return proof

    async def _looked_up(self, proof: Proof) -> Viewer:
        """Ask once for all who wait for the same answer."""
        asked = self._asked.get(proof)
        if asked is None:
            asked = self._asked[proof] = asyncio.create_task(self._read(proof))
            asked.add_done_callback(lambda task: self._answered(proof, task))
        return await asyncio.shield(asked)

    def _answered(self, proof: Proof, task: asyncio.Task[Viewer]) -> None:
        if self._asked.get(proof) is task:
            del self._asked[proof]
        if not task.cancelled():
            task.exception()  # whoever waited for it has heard of it

    async def _read(self, proof: Proof) -> Viewer:
        until, this = self._ticks() + FRESH_SECONDS, asyncio.current_task()
        found = await self._found(proof)
        if found is None:
            self._viewers.pop(proof, None)
            raise tokens.refused()
        if self._asked.get(proof) is this:
            self._viewers.keep(proof, (until, found.viewer))
        self._note_use(found)
        return found.viewer

    async def _found(self, proof: Proof) -> Found | None:
        return await viewers.prove(self._runtime.readers, proof, now=self._runtime.clock(), idle=self._idle)

    def _note_use(self, found: Found) -> None:
        """Have it written down that a session or a key is in use; nobody waits for that."""
        credential_id, now = found.viewer.credential.id, self._runtime.clock()
        is_key = found.viewer.credential.kind is CredentialKind.API_KEY
        every = keying.USED_EVERY if is_key else signing_in.SEEN_EVERY
        if credential_id is None or (found.used_at is not None and now - found.used_at < every):
            return
        # A database that is slow to write must not be asked more and more.
        if credential_id in self._notes:
            return

        async def note(identifier: UUID) -> None:
            try:
                async with self._runtime.write() as tx:
                    await (keying.used if is_key else signing_in.seen)(tx, identifier, now)
            except (SQLAlchemyError, OSError, Refusal):
                log.warning("the use of a credential was not written down", exc_info=True)
            finally:
                del self._notes[identifier]

        self._notes[credential_id] = asyncio.create_task(note(credential_id))

    async def _listen(self) -> None:
        async with self._runtime.bus.listen(CredentialRevoked(new_id(), 0).channel) as bell:
            while True:
                if await bell.wait(SILENCE_SECONDS):
                    self.forget()


def _credentials(scope: Scope, init: Mapping[str, Any] | None) -> tuple[bytes | None, bytes | None]:
    """Find what says who is calling."""
    for name, value in (init or {}).items():
        if name.lower() == "authorization" and isinstance(value, str):
            return value.encode("utf-8", "surrogatepass"), None
    headers = headers_of(scope)
    return headers.get(b"authorization"), headers.get(b"cookie")
