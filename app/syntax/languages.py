"""The languages whose trees are read: a new one is a line here, and its imports in `imports.py`."""

from collections.abc import Callable
from functools import cache

import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language

GRAMMARS: dict[str, Callable[[], object]] = {
    "Python": tree_sitter_python.language,
    "JavaScript": tree_sitter_javascript.language,
    "TypeScript": tree_sitter_typescript.language_typescript,
    "TSX": tree_sitter_typescript.language_tsx,
    "Go": tree_sitter_go.language,
    "Java": tree_sitter_java.language,
    "Rust": tree_sitter_rust.language,
}
"""The grammar of each language that miners read, by the language's name."""

RULE_LANGUAGES = {
    "Python": "python",
    "JavaScript": "javascript",
    "TypeScript": "typescript",
    "TSX": "tsx",
    "Go": "go",
    "Java": "java",
    "Rust": "rust",
    "Bash": "bash",
    "C": "c",
    "C#": "csharp",
    "C++": "cpp",
    "CSS": "css",
    "Elixir": "elixir",
    "HTML": "html",
    "Haskell": "haskell",
    "JSON": "json",
    "Kotlin": "kotlin",
    "Lua": "lua",
    "PHP": "php",
    "Ruby": "ruby",
    "Scala": "scala",
    "Shell": "bash",
    "Swift": "swift",
    "YAML": "yaml",
}
"""What ast-grep calls each language that a rule may speak of."""


@cache
def grammar(language: str) -> Language:
    """Load a grammar once."""
    return Language(GRAMMARS[language]())
