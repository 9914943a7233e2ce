"""How workflows of GitHub guard themselves."""

import pytest

from app.miners import workflows
from tests.miners.trial import Trial, trial

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WORKFLOW = """on: push
{permissions}jobs:
  build:
    steps:
      - uses: ./.github/actions/prepare
      - uses: actions/checkout@{version}  # v7
        with:
          # It pushes nothing.
{credentials}          fetch-depth: 0
      - name: Set up
        uses: actions/setup-go@{version}
"""
KEPT = "          persist-credentials: false\n"


def mined(usual: dict[str, str], other: dict[str, str], path: str = ".github/workflows/part{}.yml") -> Trial:
    """Mine twelve workflows, the last of which does otherwise."""
    whole = {"permissions": "permissions: {}\n", "version": "v7", "credentials": ""}
    given = [{**whole, **usual}] * 11 + [{**whole, **other}]
    files = {path.format(number): WORKFLOW.format(**each) for number, each in enumerate(given)}
    return trial(files, families=[workflows.FAMILY])


@pytest.mark.parametrize(
    ("usual", "other", "said", "violations"),
    [
        (
            {"version": COMMIT},
            {"version": "main"},
            "Workflows pin the actions that they use to a commit, not to a tag (22 of 24)",
            [".github/workflows/part11.yml:12", ".github/workflows/part11.yml:7"],
        ),
        (
            {},
            {"permissions": ""},
            "Workflows say which permissions they have: `permissions:` (11 of 12)",
            [".github/workflows/part11.yml"],
        ),
        (
            {"credentials": KEPT},
            {},
            "Workflows check out without keeping credentials: `persist-credentials: false` (11 of 12)",
            [".github/workflows/part11.yml:7"],
        ),
    ],
    ids=["pinned", "permissions", "credentials"],
)
def test_what_most_do_is_said(usual: dict[str, str], other: dict[str, str], said: str, violations: list[str]) -> None:
    found = mined(usual, other)
    assert said in found.said
    assert found.find(said.partition(" (")[0]).violations == violations


def test_other_files_and_tags_say_nothing() -> None:
    assert mined({"permissions": ""}, {}).said == []
    assert mined({"version": COMMIT}, {}, "deploy/part{}.yml").said == []
