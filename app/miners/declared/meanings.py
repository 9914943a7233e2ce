"""What settings mean: the question that a family asks, and the answer that the setting wants."""

import re
from collections.abc import Iterator

from app.miners.declared.crates import COMMAS, GRANULARITY, LINTS
from app.miners.declared.reading import Setting

Answer = tuple[str, str, str, tuple[str, ...]]
"""A family, its question, the answer, and the languages."""

_JS, _TS, _BOTH = ("JavaScript",), ("TypeScript",), ("JavaScript", "TypeScript")
_PY, _GO, _JAVA = ("Python",), ("Go",), ("Java",)
YES, NO = "chosen", "other"


def _idiom(question: str, tongues: tuple[str, ...], answer: str = YES) -> Answer:
    return ("idioms", question, answer, tongues)


_CODES: dict[str, tuple[Answer, ...]] = {
    "T201": (("log-style", "print", "silent", _PY),),
    "TC001": (("import-types", "types", "type", _PY),),
    "TCH001": (("import-types", "types", "type", _PY),),
    "F403": (_idiom("star imports", _PY),),
    "UP006": (("type-forms", "generic", "new", _PY),),
    "UP007": (("type-forms", "union", "bar", _PY), ("type-forms", "optional", "bar", _PY)),
    "UP008": (_idiom("super", _PY),),
    "D100": (("doc-comments", "module", "documented", _PY),),
    "D101": (("doc-comments", "class_definition", "documented", _PY),),
    "D103": (("doc-comments", "function_definition", "documented", _PY),),
    "D400": (("doc-comments", "full stop", "stop", _PY),),
    "D212": (("doc-comments", "opening", "same line", _PY),),
    "D213": (("doc-comments", "opening", "next line", _PY),),
    "B904": (("error-handling", "cause", "from", _PY),),
    "BLE001": (("error-handling", "specific", "specific", _PY),),
    "PT001": (_idiom("fixture parentheses", _PY),),
    "PT006": (("test-style", "parametrize", "tuple", _PY),),
    "PT007": (_idiom("parametrized", _PY),),
    "G004": (("log-style", "message", "lazy", _PY),),
    "COM812": (_idiom("trailing comma", _PY),),
    "ANN201": (("type-forms", "returns", "annotated", _PY),),
    "S101": (_idiom("asserts", _PY),),
    "PGH003": (_idiom("ignored types", _PY),),
    "PGH004": (_idiom("ignored lints", _PY),),
    "RSE102": (_idiom("raised classes", _PY),),
    "DTZ005": (_idiom("time zones", _PY),),
    "Q000": (("formatting", "quotes", '"', _PY),),
    "N818": (("class-names", "error", "…Error", _PY),),
    "EM101": (_idiom("messages first", _PY),),
    "FA102": (("python-modules", "future", "annotations", _PY),),
}
"""Rules of ruff, and of flake8 with its plugins."""

_OLD = ("py37", "py38", "py39")
_STYLES = {"PT001": "fixture-parentheses", "PT006": "parametrize-names-type", "PT007": "parametrize-values-type"}
_STYLED = {("PT001", "true"): NO, ("PT006", "csv"): "string", ("PT006", "list"): "list", ("PT007", "tuple"): NO}

_ESLINT: dict[str, tuple[Answer, ...]] = {
    "eqeqeq": (_idiom("equality", _BOTH),),
    "no-var": (_idiom("var", _BOTH),),
    "curly": (_idiom("braces", _BOTH),),
    "no-console": (("log-style", "print", "silent", _BOTH),),
    "no-process-exit": (_idiom("exits", _BOTH),),
    "prefer-object-has-own": (_idiom("own keys", _BOTH),),
    "prefer-object-spread": (_idiom("copies", _BOTH),),
    "no-namespace": (_idiom("whole modules", _BOTH),),
    "prefer-await-to-then": (_idiom("promises", _BOTH),),
    "no-array-for-each": (_idiom("loops", _BOTH),),
    "prefer-node-protocol": (("import-forms", "builtin", "node", _BOTH),),
    "no-default-export": (("export-forms", "default", "named", _BOTH),),
    "no-explicit-any": (_idiom("any", _TS),),
    "no-non-null-assertion": (_idiom("asserted values", _TS),),
    "prefer-ts-expect-error": (_idiom("expected errors", _TS),),
    "ban-ts-comment": (_idiom("expected errors", _TS),),
    "explicit-function-return-type": (("type-forms", "returns", "annotated", _TS),),
    "explicit-member-accessibility": (("type-forms", "access", "said", _TS),),
    "consistent-type-imports": (("import-types", "types", "type", _TS),),
    "no-require-imports": (("import-forms", "loading", "import", _BOTH),),
    "strict": (_idiom("strict", _JS),),
    "no-empty": (("wording", "silent handlers", YES, _BOTH),),
    "prefer-template": (_idiom("joined texts", _BOTH),),
    "prefer-arrow-callback": (_idiom("callbacks", _BOTH),),
    "require-jsdoc": (_idiom("documented functions", _JS),),
    "no-types": (_idiom("types of comments", _TS),),
    "no-mocha-arrows": (("test-idioms", "callbacks", NO, _BOTH),),
}
"""Rules of eslint that have one meaning, by their last part."""

