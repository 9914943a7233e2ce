"""Choices that a language leaves open and that guides settle: `===`, trailing commas, `Vec::new()`, braces, f-strings.

Says, for instance: "Python texts are put together by f-strings, not by `%` or `.format`" and "Java parameters are
`final`". Each choice is a row of a table, by language; the table counts and is the rule at once.
"""

from app.miners.idioms import golang, java, python, rust, rust_items, rust_tests, scripts, typescript
from app.miners.idioms.tables import Tables, family

TABLES: Tables = {
    "Python": python.IDIOMS,
    "JavaScript": scripts.IDIOMS + scripts.UNTYPED,
    "TypeScript": scripts.IDIOMS + typescript.IDIOMS,
    "Go": golang.IDIOMS,
    "Java": java.IDIOMS,
    "Rust": rust.IDIOMS + rust_items.IDIOMS + rust_tests.IDIOMS,
}

FAMILY = family("idioms", TABLES, most=16, version=17)
