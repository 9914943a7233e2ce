"""People, the organizations they belong to, and the credentials they come with."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.types import Id, Now, Table, all_words, at_most, digest, words
from app.domain.viewer import Role, Scope


class User(Table):
    """A person; `email` is stored as it is compared, and is absent for people of an outside issuer."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        at_most("email", 254, least=3),
        at_most("login", 64, least=1),
        at_most("name", 200),
        at_most("avatar_url", 2000),
        at_most("password_hash", 500),
    )

    id: Mapped[Id]
    login: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str | None]
    avatar_url: Mapped[str | None]
    password_hash: Mapped[str | None]
    is_superadmin: Mapped[bool] = mapped_column(server_default=text("false"), default=False)
    created_at: Mapped[Now]


class Identity(Table):
    """A person as an outside issuer names them; never joined to an account by e-mail."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"), at_most("issuer", 255), at_most("subject", 255))

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    created_at: Mapped[Now]


class Session(Table):
    """A sign-in that lasts until it is revoked, idles too long or reaches its end."""

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("secret_hash"), Index(None, "expires_at"), digest("secret_hash"))

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[bytes]
    created_at: Mapped[Now]
    last_seen_at: Mapped[Now]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Organization(Table):
    """Owns repos; its members see them."""

    __tablename__ = "organizations"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9](-?[a-z0-9])*$' AND char_length(slug) BETWEEN 2 AND 40", name="slug_shape"),
        at_most("name", 200, least=1),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[Now]


class Membership(Table):
    """A person's role in an organization."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("organization_id", "user_id"), Index(None, "organization_id", "id"))

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[Role] = mapped_column(words(Role))
    created_at: Mapped[Now]


class Invitation(Table):
    """A single-use offer of a role; whoever holds its token may accept it."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "organization_id", "id"),
        Index(None, "expires_at"),
        digest("token_hash"),
        at_most("email", 254, least=3),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    email: Mapped[str]
    role: Mapped[Role] = mapped_column(words(Role))
    token_hash: Mapped[bytes]
    invited_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[Now]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKey(Table):
    """A credential for programs: its creator's rights in one organization, narrowed by scopes."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("secret_hash"),
        Index(None, "organization_id", "id"),
        all_words("scopes", Scope),
        digest("secret_hash"),
        at_most("name", 100, least=1),
        at_most("prefix", 16, least=1),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    prefix: Mapped[str]
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[str]]
    created_at: Mapped[Now]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditEntry(Table):
    """Who did what to which object; outlives its organization, so that ids stand here without foreign keys."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "organization_id", "id"),
        at_most("action", 100, least=1),
        at_most("object", 200, least=1),
        at_most("address", 64),
        at_most("credential", 200),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID | None]
    at: Mapped[Now]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    object: Mapped[str]
    address: Mapped[str | None]
    credential: Mapped[str | None]
