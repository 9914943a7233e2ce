"""GitHub, as far as it tells who somebody is: OAuth's code flow, and one question to its API."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from pydantic import SecretStr

from app.domain.errors import Unauthenticated, UpstreamFailed
from app.gateways.web import Answer, ask

# The public profile; who somebody is is all we ask, and the token that says so is not kept.
SCOPE = "read:user"


@dataclass(frozen=True, slots=True)
class GithubPerson:
    """A person as GitHub tells of them; logins and addresses change hands, the number does not."""

    number: int
    login: object
    name: object
    avatar_url: object


@dataclass(frozen=True, slots=True)
class GithubSignIn:
    """One OAuth application at GitHub, or at an installation of it."""

    client_id: str
    client_secret: SecretStr
    url: str
    api_url: str

    def consent_url(self, *, redirect_uri: str, state: str, challenge: str) -> str:
        """Say where a person agrees to sign in here."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.url}/login/oauth/authorize?{urlencode(asked)}"

    async def person(self, *, code: str, redirect_uri: str, verifier: str) -> GithubPerson:
        """Trade the code that a person came back with for who they are; refuses a code that does not hold."""
        form = {
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"accept": "application/json"}
        traded = _read(await ask("POST", f"{self.url}/login/oauth/access_token", form=form, headers=headers))
        token = traded.get("access_token")
        if not isinstance(token, str):
            # GitHub answers 200 with an error for a code that is wrong, old or used.
            raise Unauthenticated("GitHub does not confirm this sign-in; try again.")
        headers |= {"authorization": f"Bearer {token}", "user-agent": "tenet", "x-github-api-version": "2022-11-28"}
        told = _read(await ask("GET", f"{self.api_url}/user", headers=headers))
        number = told.get("id")
        if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
            raise UpstreamFailed("GitHub does not say who this is.")
        return GithubPerson(number, told.get("login"), told.get("name"), told.get("avatar_url"))


def _read(answer: Answer) -> dict[str, Any]:
    try:
        told = orjson.loads(answer.body)
    except ValueError:
        told = None
    if answer.status != 200 or not isinstance(told, dict):
        raise UpstreamFailed(f"GitHub answers {answer.status}, and not what was asked; try again.")
    return told
