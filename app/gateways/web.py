"""How this service asks others over HTTP: briefly, without following them elsewhere, and never for much."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.errors import UpstreamFailed

SECONDS = 5.0
MOST_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


async def ask(
    method: str, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request; refuses where nothing sensible comes back."""
    # Imported here because it costs an eighth of a second, and most processes never ask anybody.
    import httpx

    # Nothing of the environment: a proxy set there would read tokens, and a netrc would add passwords of its own.
    client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS)
    # Packed, a few bytes could become many before anybody counts them.
    plain = {**(headers or {}), "accept-encoding": "identity"}
    try:
        async with (
            asyncio.timeout(SECONDS),
            client,
            client.stream(method, url, data=form, headers=plain) as response,
        ):
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise UpstreamFailed(f"{response.url.host} answers at greater length than anybody reads.")
            return Answer(response.status_code, body)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
        raise UpstreamFailed("An outside service does not answer just now; try again.") from error
