"""From a validated operation to one SQL statement; what it does not know goes the reference way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
)
from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.types import TypeEngine

from app.db.history import CHANGED
from app.db.readers import Bytes
from app.db.tx import Telling
from app.domain.ids import parse, parse_as
from app.reads.listing import ListArguments, Listing
from app.reads.page import Cursors
from app.reads.patterns import PATTERN
from app.reads.roots import BY_KIND, ROOTS, SHAPES, AnyNode, ByColumn, ById, Me, Through
from app.reads.shape import Many, One, Only, Rows, Shape, Tally
from app.reads.visible import READS, Reach, Sight, me
from resolvers.plans.arguments import Binder, Source, Variables, sources
from resolvers.plans.json import NULL, Pieces, document, joined, leaf, object_of, public_id
from resolvers.plans.lists import Owner, at_the_root, below
from resolvers.plans.plan import Plan, Remembering, Teller, composed, only_row
from resolvers.plans.selection import Fields, NoPlan, Selections, snake
from resolvers.plans.statements import Named, Selecting, named, remembering_of, statement_of
from resolvers.plans.versions import Versions


def compile_plan(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Variables,
    sight: Sight,
    cursors: Cursors,
) -> Plan:
    """Compile a query for a form of variables and a sight, or say that there is no plan."""

    def compiled(versions: Versions | None = None) -> tuple[Compiler, list[str | Teller]]:
        compiler = Compiler(schema, Selections(fragments, variables), variables, sight, cursors, versions)
        assert schema.query_type is not None
        fields: Fields = {}
        compiler.selections.collect(schema.query_type, operation.selection_set, fields, set())
        members: list[str | Teller] = []
        for key, nodes in fields.items():
            is_named = nodes[0].name.value == "__typename"
            members.append(f'{"," if members else ""}"{key}":')
            members.append('"Query"' if is_named else compiler.root(schema.query_type, nodes))
        return compiler, members

    # Most documents with values of their own are asked once: names are made when somebody asks again.
    def remembering() -> Remembering | None:
        compiler, _ = compiled(Versions())
        return remembering_of(compiler.branches, compiler.named, compiler.constants)

    return _plan(*compiled(), cache(remembering))


def compile_payload(
    schema: GraphQLSchema,
    type_: GraphQLObjectType,
    node: FieldNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Variables,
    sight: Sight,
    cursors: Cursors,
) -> tuple[Plan, Telling | None]:
    """Compile what a mutation tells of the pattern that it decided about, whose id is bound as `decided`.

    Where nothing is asked for that the decision changes besides, the statement that changes it can tell it as well.
    """

    def compiled(rows: Rows) -> tuple[Compiler, Plan]:
        compiler = Compiler(schema, Selections(fragments, variables), variables, sight, cursors)
        told = object_of(
            compiler.selections, type_, [node], lambda name, nodes: [compiler.decided(type_, name, nodes, rows)]
        )
        return compiler, _plan(compiler, [f'"{(node.alias or node.name).value}":', *told])

    compiler, plan = compiled(PATTERN.rows)
    if len(compiler.branches) > 1 or compiler.reached & _CHANGED_BESIDES:
        return plan, None
    (branch,) = compiled(CHANGED)[0].branches
    return plan, Telling(branch.scalar_subquery())


_CHANGED_BESIDES = {"Pattern", "PatternEvent", "AuditEntry"}


def _plan(
    compiler: "Compiler",
    members: Sequence[str | Teller],
    remembering: Callable[[], Remembering | None] = lambda: None,
) -> Plan:
    if not compiler.branches:
        raise NoPlan("nothing to read")
    full = statement_of(compiler.branches, compiler.constants)
    return Plan(full, {**full.own, **compiler.constants}, tuple(compiler.binders), composed(members), remembering)


@dataclass(slots=True)
class Compiler:
    """One compilation: what it knows, and what it has found so far to bind."""

    schema: GraphQLSchema
    selections: Selections
    variables: Variables
    sight: Sight
    cursors: Cursors
    # Unless names for rows are not asked for.
    versions: Versions | None = None
    constants: dict[str, Any] = field(default_factory=dict)
    binders: list[Binder] = field(default_factory=list)
    # What the roots read, each by a statement; all together are the plan's.
    branches: list[Select[Any]] = field(default_factory=list)
    named: dict[int, Named] = field(default_factory=dict)
    # Of lists, the columns that have one value in all of their rows.
    held: dict[Rows, Mapping[str, ColumnElement[Any]]] = field(default_factory=dict)
    # The shapes that relations have led to.
    reached: set[str] = field(default_factory=set)
    _lists: int = 0

    def branch(self, statement: Select[Any]) -> int:
        """Add what a statement gives, and tell its number."""
        self.branches.append(statement)
        return len(self.branches) - 1

    def branch_of(self, rows: Rows, values: Sequence[ColumnElement[Any]], selected: Selecting) -> int:
        """Add a statement of values of rows, which `selected` selects, and tell its number."""
        at = self.branch(selected(values))
        name = self.versions.name(rows, *values) if values and self.versions is not None else None
        if name is not None:
            self.named[at] = named(selected, values, name)
        return at

    def root(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> Teller:
        """Compile a field of the query, and say how it is told."""
        name = nodes[0].name.value
        if name not in type_.fields:
            raise NoPlan("introspection")
        arguments = sources(type_.fields[name], nodes[0], self.variables)
        match ROOTS.get(snake(name)):
            case Me():
                return self._looked_up(SHAPES["User"], nodes, lambda rows: rows.c.id == me())
            case ById(to=to, argument=argument):
                return self._by_id(SHAPES[to], nodes, arguments.get(argument))
            case AnyNode(argument=argument, many=False):
                kind, _ = parse(arguments[argument].now)
                if kind not in BY_KIND:
                    raise NoPlan("an id of no readable type")
                return self._by_id(BY_KIND[kind], nodes, arguments[argument])
            case ByColumn(to=to, column=column):
                shape = SHAPES[to]
                value = self.bind(arguments[column], shape.rows.c[column].type)
                return self._looked_up(shape, nodes, lambda rows: rows.c[column] == value)
            case Through() as through:
                return self._through(through, type_, nodes, arguments)
            case Many() as many:
                listing = self.listing(many, f"{type_.name}.{name}", arguments)
                return at_the_root(self, listing, self._named(type_, nodes), nodes)
            case _:
                raise NoPlan(name)

    def decided(self, type_: GraphQLObjectType, name: str, nodes: list[FieldNode], rows: Rows) -> Teller:
        """Compile the pattern that was decided about."""
        if get_named_type(type_.fields[name].type).name != PATTERN.name:
            raise NoPlan(name)
        return self._looked_up(PATTERN, nodes, lambda rows: rows.c.id == bindparam("decided", type_=Uuid), rows)

    def object(self, shape: Shape, type_: GraphQLObjectType, nodes: list[FieldNode], rows: Rows) -> Pieces:
        """Compile what is selected of a row."""
        return object_of(self.selections, type_, nodes, lambda _, theirs: self._field(shape, type_, theirs, rows))

    def listing(self, many: Many, name: str, arguments: Mapping[str, Source]) -> Listing:
        """Compile the arguments of a list."""
        self._lists += 1
        asked = _list_arguments(many, arguments, self.variables)
        listing = Listing.of(many, name, asked, self.cursors, self.sight, f"list_{self._lists}_")
        self.constants |= listing.values
        if self.versions is not None and listing.cut is not None and listing.ranking is None:
            self.versions.seals.add(listing.seal_name)
        if any(source.read is not None for source in arguments.values()):
            self.binders.append(_rebinding(listing, arguments))
        return listing

    def bind(self, source: Source, type_: TypeEngine[Any], convert: Any = None) -> ColumnElement[Any]:
        """Bind a value of the document."""
        name = f"value_{len(self.constants)}"
        self.constants[name] = convert(source.now) if convert else source.now
        if source.read is not None:

            def bind(variables: Variables, values: dict[str, Any]) -> None:
                value = source(variables)
                values[name] = convert(value) if convert else value

            self.binders.append(bind)
        return bindparam(name, type_=type_)

    def _by_id(self, shape: Shape, nodes: list[FieldNode], source: Source | None) -> Teller:
        if source is None or source.now is None or shape.kind is None:
            raise NoPlan("an object without an id")
        kind = shape.kind
        value = self.bind(source, shape.rows.c.id.type, lambda text: parse_as(kind, text))
        return self._looked_up(shape, nodes, lambda rows: rows.c.id == value)

    def _looked_up(self, shape: Shape, nodes: list[FieldNode], condition: Any, rows: Rows | None = None) -> Teller:
        type_ = self.schema.type_map.get(shape.name)
        if not isinstance(type_, GraphQLObjectType):
            raise NoPlan("a type that cannot be read yet")
        rows = shape.rows if rows is None else rows
        told = cast(joined(self.object(shape, type_, nodes, rows)), Bytes())
        conditions = (condition(rows), shape.seen_by.condition(rows, self.sight))
        return only_row(
            self.branch_of(rows, [told], lambda values: select(*values).select_from(rows).where(*conditions))
        )

    def _through(
        self, root: Through, type_: GraphQLObjectType, nodes: list[FieldNode], arguments: Mapping[str, Source]
    ) -> Teller:
        owner = SHAPES[root.to]
        assert owner.kind is not None
        kind, rows = owner.kind, owner.rows
        flag = arguments.get(root.flag)
        relation = root.otherwise if flag is not None and flag.now else root.relation
        many = owner.relations[relation]
        assert isinstance(many, Many)
        self._require(SHAPES[many.to], owner)
        owner_id = self.bind(arguments[root.argument], rows.c.id.type, lambda text: parse_as(kind, text))
        listing = self.listing(many, f"{type_.name}.{relation}", arguments)
        above = Owner(owner_id, rows, owner.seen_by.condition(rows, self.sight))
        return at_the_root(self, listing, self._named(type_, nodes), nodes, above)

    def _named(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> GraphQLObjectType:
        named = get_named_type(type_.fields[nodes[0].name.value].type)
        if not isinstance(named, GraphQLObjectType):
            raise NoPlan("an abstract type")
        return named

    def _field(self, shape: Shape, type_: GraphQLObjectType, nodes: list[FieldNode], rows: Rows) -> Pieces:
        name = nodes[0].name.value
        python = snake(name)
        of = type_.fields[name].type
        if python == "id" and shape.kind is not None:
            return public_id(shape.kind, rows.c.id)
        if python in shape.relations:
            return [self._relation(shape, python, type_, nodes, rows)]
        if python in shape.parts:
            part = shape.parts[python]
            columns = {field: rows.c[column] for field, column in part.columns.items()}
            built = document(self.selections, columns, self._named(type_, nodes), nodes)
            return built if part.given is None else [case((rows.c[part.given].is_not(None), joined(built)), else_=NULL)]
        if python in shape.computed:
            return leaf(self.selections, shape.computed[python](rows, self.sight), of, nodes)
        if shape.column(python) not in rows.c:
            raise NoPlan(name)
        return leaf(self.selections, rows.c[shape.column(python)], of, nodes)

    def _relation(
        self, shape: Shape, python: str, type_: GraphQLObjectType, nodes: list[FieldNode], rows: Rows
    ) -> ColumnElement[str]:
        relation = shape.relations[python]
        target = SHAPES[relation.to]
        self.reached.add(target.name)
        named = self._named(type_, nodes)
        if isinstance(relation, Many):
            self._require(target, shape)
            arguments = sources(type_.fields[nodes[0].name.value], nodes[0], self.variables)
            listing = self.listing(relation, f"{type_.name}.{nodes[0].name.value}", arguments)
            return below(self, listing, named, nodes, rows.c.id, rows)
        theirs = target.rows
        if isinstance(relation, Tally):
            self._require(target, shape)
            counts = {key: func.count().filter(condition(theirs)) for key, condition in relation.counts.items()}
            seen = target.seen_by.condition(theirs, self.sight)
            built = joined(document(self.selections, counts, named, nodes))
            counted = select(built).where(theirs.c[relation.by] == rows.c.id, seen)
            # One row, even where directives left no count to be asked for.
            return counted.having(func.count() >= 0).correlate(rows).scalar_subquery()
        seen_by = target.seen_by
        if isinstance(relation, One):
            if relation.as_of is not None:
                raise NoPlan("a row as it stood")
            seen_by = relation.seen_by or seen_by
            # What all rows of a list point at is looked up once for all of them.
            conditions = [theirs.c.id == self.held.get(rows, {}).get(relation.by, rows.c[relation.by])]
        else:
            assert isinstance(relation, Only)
            conditions = [theirs.c[relation.by] == rows.c.id, relation.where(theirs)]
        if seen_by is target.seen_by:
            self._require(target, shape)
        conditions.append(seen_by.condition(theirs, self.sight))

        def selected(value: ColumnElement[Any]) -> ScalarSelect[Any]:
            return select(value).select_from(theirs).where(*conditions).correlate(rows).scalar_subquery()

        built = joined(self.object(target, named, nodes, theirs))
        told = selected(built)
        if self.versions is not None:
            self.versions.nest_one(told, self.versions.name(theirs, built), selected)
        return func.coalesce(told, NULL)

    def _require(self, target: Shape, origin: Shape) -> None:
        """Leave to the reference way what this viewer may see in some organizations only, or not at all."""
        wanted, had = target.seen_by.permission, origin.seen_by.permission
        if wanted is None or self.sight.everywhere:
            return
        ordinary = READS[:3]
        if wanted not in ordinary or self.sight.reach(wanted) is Reach.NOWHERE:
            raise NoPlan("what not everybody may see")
        if had in ordinary and self.sight.reach(had) is not self.sight.reach(wanted):
            raise NoPlan("what this credential may not see")


def _list_arguments(many: Many, arguments: Mapping[str, Source], variables: Variables) -> ListArguments:
    now = {name: source(variables) for name, source in arguments.items()}
    order = now.get("order_by")
    return ListArguments(
        page={name: now[name] for name in ("first", "after", "last", "before") if now.get(name) is not None},
        filters=_filters(many, now),
        order_field=order["field"] if order else None,
        descending=not order or order["direction"] == "DESC",
    )


def _filters(many: Many, now: Mapping[str, Any]) -> dict[str, Any]:
    named = {snake(name): value for name, value in (now.get("filter") or {}).items()}
    return named | {name: value for name, value in now.items() if name in many.filters}


def _rebinding(listing: Listing, arguments: Mapping[str, Source]) -> Binder:
    ends = [end for end in ("after", "before") if listing.cut is not None and getattr(listing.cut, end) is not None]
    asked = {name: source for name, source in arguments.items() if name in {*ends, "filter", *listing.many.filters}}

    def bind(variables: Variables, values: dict[str, Any]) -> None:
        now = {name: source(variables) for name, source in asked.items()}
        filters = _filters(listing.many, now)
        present = {key: chosen.value(filters[key]) for key, chosen in listing.filters.items()}
        values |= {listing.filter_name(key): value for key, value in present.items()}
        again = listing
        if listing.ranking is not None:
            again = listing.asked_again(present)
            values |= again.seal
        for end in ends:
            values |= again.places(now[end], end)

    return bind
