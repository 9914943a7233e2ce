"""What lints of rustc and clippy, and settings of rustfmt, want of crates."""

YES, NO = "chosen", "other"
_RUST = ("Rust",)
_Answer = tuple[str, str, str, tuple[str, ...]]


def _idiom(question: str, answer: str = YES) -> _Answer:
    return ("idioms", question, answer, _RUST)


def _style(question: str, answer: str = YES) -> _Answer:
    return ("rust-style", question, answer, _RUST)


_QUIET: _Answer = ("log-style", "print", "silent", _RUST)

# These look at what leaves the crate, which no file tells of itself, or take more than one way.
ROUGHLY = frozenset(("exhaustive_enums", "missing_debug_implementations", "missing_docs", "missing_errors_doc"))
COMMAS = _style("commas of arms")
GRANULARITY = {
    "Crate": (_style("modules of std"),),
    "Module": (_idiom("merged imports"), _style("modules of std", NO)),
    "Item": (_idiom("single imports"),),
}
LINTS: dict[str, tuple[_Answer, ...]] = {
    "allow_attributes": (_idiom("expected lints"),),
    "allow_attributes_without_reason": (_idiom("reasons of lints"),),
    "dbg_macro": (_idiom("printed"),),
    "disallowed-names": (_style("caught errors"),),
    "default_trait_access": (_idiom("defaults"),),
    "enum_glob_use": (_idiom("whole modules"),),
    "exhaustive_enums": (("error-idioms", "open", YES, _RUST),),
    "elided_lifetimes_in_paths": (_style("written lifetimes"),),
    "impl_trait_in_params": (_idiom("accepted values", NO), _style("given functions", NO)),
    "manual_let_else": (_idiom("let else"),),
    "map_err_ignore": (("error-idioms", "mapped", YES, _RUST),),
    "missing_debug_implementations": (("data-models", "derive Debug", "set", _RUST),),
    "missing_docs": (
        ("doc-comments", "function_item", "documented", _RUST),
        ("doc-comments", "struct_item", "documented", _RUST),
        _style("told fields"),
        _style("told variants"),
    ),
    "missing_errors_doc": (_idiom("told errors"),),
    "missing_safety_doc": (_idiom("told safety"),),
    "mod_module_files": (("index-files", "module", "beside", _RUST),),
    "print_stderr": (_QUIET,),
    "print_stdout": (_QUIET,),
    "ref_patterns": (_idiom("references"),),
    "return_self_not_must_use": (("record-idioms", "must use", YES, _RUST),),
    "rust_2018_idioms": (_style("written lifetimes"),),
    "self_named_module_files": (("index-files", "module", "mod", _RUST),),
    "std_instead_of_alloc": (_style("core of std"),),
    "std_instead_of_core": (_style("core of std"),),
    "str_to_string": (_idiom("owned texts"),),
    "todo": (_idiom("printed"),),
    "undocumented_unsafe_blocks": (_idiom("safety"),),
    "unimplemented": (_idiom("printed"),),
    "uninlined_format_args": (_idiom("inline values"),),
    "unreadable_literal": (_style("long numbers"),),
    "unsafe_code": (_idiom("unsafe"),),
    "unwrap_used": (("error-handling", "unwrap", "none", _RUST),),
    "use_self": (_idiom("constructors"), _style("built selves"), _style("own variants")),
    "wildcard_imports": (_idiom("whole modules"),),
}

# What a whole group of clippy's asks for, of what is asked about here; some of it is left out by whoever takes a group.
_RESTRICTION = (
    "allow_attributes allow_attributes_without_reason dbg_macro map_err_ignore print_stderr print_stdout ref_patterns "
    "str_to_string todo undocumented_unsafe_blocks unimplemented unwrap_used"
)
_PEDANTIC = "manual_let_else missing_errors_doc return_self_not_must_use unreadable_literal wildcard_imports"
GROUPS = {"restriction": _RESTRICTION.split(), "pedantic": _PEDANTIC.split(), "nursery": ["use_self"]}
