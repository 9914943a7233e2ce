"""What is known of public repositories: counts made by hand over syntax trees, and what must not be said of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A convention that holds: what the sentence that tells of it looks like, and how many sites conform."""

    words: str
    conforming: int | None = None
    applicable: int | None = None
    """Where nobody counted, whether it is found is all that is asked."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One repository at one commit."""

    repository: str
    commit: str
    known: tuple[Known, ...]
    traps: tuple[str, ...]
    """What no sentence may look like."""


_RETURNS = r"(?i)annotate what they return|return (?:type|annotation|value)s?.*annotat|annotated.*return"

TRUTHS = (
    Truth(
        "encode/httpx",
        "ae1b9f6",
        (
            Known(r"import each other relatively", 87, 87),
            Known(_RETURNS, 446, 446),
            Known(r"caught exceptions.*`exc`", 18, 18),
            Known(r"(?i)anyio", 114, 114),
            Known(r"`_exceptions\.py`", 28, 28),
            Known(r"(?i)tests.*are functions", 535, 537),
            Known(r"`import typing`", 17, 19),
            Known(r"`?__all__`?", 17, 23),
            # Of 23 files two have no annotations (`__version__`, `_transports/__init__`) and need no such import.
            Known(r"from __future__ import annotations|future annotations", 19, 21),
            # The five of `_transports/` are private by their folder.
            Known(r"(?i)modules?.*(?:`_|underscore|private)|named `_\*", 20, 20),
        ),
        (r"raise.*from", r"(?i)(?:have|has|carry) .*docstring|documented"),
    ),
    Truth(
        "pallets/flask",
        "2ac8988",
        (
            Known(r"`import typing as t`", 21, 21),
            Known(r"import each other relatively", 167, 167),
            Known(r"raise.*from", 20, 20),
            # Of 24 files four have no annotations, two of which import it all the same.
            Known(r"from __future__ import annotations|future annotations", 20, 20),
            Known(_RETURNS, 385, 388),
            Known(r"(?i)no `?print|`print", 24, 24),
            Known(r"caught exceptions.*`e`", 15, 17),
        ),
        (r"`?__all__`?", r"named `_\*"),
    ),
    Truth(
        "prometheus/prometheus",
        "d15adb9ad7",
        (
            Known(r"Copyright The Prometheus Authors", 721, 727),
            Known(r"testify/require`", 249, 249),
            Known(r"github\.com/grafana/regexp`", 32, 32),
            Known(r"`go\.uber\.org/atomic`", 32, 33),
            Known(r"(?:`errors`, not|with `errors`)", 213, 213),
            Known(r"log with `log/slog`|`log/slog`", 110, 113),
            Known(r"`%w`", 634, 635),
            Known(r"imports stand in groups"),
            Known(r"comments of definitions.*full stop"),
        ),
        (r"begin with a small letter in `util",),
    ),
    Truth(
        "typeorm/typeorm",
        "281bfba42",
        (
            Known(r"[Ee]rror.*(?:live in|named `\*Error\.ts`).*", 60, 61),
            Known(r"TypeORMError", 59, 60),
            # Of all files `*.test.ts`, of which 896 open connections at all.
            Known(r"closeTestingConnections", 866, 958),
            Known(r"reloadTestingDatabases", 735, 958),
            Known(r"issue-", 360, 363),
            Known(r"end without semicolons"),
            Known(r"import type|mark what is a type", 1396, 1396),
            Known(r"PascalCase", 484, 496),
            Known(r"indented by 4 spaces"),
            Known(r"double quotes"),
            Known(r"named `\*\.test\.\*`|\*\.test\.ts"),
            Known(r"`chai`"),
        ),
        (),
    ),
    Truth(
        "apache/commons-lang",
        "d15939ef4",
        (
            Known(r"begin with `\* Licensed to the Apache", 626, 626),
            # Of the files that hold a test; the other 59 of `src/test/` hold what tests need.
            Known(r"named `\*Test\.java`", 302, 303),
            Known(r"org\.junit\.jupiter\.api`", 307, 307),
            Known(r"imported statically"),
            Known(r"begin with `test|`test…`|named `test", 4627, 4943),
            Known(r"[Tt]est methods are not `public`", 4873, 4943),
            Known(r"no wildcards"),
            Known(r"indented by 4 spaces"),
            Known(r"AbstractLangTest", 251, 323),
            Known(r"arameters.* are `final`"),
        ),
        (r"snake_case", r"not `final`"),
    ),
    Truth(
        "tokio-rs/axum",
        "3d78036d",
        (
            Known(r"`use super::\*;`|super::\*", 50, 63),
            Known(r"publish = false", 55, 55),
            # Of all files of examples but two of tests; four hold no `main`.
            Known(r"Run with", 52, 59),
            Known(r"EnvFilter|tracing_subscriber::registry", 43, 55),
            Known(r"mod\.rs", 21, 21),
            Known(r"unsafe"),
            Known(r"#\[tokio::main\]", 55, 59),
        ),
        (),
    ),
    Truth(
        "fastify/fastify",
        "83e69762a",
        (
            Known(r"use strict", 258, 261),
            Known(r"begin with `node:`", 377, 380),
            Known(r"kebab-case", 29, 29),
            # Of the files that hold a test; 18 others hold what tests need.
            Known(r"`\*\.test\.|\*\.test\.js", 183, 188),
            Known(r"node:test", 194, 194),
            Known(r"t\.assert", 7531, 7579),
            Known(r"t\.plan", 1565, 1664),
            Known(r"end without semicolons"),
            Known(r"single quotes"),
            Known(r"function name \("),
            Known(r"by `require`, not"),
            Known(r"`===`"),
        ),
        (),
    ),
    Truth(
        "encode/django-rest-framework",
        "751a19fe",
        (
            Known(r"named `(?:Test…|…Tests?)`|classes", 241, 251),
            Known(r"named `test_\*\.py`|live in `tests/`"),
            Known(r"gettext_lazy", 14, 14),
            Known(r"absolutely, from `rest_framework`", 126, 131),
            Known(r"`super` pass no arguments", 121, 122),
            Known(r"single quotes"),
        ),
        (r"relatively",),
    ),
)