_BIOME: dict[str, tuple[Answer, ...]] = {
    "noExplicitAny": _ESLINT["no-explicit-any"],
    "noNonNullAssertion": _ESLINT["no-non-null-assertion"],
    "noVar": _ESLINT["no-var"],
    "noDoubleEquals": _ESLINT["eqeqeq"],
    "noForEach": _ESLINT["no-array-for-each"],
    "noDefaultExport": _ESLINT["no-default-export"],
    "noConsole": _ESLINT["no-console"],
    "noConsoleLog": _ESLINT["no-console"],
    "useBlockStatements": _ESLINT["curly"],
    "useNodejsImportProtocol": _ESLINT["prefer-node-protocol"],
    "useImportType": _ESLINT["consistent-type-imports"],
    "useConsistentArrayType": (("type-forms", "array", "brackets", _TS),),
    "noNamespaceImport": _ESLINT["no-namespace"],
    "noConstEnum": (_idiom("constant enums", _TS, NO),),
}

_WAIVED: dict[str, tuple[Answer, ...]] = {
    **{name: _ESLINT[name] for name in ("no-explicit-any", "no-non-null-assertion", "no-console", "prefer-template")},
    **{name: _BIOME[name] for name in ("noExplicitAny", "noNonNullAssertion", "noForEach", "noConsole")},
    "useTemplate": _ESLINT["prefer-template"],
}
"""What nobody asks for where one of these is switched off; of looks, formatters may have taken over."""

_GOLANGCI: dict[str, tuple[Answer, ...]] = {
    "errorlint": (("error-handling", "verb", "%w", _GO), _idiom("compared errors", _GO)),
    "perfsprint": (_idiom("plain errors", _GO),),
    "err113": (("error-handling", "verb", "%w", _GO),),
    "use-any": (_idiom("any", _GO),),
    "modernize": (_idiom("any", _GO),),
    "godot": (("doc-comments", "full stop", "stop", _GO),),
    "usetesting": (_idiom("temporary folders", _GO), _idiom("test environment", _GO)),
    "tenv": (_idiom("test environment", _GO),),
    "paralleltest": (("test-style", "parallel", "parallel", _GO),),
    "testpackage": (_idiom("outside tests", _GO),),
    "wrapcheck": (("error-handling", "wrapped", "wrapped", _GO),),
    "receiver-naming": (_idiom("receivers", _GO),),
    "error-naming": (_idiom("sentinels", _GO),),
    "errname": (_idiom("sentinels", _GO), _idiom("error types", _GO)),
    "nolintlint": (_idiom("silenced lints", _GO),),
    "context-as-argument": (_idiom("first contexts", _GO),),
    # What it asks for unless it is told which of its rules.
    "revive": (_idiom("first contexts", _GO), ("wording", "error texts", YES, _GO)),
    "gochecknoinits": (_idiom("init functions", _GO),),
    "forcetypeassert": (_idiom("checked types", _GO),),
    "noctx": (_idiom("request contexts", _GO),),
    "usestdlibvars": (_idiom("request methods", _GO),),
    "testifylint": (("test-idioms", "required", YES, _GO),),
    "thelper": (("test-idioms", "helpers", "chosen", _GO),),
    "no prints": (("log-style", "print", "silent", _GO),),
    "deep-exit": (_idiom("exits", _GO),),
    "error-strings": (("wording", "error texts", YES, _GO),),
    "stylecheck": (("wording", "error texts", YES, _GO),),
    "exported": (
        ("doc-comments", "function_declaration", "documented", _GO),
        ("doc-comments", "type_declaration", "documented", _GO),
    ),
}

