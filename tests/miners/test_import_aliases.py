"""The names that imports get, where they are not those of the module."""

import pytest

from app.miners import import_aliases, import_forms
from tests.miners.trial import Trial, trial

GO = 'package a\n\nimport (\n\t"fmt"\n\n\t{}\n)\n'


def mined(ending: str, usual: str, other: str) -> Trial:
    files = {f"src/part{number}.{ending}": f"{usual}\n" for number in range(19)} | {f"src/odd.{ending}": f"{other}\n"}
    return trial(files, families=[import_aliases.FAMILY])


@pytest.mark.parametrize(
    ("ending", "usual", "other", "said"),
    [
        pytest.param(
            "go",
            GO.format('corev1 "k8s.io/api/core/v1"'),
            GO.format('v1 "k8s.io/api/core/v1"'),
            "Go files import `k8s.io/api/core/v1` as `corev1` (19 of 20)",
            id="go",
        ),
        pytest.param(
            "go",
            GO.format('bolt "go.etcd.io/bbolt"'),
            GO.format('"go.etcd.io/bbolt"'),
            "Go files import `go.etcd.io/bbolt` as `bolt` (19 of 20)",
            id="go-plain",
        ),
        pytest.param(
            "py",
            "from django.utils.translation import gettext_lazy as _",
            "from django.utils.translation import gettext_lazy, ngettext",
            "Python files import `gettext_lazy` of `django.utils.translation` as `_` (19 of 20)",
            id="python",
        ),
        pytest.param(
            "py",
            "from django.utils.translation import gettext_lazy as _, ngettext as n",
            "from django.utils.translation import gettext_lazy",
            "Python files import `gettext_lazy` of `django.utils.translation` as `_` (19 of 20)",
            id="python-several",
        ),
        pytest.param(
            "rs",
            "use std::{error::Error as StdError, fmt};",
            "use std::error::Error;",
            "Rust files import `error::Error` as `StdError` (19 of 20)",
            id="rust",
        ),
    ],
)
def test_a_name_of_its_own_is_said(ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, usual, other)
    assert said in found.said
    assert found.find(said.partition(" (")[0]).violations == [f"src/odd.{ending}:{6 if ending == 'go' else 1}"]


@pytest.mark.parametrize(
    ("ending", "usual", "other"),
    [
        pytest.param("go", GO.format('yaml "go.yaml.in/yaml/v3"'), GO.format('"go.yaml.in/yaml/v3"'), id="a part"),
        pytest.param("go", GO.format('cmp "github.com/google/go-cmp"'), GO.format(""), id="a word"),
        pytest.param("go", GO.format('_ "embed"'), GO.format('. "fmt"'), id="no name"),
        pytest.param("go", GO.format('"github.com/a/b"'), GO.format('c "github.com/a/b"'), id="no names"),
        pytest.param("py", "from a.b import c as c", "from a.b import c", id="passed on"),
        pytest.param("py", "from a.b import Name, other", "from a.b import Name as N", id="python without names"),
    ],
)
def test_it_is_silent_where_things_keep_their_names(ending: str, usual: str, other: str) -> None:
    assert mined(ending, usual, other).said == []


def test_two_names_for_the_same_say_nothing() -> None:
    names = ("corev1", "v1core")
    files = {f"src/part{n}.go": GO.format(f'{names[n % 2]} "k8s.io/api/core/v1"') for n in range(20)}
    assert trial(files, families=[import_aliases.FAMILY]).said == []


def test_a_module_of_python_that_always_gets_a_name() -> None:
    files = {f"src/part{number}.py": "import voluptuous as vol\nimport numpy as np\n" for number in range(20)}
    found = trial(files, families=[import_forms.FAMILY])
    assert found.said == ["`voluptuous` is imported as a whole: `import voluptuous as vol` (20 of 20)"]


def test_of_the_packages_that_one_folder_renames_one_is_told() -> None:
    names = ("common", "metrics", "modules")
    text = "package a\n\nimport (\n" + "".join(f'\tk6{name} "example.org/k6/{name}"\n' for name in names) + ")\n"
    plain = text.replace("k6common ", "").replace("k6metrics ", "").replace("k6modules ", "")
    files = {f"browser/part{number}.go": text for number in range(10)}
    found = trial(files | {f"other/part{number}.go": plain for number in range(10)}, families=[import_aliases.FAMILY])
    assert found.said == ["Go source files in `browser/` import `example.org/k6/common` as `k6common` (10 of 10)"]
    assert found.suppressed.counts["over the limit"] == 2
    assert len(trial(files, families=[import_aliases.FAMILY]).said) == 3
