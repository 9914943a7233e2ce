"""API keys: making and revoking them."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.types import Info

from app.domain import names
from app.domain.errors import Invalid
from app.domain.ids import Kind, parse_as
from app.domain.viewer import Scope
from app.services import keying
from resolvers.context import Context
from resolvers.lists import shown
from resolvers.people.types import ApiKey, confidential

field = strawberry.field

LONGEST_NAME = 100
SCOPES = {scope.value: scope for scope in Scope}


@strawberry.input(description="A new API key.")
class CreateApiKeyInput:
    """A new API key."""

    organization_id: strawberry.ID = field(description="The organization's id.")
    name: str = field(description="What people will call it: 1 to 100 characters.")
    scopes: list[str] = field(
        description="What it may do, within what its maker may: repos:read, patterns:read, patterns:write, ingest, "
        "check, admin."
    )
    expires_at: datetime | None = field(
        default=strawberry.UNSET, description="When it ends by itself; without it, never."
    )


@strawberry.input(description="An API key to be ended.")
class RevokeApiKeyInput:
    """An API key to be ended."""

    id: strawberry.ID = field(description="The key's id.")


@strawberry.type(description="An API key that was made.")
class CreateApiKeyPayload:
    """An API key that was made."""

    api_key: ApiKey = field(description="The key.")
    secret: str = confidential("Shown once, here: sent as `authorization: Bearer <secret>`.")


@strawberry.type(description="An API key that ended.")
class RevokeApiKeyPayload:
    """An API key that ended."""

    api_key: ApiKey = field(description="The key, which nothing accepts any more.")


@strawberry.type
class KeyMutations:
    """What is decided about API keys."""

    @strawberry.mutation(
        description="Make an API key that acts as the viewer inside one organization; for admins, never for another "
        "key. Refuses: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR, CONFLICT (too many live keys)."
    )
    async def create_api_key(
        self,
        info: Info[Context, None],
        input: Annotated[CreateApiKeyInput, strawberry.argument(description="The key.")],  # noqa: A002
    ) -> CreateApiKeyPayload | None:
        """Make a key."""
        context = info.context
        viewer = context.viewer
        organization_id = parse_as(Kind.ORGANIZATION, input.organization_id, field="organizationId")
        name = names.name(input.name, longest=LONGEST_NAME)
        if not input.scopes or not SCOPES.keys() >= set(input.scopes):
            raise Invalid("These are no scopes of a key.", fields={"scopes": f"needs some of: {', '.join(SCOPES)}"})
        scopes = [SCOPES[scope] for scope in input.scopes]
        async with context.write() as tx:
            cut = await keying.create(
                tx, viewer, organization_id, name, scopes, expires_at=input.expires_at or None, now=context.now
            )
        return CreateApiKeyPayload(api_key=await shown(context, "ApiKey", cut.key_id), secret=cut.secret)

    @strawberry.mutation(
        description="End an API key, at once and everywhere; for admins. Refuses: UNAUTHENTICATED, FORBIDDEN, "
        "NOT_FOUND, VALIDATION_ERROR."
    )
    async def revoke_api_key(
        self,
        info: Info[Context, None],
        input: Annotated[RevokeApiKeyInput, strawberry.argument(description="The key.")],  # noqa: A002
    ) -> RevokeApiKeyPayload | None:
        """Revoke a key."""
        context = info.context
        viewer = context.viewer
        key_id = parse_as(Kind.API_KEY, input.id)
        async with context.write() as tx:
            await keying.revoke(tx, viewer, key_id, context.now)
        return RevokeApiKeyPayload(api_key=await shown(context, "ApiKey", key_id))