# Those that are linters and no rules of one.
_LINTERS = frozenset(
    re.findall(
        r"\w+",
        "err113 errname errorlint forcetypeassert godot modernize noctx nolintlint paralleltest perfsprint revive "
        "testifylint testpackage thelper usestdlibvars usetesting wrapcheck",
    )
)

_CHECKSTYLE: dict[str, tuple[Answer, ...]] = {
    "AvoidStarImport": (("import-forms", "wildcards", "single", _JAVA),),
    "NeedBraces": (_idiom("braces", _JAVA),),
    "FinalParameters": (_idiom("final parameters", _JAVA),),
    "FinalLocalVariable": (_idiom("final variables", _JAVA),),
    "FinalClass": (),
    "EmptyCatchBlock": (("wording", "silent handlers", YES, _JAVA),),
    "IllegalCatch": (("error-handling", "specific", "specific", _JAVA),),
    "MissingJavadocType": (("doc-comments", "class_declaration", "documented", _JAVA),),
    "JavadocType": (("doc-comments", "class_declaration", "documented", _JAVA),),
    "MissingJavadocMethod": (("doc-comments", "method_declaration", "documented", _JAVA),),
    "SpringLambda": (_idiom("lambda parentheses", _JAVA),),
    "SpringTernary": (_idiom("ternary conditions", _JAVA),),
    "SpringChecks": (
        _idiom("lambda parentheses", _JAVA),
        _idiom("ternary conditions", _JAVA),
        ("formatting", "else", "own", _JAVA),
        ("test-idioms", "answers", YES, _JAVA),
    ),
    "SpringJUnit5": (("test-style", "visible", "package", _JAVA),),
}

_SUFFIXES = {
    "py": "Python",
    "js": "JavaScript",
    "jsx": "JavaScript",
    "mjs": "JavaScript",
    "ts": "TypeScript",
    "tsx": "TypeScript",
    "java": "Java",
}


def waived_by(setting: Setting) -> tuple[Answer, ...]:
    """List the answers that nobody asks for, because the rule that would is switched off."""
    return _WAIVED.get(setting[1], ()) if setting[0] == "off" else ()


def answers_of(setting: Setting, settings: list[Setting]) -> Iterator[Answer]:
    """Tell which answers a setting wants; `settings` are all of its file."""
    tool, key, value, _ = setting
    match tool:
        case "isort":
            yield _idiom("single imports", _PY)
        case "ruff" | "flake8" if key == "select":
            yield from _coded(tool, value, settings)
        case "black":
            if key != "plain":
                yield ("formatting", "quotes", '"' if key == "quotes" else "'", _PY)
            if key == "quotes":
                yield _idiom("trailing comma", _PY)
        case "mypy":
            yield ("type-forms", "returns", "annotated", _PY) if key == "annotated" else _idiom("ignored types", _PY)
        case "eslint":
            yield from _eslint(key, value)
        case "standard":
            yield from _standard(value)
        case "airbnb":
            yield from (("formatting", "quotes", "'", _BOTH), ("formatting", "ends", ";", _BOTH))
            yield from (("formatting", "indent", "2 spaces", _BOTH), _idiom("var", _BOTH), _idiom("equality", _BOTH))
            yield _idiom("trailing comma", _BOTH)
        case "prettier":
            yield from _prettier(key, value)
        case "biome":
            yield from _BIOME.get(key, ())
            yield from _biome(key, value)
        case "golangci" if key == "all":
            off = {said for name, each, said, _ in settings if (name, each) == ("golangci", "off")}
            for linter in sorted(_LINTERS - off):
                yield from _GOLANGCI[linter]
        case "golangci":
            yield from _GOLANGCI.get(key, ())
        case "checkstyle":
            yield from _checkstyle(key, value)
        case "google-java-format":
            yield ("formatting", "indent", "4 spaces" if key == "aosp" else "2 spaces", _JAVA)
            yield ("import-forms", "wildcards", "single", _JAVA)
        case "clippy" | "rustc":
            yield from LINTS.get(key, ())
        case "rustfmt" if key == "hard_tabs" and value == "True":
            yield ("formatting", "indent", "tabs", ("Rust",))
        case "rustfmt" if key == "tab_spaces" and value == "2":
            yield ("formatting", "indent", "2 spaces", ("Rust",))
        case "rustfmt" if key == "match_block_trailing_comma" and value == "True":
            yield COMMAS
        case "rustfmt":
            yield from GRANULARITY.get(value, ())
        case "tsconfig":
            yield from _ESLINT["consistent-type-imports"]
        case "editorconfig":
            yield from _editorconfig(key, value, settings)


