"""Libraries that are used through one module of the repository."""

import pytest

from app.miners import own_wrappers
from tests.miners.trial import Trial, trial


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[own_wrappers.FAMILY])


def script(ending: str, library: str = "axios", wrapper: str = "axios-client") -> dict[str, str]:
    files = {f"src/pages/part{n}.{ending}": f'import {{ get }} from "../{wrapper}";\n' for n in range(20)}
    return {**files, f"src/{wrapper}.{ending}": f'import x from "{library}";\nexport const get = x.get;\n'}


@pytest.mark.parametrize(("ending", "language"), [("ts", "TypeScript"), ("js", "JavaScript")])
def test_all_but_the_wrapper_leave_the_library_alone(ending: str, language: str) -> None:
    files = script(ending)
    files[f"src/pages/part7.{ending}"] = 'import axios from "axios";\n'
    found = mined(files)
    said = f"{language} files use `axios` through `src/axios-client.{ending}`, and do not import it (19 of 20)"
    assert found.said == [said]
    assert found.conventions[0].violations == [f"src/pages/part7.{ending}:1"]


def test_a_wrapper_of_python() -> None:
    files = {f"shop/part{n}.py": "from . import redis_pool\n" for n in range(20)}
    files |= {"shop/__init__.py": "", "shop/redis_pool.py": "import redis\n"}
    assert mined(files).said == [
        "Python files use `redis` through `shop/redis_pool.py`, and do not import it (20 of 20)"
    ]


def test_a_wrapper_of_java() -> None:
    top = "src/main/java/org/shop"
    files = {f"{top}/Part{n}.java": "package org.shop;\nimport org.shop.http.OkHttpClients;\n" for n in range(20)}
    files[f"{top}/http/OkHttpClients.java"] = "package org.shop.http;\nimport okhttp3.OkHttpClient;\n"
    files[f"{top}/Part7.java"] = "package org.shop;\nimport okhttp3.OkHttpClient;\n"
    found = mined(files)
    wrapper = f"{top}/http/OkHttpClients.java"
    assert found.said == [f"Java files use `okhttp3.OkHttpClient` through `{wrapper}`, and do not import it (19 of 20)"]
    assert found.conventions[0].violations == [f"{top}/Part7.java:2"]


def test_a_wrapper_of_go_is_a_package() -> None:
    own = 'package shop\n\nimport "example.com/shop/internal/lazyregexp"\n'
    files = {f"shop/part{n}.go": own for n in range(20)} | {"shop/part7.go": 'package shop\n\nimport "regexp"\n'}
    files["internal/lazyregexp/lazy.go"] = 'package lazyregexp\n\nimport "regexp"\n'
    files["internal/lazyregexp/more.go"] = 'package lazyregexp\n\nimport "regexp"\n'
    found = mined(files)
    assert found.said == ["Go files use `regexp` through `internal/lazyregexp/`, and do not import it (19 of 20)"]
    assert found.conventions[0].violations == ["shop/part7.go:3"]


def test_what_is_no_wrapper() -> None:
    # It is called something else, or hardly anybody uses it, or many import the library as well.
    assert mined(script("ts", wrapper="money")).said == []
    few = {path: text for path, text in script("ts").items() if "part1" not in path}
    assert mined({path: few[path] for path in list(few)[-6:]}).said == []
    assert mined(script("ts") | {f"src/more{n}.ts": 'import x from "axios";\n' for n in range(10)}).said == []
