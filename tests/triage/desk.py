"""The desk of somebody who triages: what they send, and what stands in the database afterwards."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain.ids import Kind, parse, public
from app.domain.pattern import PatternStatus
from tests import factories as make
from tests.identity.installation import Installation, Person, Reply

PATTERN = """id status version severity rationale rejectionReason deferCount deferredAt description name category
owner{login} validatedBy{login} validatedAt statusChangedBy{login} supersededBy{id} similarTo{id}
enforcement{prReview aiContext} provenance{id kind url title description addedBy{login}}
canonicalEvidence{id} evidence(first:100){nodes{id path isCanonical}}"""
SELECTIONS = {"triagePatterns": f"results{{patternId errorCode errorMessage pattern{{{PATTERN}}}}}"}
SELECTIONS["mergePattern"] = f"evidenceAdded pattern{{{PATTERN}}}"


@dataclass
class Desk:
    """A repository and who works on it."""

    home: Installation
    session: AsyncSession
    organization: models.Organization
    repo: models.Repo
    people: dict[str, Person]

    async def pattern(self, status: PatternStatus = PatternStatus.CANDIDATE, **over: Any) -> str:
        """Make a pattern, and give its id."""
        row = await make.pattern(self.session, self.repo, status=status, **over)
        return public(Kind.PATTERN, row.id)

    async def do(self, mutation: str, said: dict[str, Any], who: str = "reviewer") -> Reply:
        """Send a mutation as somebody."""
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        selection = SELECTIONS.get(mutation, f"pattern{{{PATTERN}}}")
        query = f"mutation($input:{kind}!){{{mutation}(input:$input){{{selection}}}}}"
        return await self.home.ask(query, {"input": said}, token=self.people[who].token)

    async def done(self, mutation: str, said: dict[str, Any], who: str = "reviewer") -> Any:
        """Send a mutation that is to succeed, and give the pattern as it answered."""
        data = (await self.do(mutation, said, who)).data[mutation]
        return data if mutation in SELECTIONS else data["pattern"]

    async def look(self, pattern_id: str) -> Any:
        """Read a pattern as a viewer does."""
        query = f"query($id:ID!){{pattern(id:$id){{{PATTERN}}}}}"
        reply = await self.home.ask(query, {"id": pattern_id}, token=self.people["viewer"].token)
        return reply.data["pattern"]

    async def row(self, pattern_id: str) -> models.Pattern:
        """Read the row of a pattern."""
        row = await self.session.get_one(models.Pattern, uuid_of(pattern_id), populate_existing=True)
        await self.session.commit()
        return row

    async def history(self, pattern_id: str) -> list[models.PatternEvent]:
        """Read what happened to a pattern, oldest first."""
        query = select(models.PatternEvent).where(models.PatternEvent.pattern_id == uuid_of(pattern_id))
        events = (await self.session.scalars(query.order_by(models.PatternEvent.sequence))).all()
        await self.session.commit()
        return list(events)

    async def audited(self) -> list[tuple[str, str]]:
        """Read who was written down for what, oldest first."""
        query = select(models.AuditEntry.action, models.AuditEntry.object).order_by(models.AuditEntry.id)
        found = [(action, identifier) for action, identifier in await self.session.execute(query)]
        await self.session.commit()
        return found


def uuid_of(identifier: str) -> UUID:
    """Give what an id stands for."""
    return parse(identifier)[1]
