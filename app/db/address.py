"""How a database is addressed: settings and SQLAlchemy name the driver, the driver itself does not."""


def plain_url(url: str) -> str:
    """Spell a SQLAlchemy URL as asyncpg reads it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)
