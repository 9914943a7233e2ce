"""People, the organizations they belong to, and what they come with."""

import strawberry

from resolvers.people.accounts import AccountMutations
from resolvers.people.keys import KeyMutations
from resolvers.people.members import MemberMutations
from resolvers.people.organizations import OrganizationMutations
from resolvers.people.queries import PeopleQueries
from resolvers.people.types import ApiKey, AuditEntry, Invitation, Membership, Organization, User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Invitation",
    "Membership",
    "Organization",
    "PeopleMutations",
    "PeopleQueries",
    "User",
]


@strawberry.type
class PeopleMutations(AccountMutations, OrganizationMutations, MemberMutations, KeyMutations):
    """What is decided about people."""
