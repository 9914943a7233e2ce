"""What a check finds in a diff."""

from app.domain.words import Word


class CheckVerdict(Word):
    """What a check came to."""

    SUCCESS = "SUCCESS", "Everything was checked and no error was found."
    FAILURE = "FAILURE", "At least one violation of severity ERROR."
    INCOMPLETE = "INCOMPLETE", "No error found, but a rule or a file could not be checked; the notes say which."


class ContextFileFormat(Word):
    """The files that coding agents and linters read."""

    CLAUDE = "CLAUDE", "CLAUDE.md."
    AGENTS = "AGENTS", "AGENTS.md."
    CURSOR = "CURSOR", "Rules in .cursor/rules."
    COPILOT = "COPILOT", "Copilot instructions in .github."
    AST_GREP = "AST_GREP", "ast-grep rules, for patterns whose rule is of kind AST."
