"""Files that belong together by their names."""

import pytest

from app.domain.twins import stem_of, subject_of, twin_of


@pytest.mark.parametrize(
    ("path", "tested"),
    [
        ("tests/test_user.py", "user"),
        ("tests/user_test.go", "user"),
        ("src/user.test.ts", "user"),
        ("src/UserTests.java", "User"),
        ("src/TestUser.java", "User"),
        ("src/user-test.js", "user"),
        ("src/latest.py", "latest"),
        ("src/Test.java", "Test"),
        ("src/test.py", "test"),
    ],
)
def test_what_a_test_is_called_after(path: str, tested: str) -> None:
    assert subject_of(path) == tested


@pytest.mark.parametrize(
    ("shape", "path", "twin"),
    [
        ("{folder}/{stem}.css", "src/a/user.view.tsx", "src/a/user.css"),
        ("{folder}/../{tested}.ts", "src/a/__tests__/user.test.ts", "src/a/user.ts"),
        ("src/shop/{below:1}/{tested}.py", "tests/a/b/test_user.py", "src/shop/a/b/user.py"),
        ("src/shop/{below:1}/{tested}.py", "tests/test_user.py", "src/shop/user.py"),
        ("{folder}/{parent}.module.ts", "src/user/index.ts", "src/user/user.module.ts"),
        ("../../{name}", "a/b.py", "b.py"),
    ],
)
def test_where_the_other_of_a_pair_stands(shape: str, path: str, twin: str) -> None:
    assert twin_of(shape, path) == twin


def test_stems_end_at_the_first_dot() -> None:
    assert [stem_of(path) for path in ("a/b.test.ts", ".eslintrc.js", "Makefile")] == ["b", "eslintrc", "Makefile"]
