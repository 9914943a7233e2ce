"""Health signals: objective warnings about what follows a pattern, each with how many of how many instances."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.pattern import Severity


@dataclass(frozen=True, slots=True)
class HealthSignal:
    """A warning: what was seen in `affected` of `total` instances."""

    category: str
    severity: Severity
    message: str
    affected: int
    total: int


@dataclass(frozen=True, slots=True)
class _Sign:
    category: str
    severity: Severity
    words: str
    shape: "re.Pattern[str]"


# Every expression is anchored at a word and has no nested repetition: snippets are short, and come from strangers.
_SIGNS: Sequence[_Sign] = (
    _Sign(
        "security",
        Severity.ERROR,
        "run text as code or as a command",
        re.compile(r"\beval\(|\bexec\(|shell=True|\bos\.system\(|\bchild_process\.exec\(|new Function\("),
    ),
    _Sign(
        "security",
        Severity.ERROR,
        "switch the verification of certificates off",
        re.compile(r"verify=False|rejectUnauthorized: ?false|InsecureSkipVerify: ?true|danger_accept_invalid_certs"),
    ),
    _Sign(
        "security",
        Severity.WARNING,
        "use a hash or a parser that is no longer safe",
        re.compile(r"\b(?:md5|sha1)\(|getInstance\(\"(?:MD5|SHA-?1)\"\)|yaml\.load\((?!.{0,80}Safe)|pickle\.loads?\("),
    ),
    _Sign(
        "security",
        Severity.WARNING,
        "put text into a page as markup",
        re.compile(r"\.innerHTML ?=|dangerouslySetInnerHTML|\bv-html="),
    ),
    _Sign(
        "error handling",
        Severity.WARNING,
        "catch everything or drop what they catch",
        re.compile(r"\bexcept ?:|catch ?(?:\([^)]{0,60}\) ?)?\{\s*\}|\bexcept [^:\n]{0,80}:\s*pass\b|_ = err\b"),
    ),
    _Sign(
        "deprecated API",
        Severity.WARNING,
        "use what its makers call deprecated",
        re.compile(
            r"@[Dd]eprecated\b|\butcnow\(|\bcomponentWill(?:Mount|ReceiveProps|Update)\b|\bioutil\.|\bnew Buffer\(|"
            r"\bpkg_resources\b|\blog\.warn\(|\bassertEquals\("
        ),
    ),
    _Sign(
        "completeness",
        Severity.INFO,
        "say of themselves that something is missing",
        re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|\bNotImplementedError\b|unimplemented!\(|todo!\("),
    ),
)

# So many sites, and such a share of all, are worth a warning.
_LEAST_BREAKING, _LEAST_SHARE = 3, 0.1


def signals_of(texts: Sequence[str], applicable: int | None, conforming: int | None) -> list[HealthSignal]:
    """Look through instances, and at how many sites do otherwise."""
    found = []
    for sign in _SIGNS:
        affected = sum(sign.shape.search(text) is not None for text in texts)
        if affected:
            message = f"{affected} of {len(texts)} instances {sign.words}."
            found.append(HealthSignal(sign.category, sign.severity, message, affected, len(texts)))
    if applicable and conforming is not None:
        breaking = applicable - conforming
        if breaking >= _LEAST_BREAKING and breaking >= _LEAST_SHARE * applicable:
            message = f"{breaking} of {applicable} sites do otherwise."
            found.append(HealthSignal("consistency", Severity.INFO, message, breaking, applicable))
    return found
