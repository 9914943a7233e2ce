"""Filters that an index serves in one place and a look at each row in another say the same in both."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain import globs
from app.domain.ids import Kind, public
from tests import factories
from tests.resolvers.conftest import Ask

SCOPES: tuple[tuple[list[str], list[str]], ...] = (
    ([], []),
    (["**"], []),
    (["src/"], ["src/gen*/**"]),
    (["src/**/*.py"], []),
    (["src/a?c/*.py", "docs/**"], []),
    (["{src,lib}/**"], ["**/b.py"]),
    (["s{rc,ql}/{a,b}/**"], []),
    (["?rc/**", "*/a/b.py"], []),
    (["src/a/b.py"], []),
    (["sr_/**", "%/**", "src/a%"], []),
    ([".github/**/*.yml"], []),
    (["quell/größe/**"], ["quell/größe/ä*"]),
)
PATHS = (
    "src/a/b.py",
    "src/abc/d.py",
    "src",
    "src/gen/x.py",
    "srcs/a.py",
    "lib/x/b.py",
    "sql/b/c",
    "docs/README",
    "arc/a",
    ".github/workflows/ci.yml",
    "sr_/%",
    "%/x",
    "quell/größe/x",
    "quell/größe/äh",
    "SRC/a/b.py",
    "*",
    "{src,lib}/x",
)


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_is_covered_by_the_scopes_whose_globs_it_fits(
    path: str, ask: Ask, repo: models.Repo, session: AsyncSession
) -> None:
    covering = set()
    for include, exclude in SCOPES:
        made = await factories.pattern(
            session,
            repo,
            scope_languages=[],
            scope_include=include,
            scope_exclude=exclude,
            scope_include_regex=globs.expression(include),
            scope_exclude_regex=globs.expression(exclude) if exclude else None,
        )
        if (not include or globs.matcher(include)(path)) and not globs.matcher(exclude)(path):
            covering.add(public(Kind.PATTERN, made.id))
    query = "query($path: String) { patterns(filter: {path: $path}) { nodes { id } totalCount } }"
    told = (await ask(query, path=path))["data"]["patterns"]
    assert {node["id"] for node in told["nodes"]} == covering
    assert told["totalCount"] == len(covering)


async def test_a_search_in_one_repository_finds_what_the_search_in_all_finds_there(
    ask: Ask, repo: models.Repo, session: AsyncSession
) -> None:
    other = await factories.repo(session, await session.get(models.Organization, repo.organization_id))
    for number in range(6):
        for of in (repo, other):
            words = ("handler", "Handlers return", "nothing")[number % 3]
            await factories.pattern(session, of, name=f"{words} {number}", description="Something else.")
    node = "nodes { id name repo { id } } pageInfo { hasNextPage endCursor } totalCount"
    query = f"""query($id: ID!, $text: String) {{
        all: patterns(filter: {{search: $text}}) {{ {node} }}
        one: patterns(filter: {{search: $text, repoId: $id}}) {{ {node} }}
        repo(id: $id) {{
            patterns(filter: {{search: $text}}) {{ {node} }}
            named: patterns(filter: {{search: $text}}, orderBy: {{field: NAME, direction: ASC}}) {{ {node} }}
        }}
    }}"""
    repo_id = public(Kind.REPO, repo.id)
    for text, count in (("handl", 4), ("return handler", 2), ("missing", 0), ("the", 0)):
        told = (await ask(query, id=repo_id, text=text))["data"]
        theirs = [found for found in told["all"]["nodes"] if found["repo"]["id"] == repo_id]
        assert told["one"]["nodes"] == told["repo"]["patterns"]["nodes"] == theirs
        assert told["repo"]["named"]["nodes"] == sorted(theirs, key=lambda found: found["name"])
        counts = [told["one"]["totalCount"], told["repo"]["patterns"]["totalCount"], told["all"]["totalCount"]]
        assert counts == [count, count, 2 * count]
