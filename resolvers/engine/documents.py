"""Documents that were seen before: parsed, bounded and validated once, and bounded in number themselves."""

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    validate,
    visit,
)

from app.config import Settings
from app.domain.errors import ErrorCode, Invalid, Refusal, TooComplex
from resolvers.engine.limits import Cost, bound_document, fragments_of, root_fields
from resolvers.engine.looks import reaches_beyond
from resolvers.engine.variables import PlainVariables

MOST_DOCUMENTS = 1_000
MOST_CHARACTERS = 8_000_000


class RequestRefused(Exception):
    """The request cannot be executed; there is no data."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = errors


# What graphql-core ends a message with when a value does not fit.
_VALUE = re.compile(r"(?s)(?:, found|(?<= cannot represent )([\w -]*value)): .*")


# Where it names the place of a wrong value.
_WRONG = re.compile(r"(?s)Variable '\$(?P<name>\w+)' has invalid value(?: at (?P<place>[.\[]\S*))?: (?P<fault>.*)")
# One of its messages suggests something even where suggestions are hidden.
_SUGGESTION = re.compile(r" Did you mean .*\?$")


def without_values(message: str) -> str:
    """Take out of a message what a client sent: it may be a password in the wrong place, and messages are logged."""
    return _VALUE.sub(r"\1", message)


def wrong_variable(error: GraphQLError) -> GraphQLError:
    """Say of a variable's value that it is wrong, and at which place of it."""
    message = without_values(error.message)
    told = _WRONG.fullmatch(message)
    refusal = Invalid(message, fields={f"{told['name']}{told['place'] or ''}": told["fault"]} if told else {})
    return GraphQLError(message, nodes=error.nodes, extensions=refusal.extensions)


def refusal_error(refusal: Refusal) -> GraphQLError:
    """Spell a refusal as an error of a whole request."""
    return GraphQLError(refusal.message, extensions=refusal.extensions)


class _Cursors(Visitor):
    """Finds the variables that hold cursors."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if node.name.value in ("after", "before") and isinstance(node.value, VariableNode):
            self.names.add(node.value.name.value)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document."""

    # The document's hash and the operation's name.
    key: str
    kind: str
    node: OperationDefinitionNode
    cursor_variables: frozenset[str]
    roots: tuple[str, ...]
    # Whether it may show somebody who sees everything more than what is theirs.
    beyond: bool
    plain_variables: PlainVariables


@dataclass(frozen=True, slots=True)
class Document:
    """A document that passed every check that needs no variables."""

    hash: str
    node: DocumentNode
    fragments: dict[str, FragmentDefinitionNode]
    operations: dict[str | None, Operation]
    cost: Cost
    introspects: bool

    def operation(self, name: str | None) -> Operation:
        """Choose the operation to run."""
        if name:
            chosen = self.operations.get(name)
            problem = f"The document has no operation named {name!r}."
        else:
            chosen = next(iter(self.operations.values())) if len(self.operations) == 1 else None
            problem = "The document has several operations: say which by operationName."
        if chosen is None:
            raise RequestRefused(_failed(problem, ErrorCode.GRAPHQL_VALIDATION_FAILED))
        return chosen


@dataclass(slots=True)
class Documents:
    """Remembers documents, the faulty ones too: they cost the same to find out about."""

    schema: GraphQLSchema
    settings: Settings
    _known: OrderedDict[str, Document | RequestRefused] = field(default_factory=OrderedDict)
    _characters: int = 0

    def get(self, text: str) -> Document:
        """Give a document ready to run, or refuse it."""
        found = self._known.get(text)
        if found is None:
            try:
                found = self._prepared(text)
            except RequestRefused as refused:
                found = refused
            except Refusal as refusal:
                found = RequestRefused(refusal_error(refusal))
            except RecursionError:
                found = RequestRefused(refusal_error(TooComplex("The document is nested too deeply.")))
            self._remember(text, found)
        else:
            self._known.move_to_end(text)
        if isinstance(found, RequestRefused):
            raise RequestRefused(*found.errors)
        return found

    def _remember(self, text: str, found: Document | RequestRefused) -> None:
        self._known[text] = found
        self._characters += len(text)
        while len(self._known) > MOST_DOCUMENTS or self._characters > MOST_CHARACTERS:
            oldest, _ = self._known.popitem(last=False)
            self._characters -= len(oldest)

    def _prepared(self, text: str) -> Document:
        if len(text) > self.settings.limit_characters:
            raise TooComplex(
                f"The document has {len(text)} characters; at most {self.settings.limit_characters} are allowed."
            )
        node = self._parsed(text)
        bound_document(node, self.settings)
        errors = validate(self.schema, node, max_errors=20, hide_suggestions=self.settings.production)
        if errors:
            code = ErrorCode.GRAPHQL_VALIDATION_FAILED
            raise RequestRefused(*(_failed(self._told(error.message), code, error) for error in errors))
        document_hash = sha256(text.encode()).hexdigest()
        operations: dict[str | None, Operation] = {}
        fragments = fragments_of(node)
        for definition in node.definitions:
            if isinstance(definition, OperationDefinitionNode):
                cursors = _Cursors()
                visit(node, cursors)
                roots = tuple(root_fields(definition, fragments))
                name = definition.name.value if definition.name else None
                operations[name] = Operation(
                    f"{document_hash} {name or ''}",
                    definition.operation.value,
                    definition,
                    frozenset(cursors.names),
                    roots,
                    reaches_beyond(definition, roots, fragments),
                    PlainVariables.of(self.schema, definition, longest_list=self.settings.limit_list),
                )
        introspects = "__schema" in text or "__type" in text.replace("__typename", "")
        return Document(document_hash, node, fragments, operations, Cost(self.schema, node), introspects)

    def _told(self, message: str) -> str:
        return _SUGGESTION.sub("", message) if self.settings.production else message

    def _parsed(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_lexical_tokens=self.settings.limit_tokens)
        except GraphQLSyntaxError as error:
            if "Parsing aborted" in error.message:
                raise TooComplex(
                    f"The document has more than {self.settings.limit_tokens} tokens; no more are allowed."
                ) from None
            raise RequestRefused(_failed(error.message, ErrorCode.GRAPHQL_PARSE_FAILED, error)) from None


def _failed(message: str, code: ErrorCode, error: GraphQLError | None = None) -> GraphQLError:
    return GraphQLError(
        without_values(message),
        nodes=error.nodes if error else None,
        source=error.source if error else None,
        positions=error.positions if error else None,
        extensions={"code": code.value},
    )
