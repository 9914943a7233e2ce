"""The families of conventions that are mined: a new one is a file and a line here."""

from hashlib import sha256

from app.miners import (
    caught_names,
    changelog_fragments,
    crates,
    data_models,
    declared,
    decorators,
    doc_comments,
    error_handling,
    export_forms,
    feature_folders,
    file_affixes,
    file_case,
    formatting,
    front_matter,
    go_types,
    guides,
    handler_names,
    headers,
    idioms,
    import_aliases,
    import_forms,
    import_order,
    import_types,
    index_files,
    inner_imports,
    layering,
    line_lengths,
    line_templates,
    log_style,
    manifests,
    name_forms,
    own_names,
    own_wrappers,
    passed_arguments,
    preferred_libraries,
    python_modules,
    raised_errors,
    remarks,
    result_types,
    sequences,
    set_values,
    taken_names,
    test_files,
    test_style,
    twins,
    type_forms,
    typed_names,
    workflows,
    wrapped_arguments,
)
from app.miners.classes import bases as class_bases
from app.miners.classes import names as class_names
from app.miners.classes import places as class_places
from app.miners.classes import shapes as class_shapes
from app.miners.core.family import Facts, Family
from app.miners.idioms import access, failures, records, rust_style, testing, waits, wording
from app.syntax import Source, Unreadable

FAMILIES: tuple[Family, ...] = (
    line_templates.FAMILY,
    log_style.FAMILY,
    file_case.FAMILY,
    handler_names.FAMILY,
    headers.FAMILY,
    idioms.FAMILY,
    access.FAMILY,
    waits.FAMILY,
    testing.FAMILY,
    failures.FAMILY,
    records.FAMILY,
    wording.FAMILY,
    rust_style.FAMILY,
    formatting.FAMILY,
    front_matter.FAMILY,
    go_types.FAMILY,
    guides.FAMILY,
    file_affixes.FAMILY,
    caught_names.FAMILY,
    changelog_fragments.FAMILY,
    crates.FAMILY,
    class_bases.FAMILY,
    class_names.FAMILY,
    class_places.FAMILY,
    class_shapes.FAMILY,
    data_models.FAMILY,
    declared.FAMILY,
    decorators.FAMILY,
    error_handling.FAMILY,
    export_forms.FAMILY,
    feature_folders.FAMILY,
    name_forms.FAMILY,
    raised_errors.FAMILY,
    remarks.FAMILY,
    result_types.FAMILY,
    result_types.TESTS,
    sequences.FAMILY,
    taken_names.FAMILY,
    set_values.FAMILY,
    doc_comments.FAMILY,
    import_aliases.FAMILY,
    import_forms.FAMILY,
    import_order.FAMILY,
    import_types.FAMILY,
    index_files.FAMILY,
    inner_imports.FAMILY,
    layering.FAMILY,
    line_lengths.FAMILY,
    manifests.FAMILY,
    own_names.FAMILY,
    own_wrappers.FAMILY,
    passed_arguments.FAMILY,
    preferred_libraries.FAMILY,
    python_modules.FAMILY,
    test_files.FAMILY,
    test_style.FAMILY,
    twins.FAMILY,
    type_forms.FAMILY,
    typed_names.FAMILY,
    workflows.FAMILY,
    wrapped_arguments.FAMILY,
)


BY_NAME = {family.name: family for family in FAMILIES}


def extractor_version(families: tuple[Family, ...] = FAMILIES) -> str:
    """Name the facts that these families take: kept facts of another name are of no use."""
    told = " ".join(f"{family.name}={family.version}" for family in sorted(families, key=lambda each: each.name))
    return sha256(told.encode()).hexdigest()[:12]


def facts_of(source: Source, families: tuple[Family, ...] = FAMILIES, *, strict: bool = False) -> dict[str, object]:
    """Take the facts of one file for every family that speaks of its language.

    What one family cannot cope with costs its own facts of that file, unless who asks is strict.
    """
    found: dict[str, object] = {}
    for family in families:
        if family.languages is None or source.language in family.languages:
            try:
                facts = family.facts(source)
            except Unreadable:
                raise
            except Exception:
                if strict:
                    raise
                continue
            if facts is not None:
                found[family.name] = facts
    return found


__all__ = ["FAMILIES", "Facts", "Unreadable", "extractor_version", "facts_of"]
