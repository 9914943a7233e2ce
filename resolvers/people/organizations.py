"""Organizations: making, naming and deleting them."""

from typing import Annotated

import strawberry
from strawberry.types import Info

from app.domain import names
from app.domain.errors import Invalid
from app.domain.ids import Kind, parse_as
from app.services import organizing
from resolvers.context import Context
from resolvers.lists import shown
from resolvers.people.types import Organization

field = strawberry.field


@strawberry.input(description="A new organization.")
class CreateOrganizationInput:
    """A new organization."""

    slug: str = field(description="Its name in addresses: 2 to 40 lower-case letters, digits and dashes between them.")
    name: str = field(description="Its name for people.")


@strawberry.input(description="What to call an organization from now on; what is omitted stays.")
class UpdateOrganizationInput:
    """What to call an organization."""

    id: strawberry.ID = field(description="The organization's id.")
    name: str | None = field(default=strawberry.UNSET, description="Its name for people.")
    slug: str | None = field(default=strawberry.UNSET, description="Its name in addresses; the old one is free then.")


@strawberry.input(description="An organization to be deleted.")
class DeleteOrganizationInput:
    """An organization to be deleted."""

    id: strawberry.ID = field(description="The organization's id.")
    confirm_slug: str = field(description="Its slug, typed again.")


@strawberry.type(description="An organization that was made.")
class CreateOrganizationPayload:
    """An organization that was made."""

    organization: Organization = field(description="The organization; the viewer is its owner.")


@strawberry.type(description="An organization that was changed.")
class UpdateOrganizationPayload:
    """An organization that was changed."""

    organization: Organization = field(description="The organization as it is now.")


@strawberry.type(description="An organization that is no more.")
class DeleteOrganizationPayload:
    """An organization that is no more."""

    slug: str = field(description="The slug that it had.")


@strawberry.type
class OrganizationMutations:
    """What is decided about organizations."""

    @strawberry.mutation(
        description="Make an organization; the viewer becomes its owner. Refuses: UNAUTHENTICATED, FORBIDDEN (API "
        "keys), VALIDATION_ERROR (a slug of another form or a reserved one), CONFLICT (the slug is taken)."
    )
    async def create_organization(
        self,
        info: Info[Context, None],
        input: Annotated[CreateOrganizationInput, strawberry.argument(description="The organization.")],  # noqa: A002
    ) -> CreateOrganizationPayload | None:
        """Make an organization."""
        context = info.context
        viewer = context.viewer
        slug, name = names.slug(input.slug), names.name(input.name)
        async with context.write() as tx:
            organization_id = await organizing.create(tx, viewer, slug, name)
        await context.stand_as(viewer.user_id, viewer.credential)
        return CreateOrganizationPayload(organization=await shown(context, "Organization", organization_id))

    @strawberry.mutation(
        description="Call an organization something else; for admins. Refuses: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, "
        "VALIDATION_ERROR (null, or a slug of another form or a reserved one), CONFLICT (the slug is taken)."
    )
    async def update_organization(
        self,
        info: Info[Context, None],
        input: Annotated[UpdateOrganizationInput, strawberry.argument(description="The names.")],  # noqa: A002
    ) -> UpdateOrganizationPayload | None:
        """Rename an organization."""
        context = info.context
        viewer = context.viewer
        organization_id = parse_as(Kind.ORGANIZATION, input.id)
        wanted = {name: value for name, value in vars(input).items() if name != "id" and value is not strawberry.UNSET}
        if nulls := {name: "must not be null" for name, value in wanted.items() if value is None}:
            raise Invalid("An organization has a name and a slug.", fields=nulls)
        checks = {"slug": names.slug, "name": names.name}
        checked = {name: checks[name](value) for name, value in wanted.items()}
        async with context.write() as tx:
            await organizing.update(tx, viewer, organization_id, **checked)
        return UpdateOrganizationPayload(organization=await shown(context, "Organization", organization_id))

    @strawberry.mutation(
        description="Delete an organization with its repositories, patterns, checks and keys; for owners. Refuses: "
        "UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR (the slug is another one)."
    )
    async def delete_organization(
        self,
        info: Info[Context, None],
        input: Annotated[DeleteOrganizationInput, strawberry.argument(description="The organization.")],  # noqa: A002
    ) -> DeleteOrganizationPayload | None:
        """Delete an organization."""
        context = info.context
        viewer = context.viewer
        organization_id = parse_as(Kind.ORGANIZATION, input.id)
        async with context.write() as tx:
            slug = await organizing.remove(tx, viewer, organization_id, input.confirm_slug)
        await context.stand_as(viewer.user_id, viewer.credential)
        return DeleteOrganizationPayload(slug=slug)
