"""The outside issuer of tokens, as far as we ask it: for its public keys."""

from app.domain.errors import UpstreamFailed
from app.gateways.web import Answer, ask


async def fetch_keys(url: str) -> bytes:
    """Fetch the issuer's set of keys."""
    answer: Answer = await ask("GET", url)
    if answer.status != 200:
        raise UpstreamFailed(f"The issuer answers {answer.status} when asked for its keys.")
    return answer.body
