"""Which language a file is written in: by its name, its suffix or its first line, with the names that linguist uses."""

import re

_SUFFIXES = {
    "Ada": ".adb .ads",
    "Assembly": ".asm .nasm",
    "Astro": ".astro",
    "Batchfile": ".bat .cmd",
    "C": ".c .h",
    "C#": ".cs .csx",
    "C++": ".cc .cpp .cxx .c++ .hh .hpp .hxx .h++ .inl .ipp .tpp",
    "CMake": ".cmake",
    "COBOL": ".cbl .cob",
    "CSS": ".css",
    "CSV": ".csv .tsv",
    "Clojure": ".clj .cljs .cljc .edn",
    "CoffeeScript": ".coffee",
    "Crystal": ".cr",
    "Cuda": ".cu .cuh",
    "Cython": ".pyx .pxd .pxi",
    "D": ".d",
    "Dart": ".dart",
    "Dockerfile": ".dockerfile .containerfile",
    "EJS": ".ejs",
    "Elixir": ".ex .exs",
    "Elm": ".elm",
    "Erlang": ".erl .hrl",
    "F#": ".fs .fsi .fsx",
    "Fortran": ".f .f77 .f90 .f95 .f03 .for",
    "GLSL": ".glsl .vert .frag .geom",
    "Gherkin": ".feature",
    "Go": ".go",
    "GraphQL": ".graphql .gql .graphqls",
    "Groovy": ".groovy .gvy",
    "HCL": ".hcl .tf .tfvars",
    "HTML": ".html .htm .xhtml",
    "Handlebars": ".hbs .handlebars",
    "Haskell": ".hs .lhs",
    "INI": ".ini .cfg .prefs",
    "JSON": ".json .json5 .jsonc .jsonl .ndjson .geojson .webmanifest .avsc .har",
    "Java": ".java",
    "Java Properties": ".properties",
    "JavaScript": ".js .cjs .mjs .jsx .es6",
    "Jinja": ".j2 .jinja .jinja2",
    "Julia": ".jl",
    "Jupyter Notebook": ".ipynb",
    "Kotlin": ".kt .kts .ktm",
    "Less": ".less",
    "Liquid": ".liquid",
    "Lua": ".lua",
    "MATLAB": ".matlab",
    "MDX": ".mdx",
    "Makefile": ".mk .mak",
    "Markdown": ".md .markdown .mdown",
    "Nim": ".nim .nims",
    "Nix": ".nix",
    "OCaml": ".ml .mli",
    "Objective-C": ".m",
    "Objective-C++": ".mm",
    "PHP": ".php .phtml .php5",
    "PLSQL": ".pls .pkb .pks",
    "Pascal": ".pas .dpr",
    "Perl": ".pl .pm .t",
    "PowerShell": ".ps1 .psm1 .psd1",
    "Prisma": ".prisma",
    "Protocol Buffer": ".proto",
    "Pug": ".pug .jade",
    "PureScript": ".purs",
    "Python": ".py .pyi .pyw",
    "R": ".r",
    "Racket": ".rkt",
    "Ruby": ".rb .rake .gemspec .ru .podspec",
    "Rust": ".rs",
    "SCSS": ".scss",
    "SQL": ".sql .ddl .dml",
    "SVG": ".svg",
    "Sass": ".sass",
    "Scala": ".scala .sbt .sc",
    "Scheme": ".scm",
    "Shell": ".sh .bash .zsh .ksh .fish .bats",
    "Smarty": ".tpl",
    "Solidity": ".sol",
    "Starlark": ".bzl .star .bazel",
    "Stylus": ".styl",
    "Svelte": ".svelte",
    "Swift": ".swift",
    "SystemVerilog": ".sv .svh",
    "TOML": ".toml",
    "TSX": ".tsx",
    "Tcl": ".tcl",
    "TeX": ".tex .sty .cls .bib",
    "Text": ".txt",
    "Thrift": ".thrift",
    "Twig": ".twig",
    "TypeScript": ".ts .cts .mts",
    "VHDL": ".vhd .vhdl",
    "Verilog": ".v .vh",
    "Vim Script": ".vim",
    "Visual Basic .NET": ".vb",
    "Vue": ".vue",
    "WebAssembly": ".wat .wast",
    "XML": ".xml .xsd .xsl .xslt .wsdl .plist .csproj .vbproj .fsproj .props .targets .resx .xlf .pom .storyboard .xib",
    "YAML": ".yaml .yml",
    "Zig": ".zig",
    "reStructuredText": ".rst",
    "AsciiDoc": ".adoc .asciidoc",
    "Dotenv": ".env",
}
BY_SUFFIX = {suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}

