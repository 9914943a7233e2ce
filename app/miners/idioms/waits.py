"""How concurrent code is kept in order: waits that end, names of coroutines, contexts that are passed on.

Says, for instance: "Python waits are limited by `asyncio.timeout`, not by `asyncio.wait_for`", "Go waits of `select`
end with the context" and "Java waits for latches have a limit". That coroutines do not block, and that a context
comes first and is called `ctx`, is what everybody does.
"""

from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, TESTS, Idiom
from app.miners.idioms.tables import family

_ACTING, _NAMING, _TESTING = PatternCategory.BEHAVIORAL, PatternCategory.NAMING, PatternCategory.TESTING


def _called(names: str, kind: str = "call_expression") -> dict[str, Any]:
    return {"kind": kind, "has": {"field": "function", "regex": names}}


def _named(names: str) -> dict[str, Any]:
    return {"has": {"field": "name", "regex": names}}


_COROUTINE = {
    "kind": "function_definition",
    "regex": r"^async\s",
    "not": _named("^(__|test)"),
}
_ASYNC = {
    "any": [{"kind": "function_declaration"}, {"kind": "method_definition"}],
    "regex": r"^((public|private|protected|static|override) )*async\s",
}
_LATCH: Any = [{"has": {"field": "object", "regex": "[lL]atch$"}}, _named("^await$")]
_FUTURE: Any = [{"has": {"field": "object", "regex": r"[fF]uture(s\.get\(\w+\))?$"}}, _named("^get$")]
_POLLED: Any = [
    {"kind": "method_invocation", "regex": r"^(Awaitility\.)?await\("},
    {"kind": "method_invocation", "regex": r"^(Thread|TimeUnit\.\w+)\.sleep\("},
]

PYTHON = (
    Idiom(
        "limits",
        _called(r"^asyncio\.(timeout|wait_for)$", "call"),
        {"regex": r"^asyncio\.timeout"},
        "Waits",
        "are limited by `asyncio.timeout`, not by `asyncio.wait_for`",
        0.35,
        _ACTING,
        alternative="`asyncio.wait_for`",
        against="are limited by `asyncio.wait_for`, not by `asyncio.timeout`",
        usually_against=0.7,
        instead="`asyncio.timeout`",
        words=("asyncio.timeout", "wait_for"),
    ),
    Idiom(
        "loops",
        _called(r"^asyncio\.get_(event|running)_loop$", "call"),
        {"regex": "running"},
        "Event loops",
        "are taken from `get_running_loop`, not from `get_event_loop`",
        0.5,
        _ACTING,
        alternative="`get_event_loop`",
        words=("_loop",),
    ),
    Idiom(
        "tasks",
        _called(r"^asyncio\.(create_task|ensure_future)$", "call"),
        {"regex": r"^asyncio\.create_task"},
        "Tasks",
        "are started by `asyncio.create_task`, not by `ensure_future`",
        0.85,
        _ACTING,
        alternative="`ensure_future`",
        against="are started by `asyncio.ensure_future`, not by `create_task`",
        usually_against=0.15,
        instead="`create_task`",
        words=("create_task", "ensure_future"),
    ),
    Idiom(
        "coroutines in front",
        _COROUTINE,
        _named("^_*async_"),
        "Coroutines",
        "are named `async_…`",
        0.03,
        _NAMING,
        words=("async_",),
    ),
    Idiom(
        "coroutines at the end",
        _COROUTINE,
        _named("_async_*$"),
        "Coroutines",
        "are named `…_async`",
        0.04,
        _NAMING,
        words=("_async",),
    ),
    Idiom(
        "async files",
        {
            "kind": "call",
            "all": [
                {"has": {"field": "function", "regex": r"^(open|(aiofiles|anyio|trio)\.(open|open_file))$"}},
                {
                    "inside": {
                        "kind": "function_definition",
                        "regex": r"^async\s",
                        "stopBy": {"kind": "function_definition"},
                    }
                },
            ],
        },
        {"regex": r"^(aiofiles|anyio|trio)"},
        "Coroutines",
        "open files by a library that waits (`aiofiles`, `anyio`), not by `open`",
        0.3,
        _ACTING,
        alternative="`open`",
        words=("open(", "open_file("),
    ),
)
SCRIPTS = (
    Idiom(
        "coroutines at the end",
        _ASYNC,
        _named("[a-z0-9]Async$"),
        "Async functions and methods",
        "are named `…Async`",
        0.04,
        _NAMING,
    ),
)
GO = (
    Idiom(
        "contexts",
        {
            "kind": "parameter_declaration",
            "all": [{"has": {"field": "type", "regex": r"^context\.Context$"}}, _named("^[^_]")],
        },
        _named("^ctx$"),
        "Parameters for contexts",
        "are named `ctx`",
        0.98,
        _NAMING,
        against="have other names than `ctx`",
        usually_against=0.03,
        words=("context.Context",),
    ),
    Idiom(
        "selects",
        {"kind": "select_statement", "not": {"has": {"kind": "default_case"}}},
        {"has": {"kind": "communication_case", "regex": r"^case\s*[^:\n]*[cC](tx|ontext\(\))\.Done\(\)\s*:"}},
        "Waits of `select`",
        "end with the context (`<-ctx.Done()`)",
        0.4,
        _ACTING,
        alternative="no context",
        roles=SOURCES,
        words=("select",),
    ),
    Idiom(
        "polls",
        _called(r"^(time\.Sleep|([\w.]+\.)?Eventually\w*)$"),
        {"has": {"field": "function", "regex": r"Eventually\w*$"}},
        "Tests",
        "wait by `Eventually(…)`, not by `time.Sleep`",
        0.3,
        _TESTING,
        alternative="`time.Sleep`",
        roles=TESTS,
        words=("time.Sleep", "Eventually"),
    ),
)
JAVA = (
    Idiom(
        "latches",
        {"kind": "method_invocation", "all": _LATCH},
        {"has": {"field": "arguments", "regex": r"\w"}},
        "Waits for latches",
        "have a limit",
        0.5,
        _ACTING,
        alternative="no limit",
        words=("atch.await",),
    ),
    Idiom(
        "futures",
        {"kind": "method_invocation", "all": _FUTURE},
        {"has": {"field": "arguments", "regex": r"\w"}},
        "Waits for futures",
        "have a limit",
        0.35,
        _ACTING,
        alternative="no limit",
        words=(".get(",),
    ),
    Idiom(
        "polls",
        {"any": _POLLED},
        {"regex": "^(Awaitility|await)"},
        "Tests",
        "wait by `await()`, not by `Thread.sleep`",
        0.25,
        _TESTING,
        alternative="`Thread.sleep`",
        roles=TESTS,
        words=("sleep(", "await("),
    ),
)
TABLES = {"Python": PYTHON, "JavaScript": SCRIPTS, "TypeScript": SCRIPTS, "Go": GO, "Java": JAVA}

FAMILY = family("async-discipline", TABLES, most=6)
