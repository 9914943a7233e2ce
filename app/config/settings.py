"""Everything that can be set, and what must hold among settings."""

import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "TENET_"


class Environment(StrEnum):
    """How careful this installation is."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How log lines look; `auto` is readable in a terminal in development, and JSON elsewhere."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class SettingsError(Exception):
    """The environment is wrong; one line a fault, and never the value of a secret."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """Everything an operator can set; the description of a field is its line in the README and in `.env.example`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
    )

    env: Environment = Field(Environment.DEVELOPMENT, description="`development` or `production`.")
    data_dir: Path = Field(
        Path(".tenet"), description="Where git caches, stored objects and the embedded servers' data live."
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 14 or newer, as postgresql://user:password@host/name. Unset: the embedded server.",
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Redis 6.2 or newer, as redis://host:port/0. Unset: the embedded server.",
    )
    embedded: bool = Field(
        False, description="Allow the embedded PostgreSQL and Redis in production too; development always may."
    )
    secret: SecretStr | None = Field(
        None,
        description="At least 32 characters that sign tokens and cursors. Unset in development: made once and kept in "
        "the data directory.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        None, description="The address that people reach this service by, as https://tenet.example.com."
    )
    url: str | None = Field(
        None,
        description="The service that `tenet ingest` speaks to. Unset: the one that runs with the data directory, or "
        "one for the time of the command.",
    )
    token: SecretStr | None = Field(
        None, description="As whom `tenet ingest` speaks to it: an API key or an access token."
    )
    proxies: str = Field(
        "127.0.0.1",
        description="Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas: limits "
        "and the audit log go by the addresses of callers.",
    )
    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins of front ends that may call from a browser, separated by commas; required in production.",
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="`debug`, `info`, `warning` or `error`."
    )
    log_format: LogFormat = Field(LogFormat.AUTO, description="`auto`, `console` or `json`.")
    database_connections: int = Field(
        10,
        ge=2,
        le=200,
        description="Connections to PostgreSQL that each process keeps at most, for each of reads and writes.",
    )
    statement_seconds: float = Field(10, gt=0, le=300, description="How long one SQL statement of a request may take.")
    rows_remembered_mb: int = Field(
        16,
        ge=0,
        le=4096,
        description="Megabytes in which a process that serves remembers what it made of rows that are asked for again "
        "and have not changed since; 0: none.",
    )
    drain_seconds: float = Field(
        1,
        ge=0,
        le=60,
        description="How long a process that was asked to stop says so at /health/ready, and still takes requests, so "
        "that load balancers can turn away first.",
    )
    shutdown_seconds: float = Field(
        20, ge=0, le=600, description="How long requests and jobs may go on after the process was asked to stop."
    )
    request_bytes: int = Field(
        1_048_576, ge=1024, le=104_857_600, description="The largest body or query string of a GraphQL request."
    )
    frame_bytes: int = Field(
        1_048_576, ge=1024, le=104_857_600, description="The largest message that a WebSocket client may send."
    )
    batch_operations: int = Field(
        1, ge=1, le=100, description="Operations that one HTTP request may carry as an array; 1 switches batching off."
    )
    init_seconds: float = Field(
        5, gt=0, le=60, description="How long an opened WebSocket may take to say who it is (connection_init)."
    )
    send_seconds: float = Field(
        10, gt=0, le=300, description="After how long a live client that does not read is dropped."
    )
    heartbeat_seconds: float = Field(
        12, gt=0, le=300, description="How often a live connection with nothing to say gives a sign of life."
    )
    recheck_seconds: float = Field(
        15, gt=0, le=28, description="How often the credential behind a live connection is checked again."
    )
    operations_per_socket: int = Field(
        100, ge=1, le=10_000, description="Operations, subscriptions above all, that one WebSocket may run at once."
    )
    connections_per_viewer: int = Field(
        50, ge=1, le=10_000, description="WebSockets and event streams that one viewer may hold open in one process."
    )
    reads_per_minute: int = Field(
        3_000_000,
        ge=0,
        le=20_000_000,
        description="What one viewer's reads may cost in a minute, in objects; 0 sets no limit. Of this and the next "
        "three, development allows a hundred times as much.",
    )
    writes_per_minute: int = Field(
        600, ge=0, le=20_000_000, description="Mutations of one viewer in a minute; 0 sets no limit."
    )
    connections_per_minute: int = Field(
        120,
        ge=0,
        le=20_000_000,
        description="WebSockets and event streams that one viewer may open in a minute; 0 sets no limit.",
    )
    sign_ups_per_hour: int = Field(
        30, ge=0, le=20_000_000, description="Accounts made from one address in an hour; 0 sets no limit."
    )
    session_days: float = Field(90, gt=0, le=3650, description="How long a sign-in lasts at most.")
    session_idle_days: float = Field(14, gt=0, le=3650, description="How long an unused sign-in lasts.")
    issuer: str | None = Field(
        None,
        description="Whose tokens are trusted besides our own: what stands in their `iss`, as "
        "https://abc.supabase.co/auth/v1.",
    )
    issuer_audience: str | None = Field(
        None, description="What must stand in the `aud` of the issuer's tokens, as `authenticated`."
    )
    issuer_secret: SecretStr | None = Field(
        None, description="The secret shared with an issuer that signs by HS256. Unset: its public keys are fetched."
    )
    issuer_keys_url: str | None = Field(
        None,
        description="Where the issuer's public keys are, for RS256 and ES256; unset: its address and "
        "/.well-known/jwks.json.",
    )
    issuer_requires_nbf: bool = Field(
        True, description="Refuse the issuer's tokens that lack `nbf`; Supabase's do, so set it to false for them."
    )
    github_client_id: str | None = Field(
        None, description="The OAuth application for signing in with GitHub; unset: no such sign-in."
    )
    github_client_secret: SecretStr | None = Field(None, description="The secret of that OAuth application.")
    github_url: str = Field("https://github.com", description="GitHub, or an installation of it.")
    github_api_url: str = Field("https://api.github.com", description="The API of that GitHub.")
    operation_seconds: float = Field(20, gt=0, le=300, description="How long one query or mutation may take.")
    limit_characters: int = Field(100_000, ge=1_000, description="Characters of a GraphQL document at most.")
    limit_tokens: int = Field(5_000, ge=100, description="Tokens of a document at most.")
    limit_depth: int = Field(15, ge=3, description="Levels of a document at most.")
    limit_aliases: int = Field(30, ge=1, description="Aliases in a document at most.")
    limit_directives: int = Field(50, ge=1, description="Directives in a document at most.")
    limit_root_fields: int = Field(20, ge=1, description="Root fields of an operation at most.")
    limit_list: int = Field(1_000, ge=10, description="Values of a list in a document or its variables at most.")
    limit_cost: int = Field(
        20_000, ge=100, description="Objects that the page sizes of one operation may come to at most."
    )
    documents: Path | None = Field(
        None, description="The list of trusted documents that `tenet documents` wrote; clients may send their hashes."
    )
    documents_only: bool = Field(False, description="Run no documents but those on the list.")
    worker_jobs: int = Field(10, ge=1, le=100, description="Jobs of each line that one worker process runs at once.")
    worker_poll_seconds: float = Field(0.1, gt=0, le=10, description="How often a worker looks for jobs.")
    worker_lease_seconds: float = Field(
        15, ge=1, le=300, description="After how long without a sign of life a worker's job is given to another."
    )
    worker_host: str = Field("127.0.0.1", description="The address of a worker's own health and metrics.")
    worker_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="The port of a worker's own /health/live, /health/ready and /metrics; further workers of `tenet "
        "run` take the ports after it. Unset: none.",
    )
    child_processes: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Child processes of a worker that parse and measure files, at most: further ones are started when "
        "work keeps waiting. Unset: one for each processor.",
    )
    child_megabytes: int = Field(
        1_024, ge=256, le=65_536, description="The memory that each of these child processes may have."
    )
    shard_files: int = Field(
        20_000,
        ge=1,
        le=1_000_000,
        description="A repository in which more files have to be read is shared out among all workers.",
    )
    local_sources: bool | None = Field(
        None,
        description="Whether repositories may be connected by a path on this machine. Unset: yes in development, no in "
        "production, where every admin of an organization could read the repositories of this machine.",
    )
    private_addresses: bool = Field(
        False,
        description="Whether repositories may be fetched from this machine and its private network, and there over "
        "plain http too. Every admin of an organization could then reach what listens there.",
    )
    repo_megabytes: int = Field(
        2_048, ge=1, le=1_048_576, description="How large a repository may be, as git packs it, with all its history."
    )
    repo_files: int = Field(200_000, ge=1, le=10_000_000, description="How many files a repository may have.")
    fetch_seconds: float = Field(900, gt=0, le=86_400, description="How long the fetch of a repository may take.")
    ssh_key: Path | None = Field(
        None,
        description="The private key that ssh sources are fetched with; it opens the same repositories to every "
        "organization. Unset: in development the keys of your account, in production none.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment, then `.env`."""
        return init_settings, env_settings, dotenv_settings

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        scheme, separator, rest = url.get_secret_value().partition("://")
        if scheme not in ("postgresql", "postgres", "postgresql+asyncpg") or not separator or not rest:
            raise ValueError("needs the form postgresql://user:password@host:port/name")
        return SecretStr(f"postgresql+asyncpg://{rest}")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("needs the form redis://host:port/number, rediss://... or unix:///path")
        return url

    @field_validator("secret", "issuer_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < 32:
            raise ValueError("needs at least 32 characters, for instance from: openssl rand -hex 32")
        return secret

    @field_validator("origins", mode="before")
    @classmethod
    def _separated(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
                raise ValueError(f"{origin!r} is no origin; needs the form https://app.example.com, without a path")
        return origins

    @field_validator("url", "public_url", "issuer_keys_url", "github_url", "github_api_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
            raise ValueError("needs the form https://tenet.example.com")
        return url.rstrip("/") if url else None

    @model_validator(mode="after")
    def _whole_parts(self) -> Self:
        faults = []
        if self.issuer is not None:
            if self.issuer_audience is None:
                faults.append(f"{PREFIX}ISSUER_AUDIENCE: is missing; tokens made for others must not open this service")
            if self.issuer in ("tenet", self.github_url):
                faults.append(f"{PREFIX}ISSUER: is the name of our own tokens or of GitHub's people; it needs its own")
            if self.issuer_secret is not None and self.issuer_keys_url is not None:
                faults.append(f"{PREFIX}ISSUER_SECRET: and {PREFIX}ISSUER_KEYS_URL are both set; an issuer has one")
            if self.issuer_secret is None and self.issuer_keys_url is None and "://" not in self.issuer:
                faults.append(f"{PREFIX}ISSUER_KEYS_URL: is missing; {PREFIX}ISSUER is no address to find keys at")
        if (self.github_client_id is None) != (self.github_client_secret is None):
            faults.append(f"{PREFIX}GITHUB_CLIENT_ID: and {PREFIX}GITHUB_CLIENT_SECRET are needed together")
        if self.documents_only and self.documents is None:
            faults.append(f"{PREFIX}DOCUMENTS: is missing; {PREFIX}DOCUMENTS_ONLY=true needs the list")
        if faults:
            raise SettingsError(faults)
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.env is not Environment.PRODUCTION:
            return self
        faults = []
        if self.secret is None:
            faults.append(f"{PREFIX}SECRET: is missing; production needs at least 32 characters of its own")
        elif len(set(self.secret.get_secret_value())) < 8:
            faults.append(f"{PREFIX}SECRET: is too simple; production needs one made at random")
        if not self.embedded:
            faults += [
                f"{variable}: is missing; set it, or {PREFIX}EMBEDDED=true to use the embedded server in production"
                for variable, value in (("DATABASE_URL", self.database_url), ("REDIS_URL", self.redis_url))
                if value is None
            ]
        if self.github_client_id is not None and self.public_url is None:
            faults.append(f"{PREFIX}PUBLIC_URL: is missing; GitHub sends people back there after they signed in")
        keys_url = None if self.issuer_secret is not None else self.issuer_keys_url or self.issuer
        if keys_url is not None and not keys_url.startswith("https://"):
            faults.append(f"{PREFIX}ISSUER_KEYS_URL: must begin with https://, or anybody in between makes keys")
        if not self.origins:
            faults.append(f"{PREFIX}ORIGINS: is missing; production needs the origins of its front ends")
        if faults:
            raise SettingsError(faults)
        return self

    @property
    def production(self) -> bool:
        """Tell whether this installation must be strict."""
        return self.env is Environment.PRODUCTION

    def allowance(self, limit: int) -> int:
        """Give a limit as it holds here: in development one person with a load test is no crowd."""
        return limit if self.production else limit * 100

    @property
    def allows_local_sources(self) -> bool:
        """Tell whether a path on this machine may be a repository's source."""
        return not self.production if self.local_sources is None else self.local_sources

    def signing_secret(self) -> str:
        """Give the secret that signs, or in development make one that outlives the process."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        kept = self.data_dir / "secret"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = kept.with_name(f"secret.{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_hex(32))
            # A hard link fails if another process was first; then its secret is the one that counts.
            try:
                kept.hardlink_to(fresh)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return kept.read_text().strip()
