"""Syntax: trees for facts (tree-sitter) and rules over trees (ast-grep); it knows languages, not conventions."""

from tree_sitter import Node

from app.syntax.heads import head_of, is_sorted, is_standard
from app.syntax.imports import imports_of
from app.syntax.languages import GRAMMARS, RULE_LANGUAGES
from app.syntax.source import MOST_BYTES, Import, Source, Unreadable, line_of, readable, text_of
from app.syntax.trees import BadRule, RuleTree, check_rule, words_of
from app.syntax.type_uses import type_uses

__all__ = [
    "GRAMMARS",
    "MOST_BYTES",
    "RULE_LANGUAGES",
    "BadRule",
    "Import",
    "Node",
    "RuleTree",
    "Source",
    "Unreadable",
    "check_rule",
    "head_of",
    "imports_of",
    "is_sorted",
    "is_standard",
    "line_of",
    "readable",
    "text_of",
    "type_uses",
    "words_of",
]
