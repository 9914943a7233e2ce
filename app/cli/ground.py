"""The ground that commands stand on: settings read, logs set up, and the servers that no URL names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from app import observe
from app.config import Settings, load


def settle(*, debug: bool = False, quiet: bool = False, **overrides: Any) -> Settings:
    """Read the settings and begin to log by them; where a person reads along, only what they should not miss."""
    settings = load(**overrides, log_level="debug" if debug else None)
    if quiet and "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "warning"})
    observe.configure(settings)
    return settings


@asynccontextmanager
async def grounded(settings: Settings, *, postgres: bool = True, redis: bool = True) -> AsyncIterator[Settings]:
    """Give settings whose URLs lead somewhere: to the servers of a running instance, or to ones of our own."""
    wanted_postgres, wanted_redis = postgres and settings.database_url is None, redis and settings.redis_url is None
    if not (wanted_postgres or wanted_redis):
        yield settings
        return
    # Imported here because a process whose URLs are set, as under `tenet run`, never needs it.
    from app.embedded import serving

    async with serving(settings.data_dir, postgres=wanted_postgres, redis=wanted_redis, own=False) as servers:
        yield with_urls(settings, servers.database_url, servers.redis_url)


def with_urls(settings: Settings, database_url: str | None, redis_url: str | None) -> Settings:
    """Fill in the URLs of embedded servers."""
    urls = {"database_url": database_url, "redis_url": redis_url}
    return settings.model_copy(update={name: SecretStr(url) for name, url in urls.items() if url is not None})


def url_of(secret: SecretStr | None) -> str:
    """Read a URL that is there by now."""
    assert secret is not None, "the servers were not started"
    return secret.get_secret_value()