_NAMES = {
    "CMake": "CMakeLists.txt",
    "Dockerfile": "Dockerfile Containerfile",
    "Dotenv": ".env",
    "Go Checksums": "go.sum go.work.sum",
    "Go Module": "go.mod go.work",
    "Groovy": "Jenkinsfile",
    "INI": ".editorconfig .gitconfig .npmrc .pylintrc .flake8 .coveragerc",
    "Ignore List": ".gitignore .dockerignore .npmignore .eslintignore .prettierignore .gitattributes",
    "JSON": ".babelrc .eslintrc .prettierrc .jshintrc .swcrc composer.lock flake.lock Pipfile.lock .nycrc",
    "JavaScript": "Jakefile",
    "Just": "justfile Justfile .justfile",
    "Makefile": "Makefile makefile GNUmakefile",
    "Python": "SConstruct SConscript wscript",
    "Ruby": "Rakefile Gemfile Guardfile Vagrantfile Podfile Fastfile Brewfile Capfile Dangerfile",
    "Shell": ".bashrc .bash_profile .profile .zshrc .envrc PKGBUILD gradlew",
    "Starlark": "BUILD WORKSPACE Tiltfile",
    "TOML": "Cargo.lock poetry.lock Pipfile uv.lock pdm.lock",
    "Text": "LICENSE COPYING NOTICE AUTHORS CODEOWNERS README CHANGELOG",
    "YAML": ".clang-format .clang-tidy yarn.lock .yamllint",
}
BY_NAME = {name: language for language, names in _NAMES.items() for name in names.split()}

_INTERPRETERS = {
    "bash": "Shell",
    "sh": "Shell",
    "zsh": "Shell",
    "dash": "Shell",
    "ksh": "Shell",
    "fish": "Shell",
    "python": "Python",
    "pypy": "Python",
    "uv": "Python",
    "node": "JavaScript",
    "nodejs": "JavaScript",
    "deno": "TypeScript",
    "bun": "TypeScript",
    "tsx": "TypeScript",
    "ruby": "Ruby",
    "jruby": "Ruby",
    "perl": "Perl",
    "php": "PHP",
    "lua": "Lua",
    "luajit": "Lua",
    "Rscript": "R",
    "julia": "Julia",
    "groovy": "Groovy",
    "elixir": "Elixir",
    "escript": "Erlang",
    "runhaskell": "Haskell",
    "ocaml": "OCaml",
    "scala": "Scala",
    "swift": "Swift",
    "pwsh": "PowerShell",
    "awk": "Awk",
    "make": "Makefile",
    "tclsh": "Tcl",
    "racket": "Racket",
    "crystal": "Crystal",
}

PROSE = frozenset({"AsciiDoc", "MDX", "Markdown", "Text", "reStructuredText", "TeX"})
"""Languages that people read."""

DATA = frozenset(
    {
        "CSV",
        "Dotenv",
        "Go Checksums",
        "Go Module",
        "GraphQL",
        "INI",
        "Ignore List",
        "JSON",
        "Java Properties",
        "Protocol Buffer",
        "SQL",
        "SVG",
        "TOML",
        "Thrift",
        "XML",
        "YAML",
    }
)
"""Languages that hold data, or describe its shape; like prose, they do not count among a repository's languages."""

KNOWN = {language.lower(): language for language in {*BY_SUFFIX.values(), *BY_NAME.values(), *_INTERPRETERS.values()}}

# `#!/usr/bin/env -S A=b python3.11 -u` and its simpler forms; the version is no part of the name.
_SHEBANG = re.compile(
    rb"#!\s*(?:[^\s]*/)?(?:env(?:\s+-\S+|\s+[A-Za-z_]\w*=\S*)*\s+(?:[^\s]*/)?)?([A-Za-z]+?)(?:[\d.]*)(?:\s|$)"
)


def suffix_of(path: str) -> str:
    """Give the suffix of a path in small letters, with its dot; a dot at either end of the name begins none."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


def language_of(path: str) -> str | None:
    """Name the language of a path, where its name or suffix tells."""
    name = path.rpartition("/")[2]
    if found := BY_NAME.get(name):
        return found
    # Dockerfile.dev, Makefile.am, Jenkinsfile.release: a kind of the named file, unless the suffix is a language's.
    if found := BY_SUFFIX.get(suffix_of(name)):
        return found
    return BY_NAME.get(name.partition(".")[0]) if name[:1].isupper() else None


def language_in(path: str, head: bytes) -> str | None:
    """Name the language of a file by its path, or else by its first line."""
    named = language_of(path)
    if named is not None:
        return _told_apart(named, path, head)
    found = _SHEBANG.match(head[:200])
    return None if found is None else _INTERPRETERS.get(found[1].decode())


def language_named(name: str) -> str | None:
    """Find a language by the name that somebody gave it, with hyphens for spaces if they like."""
    return KNOWN.get(name.lower()) or KNOWN.get(name.lower().replace("-", " "))


_CPP = re.compile(
    rb"^\s*(?:class\s+\w+|namespace\s+\w+|template\s*<|using\s+\w+|#include\s*<\w+>|(?:public|private):)", re.M
)
_OBJECTIVE_C = re.compile(rb"^\s*(?:@(?:interface|protocol|property|import|class)\b|#import\b)", re.M)


def _told_apart(language: str, path: str, head: bytes) -> str:
    """Tell languages apart that share a suffix."""
    suffix = suffix_of(path)
    if suffix == ".h":
        if _OBJECTIVE_C.search(head):
            return "Objective-C"
        return "C++" if _CPP.search(head) else language
    if suffix == ".ts" and head.lstrip()[:1] == b"<":
        return "XML"
    if suffix == ".m" and not _OBJECTIVE_C.search(head) and re.search(rb"^\s*(?:%|function\b)", head, re.M):
        return "MATLAB"
    if suffix == ".pl" and re.search(rb"^\s*:-", head, re.M):
        return "Prolog"
    if suffix == ".v" and re.search(rb"^\s*(?:Require|Lemma|Theorem|Proof)\b", head, re.M):
        return "Rocq Prover"
    return language
