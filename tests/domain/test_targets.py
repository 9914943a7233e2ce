"""Which file an import leads to, as paths alone can tell."""

import pytest

from app.domain.listing import Listing
from app.domain.targets import targets_of

LISTING = Listing(
    [
        "lib/shop/__init__.py",
        "lib/shop/money.py",
        "lib/shop/web/__init__.py",
        "lib/shop/web/pages.py",
        "tests/test_shop.py",
        "scripts/tools.py",
        "app/src/ui/button.tsx",
        "app/src/ui/index.ts",
        "app/src/http.ts",
        "app/plain.js",
        "src/main/java/org/shop/Money.java",
        "src/main/java/org/shop/web/Page.java",
    ]
)


@pytest.mark.parametrize(
    ("path", "module", "names", "expected"),
    [
        ("lib/shop/web/pages.py", "..money", ("Price",), ["lib/shop/money.py"]),
        ("lib/shop/web/pages.py", "..", ("money", "VERSION"), ["lib/shop/money.py", "lib/shop/__init__.py"]),
        ("lib/shop/web/pages.py", ".", ("pages",), ["lib/shop/web/pages.py"]),
        ("tests/test_shop.py", "shop.web", ("pages",), ["lib/shop/web/pages.py"]),
        ("tests/test_shop.py", "shop.web.pages", (), ["lib/shop/web/pages.py"]),
        ("tests/test_shop.py", "scripts.tools", (), ["scripts/tools.py"]),
        ("lib/shop/money.py", "...far.away", ("x",), []),
        ("lib/shop/money.py", ".........", ("x",), []),
        ("lib/shop/money.py", "json", (), []),
    ],
)
def test_of_python(path: str, module: str, names: tuple[str, ...], expected: list[str]) -> None:
    assert list(targets_of(LISTING, path, "Python", module, names)) == expected


@pytest.mark.parametrize(
    ("path", "module", "expected"),
    [
        ("app/src/http.ts", "./ui", ["app/src/ui/index.ts"]),
        ("app/src/http.ts", "./ui/button", ["app/src/ui/button.tsx"]),
        ("app/src/http.ts", "./ui/button.js", ["app/src/ui/button.tsx"]),
        ("app/src/ui/button.tsx", "../http.js", ["app/src/http.ts"]),
        ("app/src/ui/button.tsx", "../../plain.js", ["app/plain.js"]),
        ("app/src/ui/button.tsx", ".", ["app/src/ui/index.ts"]),
        ("app/src/ui/button.tsx", "@/http", ["app/src/http.ts"]),
        ("app/src/ui/button.tsx", "src/http", ["app/src/http.ts"]),
        ("app/src/ui/button.tsx", "../../../../../x", []),
        ("app/src/ui/button.tsx", "react", []),
        ("app/src/ui/button.tsx", "@/nothing", []),
    ],
)
def test_of_scripts(path: str, module: str, expected: list[str]) -> None:
    assert list(targets_of(LISTING, path, "TypeScript", module)) == expected


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("org.shop.Money", ["src/main/java/org/shop/Money.java"]),
        ("org.shop.Money.ZERO", ["src/main/java/org/shop/Money.java"]),
        ("org.shop.web", ["src/main/java/org/shop/web/Page.java"]),
        ("java.util.List", []),
    ],
)
def test_of_java(module: str, expected: list[str]) -> None:
    assert list(targets_of(LISTING, "src/main/java/org/shop/A.java", "Java", module)) == expected


def test_a_language_without_files_in_its_imports_leads_nowhere() -> None:
    assert targets_of(LISTING, "a.rs", "Rust", "crate::money") == ()
