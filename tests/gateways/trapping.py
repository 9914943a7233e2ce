"""Traps for whoever runs git inside a stranger's repository: settings, hooks and attributes that run a program."""

from pathlib import Path

from tests.gateways.making import Made

# What a repository's own settings can make a git run that works inside it.
TRAPS = """
[core]
    fsmonitor = {run}
    hooksPath = {hooks}
    sshCommand = {run}
    gitProxy = {run}
    askPass = {run}
    editor = {run}
    pager = {run}
    alternateRefsCommand = {run}
    attributesFile = {attributes}
    repositoryFormatVersion = 1
[extensions]
    worktreeConfig = true
    partialClone = origin
[remote "origin"]
    url = {elsewhere}
    promisor = true
    partialCloneFilter = blob:none
    uploadpack = {run}
    vcs = ext
[uploadpack]
    packObjectsHook = {run}
    allowFilter = true
[protocol]
    allow = always
[protocol "ext"]
    allow = always
[credential]
    helper = "!{run}"
[diff]
    external = {run}
[diff "trap"]
    textconv = {run}
    command = {run}
[filter "trap"]
    clean = {run}
    smudge = {run}
    process = {run}
[alias]
    upload-pack = "!{run}"
    pack-objects = "!{run}"
    ls-tree = "!{run}"
[gpg]
    program = {run}
[log]
    showSignature = true
[include]
    path = {included}
[safe]
    directory = *
"""
HOOKS = [
    "post-checkout",
    "pre-auto-gc",
    "reference-transaction",
    "post-index-change",
    "fsmonitor-watchman",
    "update",
    "post-update",
]


def trap(made: Made, canary: Path, tmp_path: Path) -> Made:
    """Make a repository's settings, hooks and attributes touch the canary wherever settings can run a program."""
    program = tmp_path / "run"
    program.write_text(f"#!/bin/sh\ntouch {canary}\nexit 0\n")
    program.chmod(0o755)
    included = tmp_path / "included"
    included.write_text(f"[core]\n\tfsmonitor = {program}\n\tsshCommand = {program}\n")
    attributes = tmp_path / "attributes"
    attributes.write_text("* filter=trap diff=trap\n")
    made.commit({".gitattributes": "* filter=trap diff=trap\n", "a.py": "1\n"})
    lost = made.object("blob", b"lost for ever\n")
    made.commit({"a.py": "2\n"})
    hooks = tmp_path / "hooks"
    for folder in (hooks, made.folder / "hooks"):
        folder.mkdir(exist_ok=True)
        for hook in HOOKS:
            (folder / hook).symlink_to(program)
    values = {"run": program, "hooks": hooks, "included": included, "attributes": attributes, "elsewhere": made.path}
    (made.folder / "config").write_text(TRAPS.format(**values))
    (made.folder / "config.worktree").write_text(f"[core]\n\tfsmonitor = {program}\n\tbare = false\n")
    (made.folder / "objects" / lost[:2] / lost[2:]).unlink()
    assert not canary.exists()
    return made