def _coded(tool: str, code: str, settings: list[Setting]) -> Iterator[Answer]:
    ignored = [value for name, key, value, _ in settings if name == tool and key == "ignore"]
    conventions = {value for name, key, value, _ in settings if (name, key) == (tool, "convention")}
    for full, answers in _CODES.items():
        if code != "ALL" and not full.startswith(code):
            continue
        # These exclude each other: who asks for all gets the one that the convention has, if any.
        if not code.startswith("D2") and (full == "D213" or (full == "D212" and "google" not in conventions)):
            continue
        # It is asked for only where the oldest interpreter cannot read annotations of today.
        if full == "FA102" and not any(key == "target-version" and value in _OLD for _, key, value, _ in settings):
            continue
        # A group such as "D" is more than a pair of letters that happen to begin another code.
        if code != "ALL" and re.fullmatch(r"[A-Z]+", code) and not re.fullmatch(rf"{code}\d+", full):
            continue
        if not any(full.startswith(each) for each in ignored):
            yield from _styled(full, answers, settings)


def _styled(code: str, answers: tuple[Answer, ...], settings: list[Setting]) -> Iterator[Answer]:
    """Give the answers of a rule that may be told to want another than by default."""
    told = next((value for name, key, value, _ in settings if (name, key) == ("pytest-style", _STYLES.get(code))), "")
    for family, question, answer, tongues in answers:
        yield family, question, _STYLED.get((code, told), answer), tongues


def _eslint(key: str, value: str) -> Iterator[Answer]:
    name = key.rpartition("\t")[2].rpartition("/")[2]
    if name == "no-empty" and "allowEmptyCatch" in value:
        return
    yield from _ESLINT.get(name, ())
    word = next(iter(re.findall(r"['\"]?([\w-]+)['\"]?", value)), "")
    match name:
        case "semi":
            yield ("formatting", "ends", "none" if word == "never" else ";", _BOTH)
        case "quotes" if word in ("single", "double", ""):
            yield ("formatting", "quotes", "'" if word == "single" else '"', _BOTH)
        case "jsx-quotes" if word == "prefer-single":
            yield ("formatting", "attributes", "'", _TS)
        case "indent" if word in ("2", "4", "tab"):
            yield ("formatting", "indent", "tabs" if word == "tab" else f"{word} spaces", _BOTH)
        case "brace-style" if word in ("", "1tbs", "stroustrup"):
            yield ("formatting", "else", "own" if word == "stroustrup" else "same", _BOTH)
        case "arrow-parens":
            yield _idiom("arrow parentheses", _BOTH, NO if word == "as-needed" else YES)
        case "comma-dangle":
            never = word == "never" or (word not in ("always", "always-multiline") and "'never'" in value)
            yield _idiom("trailing comma", _BOTH, NO if never or not value else YES)
        case "object-curly-spacing" if word in ("always", "never"):
            yield _idiom("spaced braces", _BOTH, NO if word == "never" else YES)
        case "space-before-function-paren":
            if word in ("", "always"):
                yield _idiom("space before parameters", _BOTH)
            tight = word == "never" or re.search(r"anonymous\W+never", value) is not None
            yield _idiom("space of nameless functions", _BOTH, NO if tight else YES)
        case "eqeqeq" if re.search(r"null\W+never", value):
            yield _idiom("nothing at all", _BOTH)
        case "consistent-type-definitions":
            yield ("type-forms", "object", "type" if word == "type" else "interface", _TS)
        case "consistent-type-imports" if "inline" in value:
            yield ("import-types", "mixed", "inline", _TS)
        case "array-type":
            yield ("type-forms", "array", "generic" if "generic" in value else "brackets", _TS)
        case "consistent-test-it" | "prefer-test":
            found = re.search(r"\bfn\W+(it|test)\b", value)
            yield ("test-style", "call", found.group(1) if found else "test", _BOTH)
        case "filename-case":
            found = re.search(r"\b(kebab|camel|snake|pascal)Case", value)
            case = {"camel": "camelCase", "snake": "snake_case", "pascal": "PascalCase"}
            yield ("file-case", "case", case.get(found.group(1) if found else "", "kebab-case"), _BOTH)
        case "extensions" if word in ("always", "never", "ignorePackages"):
            yield ("import-forms", "extension", "bare" if word == "never" else "extension", _BOTH)
        case "func-style" if word in ("declaration", "expression"):
            yield ("export-forms", "function", "function" if word == "declaration" else "const", _BOTH)


