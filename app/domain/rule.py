"""A rule: what makes a pattern checkable."""

from app.domain.words import Word


class RuleKind(Word):
    """How a rule selects its sites."""

    AST = "AST", "An ast-grep rule over syntax trees; can be exported and run without this service."
    IMPORT = "IMPORT", "What a file imports, and in which form."
    PATH = "PATH", "Globs and name shapes over paths."
    REGEX = "REGEX", "A linear-time regular expression over text."
    LLM = "LLM", "Judged by Claude; its adoption cannot be measured."
