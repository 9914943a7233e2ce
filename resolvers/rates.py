"""What requests may cost."""

from datetime import UTC, datetime

import strawberry
from strawberry.types import Info

from resolvers.context import Context

field = strawberry.field


@strawberry.type(description="What this request cost, and what the viewer, or a stranger's address, has left.")
class RateLimit:
    """How the budget of reads stands."""

    limit: int = field(description="What reads may cost within one window, in objects.")
    cost: int = field(description="What this request cost.")
    remaining: int = field(description="What is left; it may lag by what other processes have put aside.")
    reset_at: datetime = field(description="When the window ends and the whole budget is there again.")


@strawberry.type
class RateQueries:
    """Where queries about limits begin."""

    @field(description="What this request cost, and what is left; null where this installation sets no limit.")
    def rate_limit(self, info: Info[Context, None]) -> RateLimit | None:
        """Tell how the budget stands."""
        charge = info.context.charge
        if charge is None:
            return None
        resets_at = datetime.fromtimestamp(charge.resets_at, UTC)
        return RateLimit(limit=charge.limit, cost=charge.cost, remaining=charge.remaining, reset_at=resets_at)