def _standard(value: str) -> Iterator[Answer]:
    yield ("formatting", "ends", ";" if value == "semi" else "none", _BOTH)
    yield ("formatting", "quotes", "'", _BOTH)
    yield ("formatting", "indent", "2 spaces", _BOTH)
    yield _idiom("equality", _BOTH)
    yield _idiom("var", _BOTH)
    yield _idiom("space before parameters", _BOTH)
    yield _idiom("space of nameless functions", _BOTH)


def _prettier(key: str, value: str) -> Iterator[Answer]:
    match key, value:
        case "semi", _:
            yield ("formatting", "ends", "none" if value == "false" else ";", _BOTH)
        case "jsxSingleQuote", "true":
            yield ("formatting", "attributes", "'", _TS)
        case "singleQuote", _:
            yield ("formatting", "quotes", "'" if value == "true" else '"', _BOTH)
        case "tabWidth", ("2" | "4"):
            yield ("formatting", "indent", f"{value} spaces", _BOTH)
        case "useTabs", "true":
            yield ("formatting", "indent", "tabs", _BOTH)
        case "trailingComma", _:
            yield _idiom("trailing comma", _BOTH, NO if value == "none" else YES)
        case "arrowParens", _:
            yield _idiom("arrow parentheses", _BOTH, NO if value == "avoid" else YES)


def _biome(key: str, value: str) -> Iterator[Answer]:
    match key, value:
        case "semicolons", _:
            yield ("formatting", "ends", "none" if value == "asNeeded" else ";", _BOTH)
        case "quoteStyle", _:
            yield ("formatting", "quotes", "'" if value == "single" else '"', _BOTH)
        case "indentStyle", "tab":
            yield ("formatting", "indent", "tabs", _BOTH)
        case "indentWidth", ("2" | "4"):
            yield ("formatting", "indent", f"{value} spaces", _BOTH)
        case "trailingCommas", _:
            yield _idiom("trailing comma", _BOTH, NO if value == "none" else YES)
        case "arrowParentheses", _:
            yield _idiom("arrow parentheses", _BOTH, NO if value == "asNeeded" else YES)


def _checkstyle(key: str, value: str) -> Iterator[Answer]:
    yield from _CHECKSTYLE.get(key, ())
    if key == "Indentation" and value in ("2", "4"):
        yield ("formatting", "indent", f"{value} spaces", _JAVA)
    if key.startswith("Regexp") and "@author" in value:
        yield _idiom("authors", _JAVA)
    if key.startswith("Regexp") and "System" in value:
        yield ("log-style", "print", "silent", _JAVA)


def _editorconfig(key: str, value: str, settings: list[Setting]) -> Iterator[Answer]:
    section, _, name = key.partition("\t")
    if name not in ("indent_style", "indent_size"):
        return
    told = {each: said for tool, each, said, _ in settings if tool == "editorconfig"}
    style = told.get(f"{section}\tindent_style", told.get("*\tindent_style", "space"))
    if (name == "indent_style") != (style == "tab"):
        return
    form = "tabs" if style == "tab" else f"{value} spaces"
    spoken = {_SUFFIXES[word] for word in re.findall(r"\w+", section) if word in _SUFFIXES}
    if section == "*":
        own = {
            _SUFFIXES[word]
            for each in told
            for word in re.findall(r"\w+", each.partition("\t")[0])
            if word in _SUFFIXES
        }
        spoken = {"JavaScript", "TypeScript", "Java"} - own
    if form in ("tabs", "2 spaces", "4 spaces") and spoken:
        yield ("formatting", "indent", form, tuple(sorted(spoken)))
