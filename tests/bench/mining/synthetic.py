"""Repositories made to measure: conventions that hold, with so much noise, and decoys that only look like them."""

import random
from collections.abc import Callable
from dataclasses import dataclass

_NOUNS = [
    "order",
    "invoice",
    "basket",
    "parcel",
    "refund",
    "ledger",
    "coupon",
    "tariff",
    "stock",
    "label",
    "route",
    "token",
    "image",
    "draft",
    "batch",
    "queue",
    "shelf",
    "vendor",
    "wallet",
    "ticket",
]
_VERBS = ["load", "store", "merge", "split", "check", "index", "price", "print", "close", "renew"]


@dataclass(frozen=True, slots=True)
class Planted:
    """A convention that was planted: how its sentence looks, and how many sites have it."""

    words: str
    conforming: int
    applicable: int


@dataclass(frozen=True, slots=True)
class Made:
    """A repository by path, what was planted in it, and what only looks planted."""

    files: dict[str, str]
    planted: tuple[Planted, ...]
    decoys: tuple[str, ...]


def made(noise: float, seed: int = 1) -> Made:
    """Make a repository of two languages in which every convention is broken at so many of its sites."""
    dice = random.Random(seed)
    files: dict[str, str] = {}
    pairs = [(noun, verb) for noun in _NOUNS for verb in _VERBS]
    dice.shuffle(pairs)
    broken = _breaker(dice, noise)

    caught = _Count()
    relative = _Count()
    for noun, verb in pairs[:80]:
        name = caught.seen(not broken(), "failure", dice.choice(("e", "err", "oops")))
        place = relative.seen(not broken(), f".{noun}_store", f"shop.{noun}_store")
        own = f"from {place} import {noun.title()}Store"
        # Half of all handlers raise from what they caught: a decoy, however many they are.
        chained = f" from {name}" if dice.random() < 0.5 else ""
        documented = f'    """{verb.title()} one."""\n' if dice.random() < 0.5 else ""
        files[f"shop/{noun}_{verb}.py"] = (
            f"import json\n\n{own}\n\n\ndef {verb}_{noun}(key):\n{documented}    try:\n        return json.loads(key)\n"
            f"    except ValueError as {name}:\n        raise KeyError({name}){chained}\n"
        )
    files["shop/__init__.py"] = ""
    for noun in _NOUNS:
        files[f"shop/{noun}_store.py"] = f"class {noun.title()}Store:\n    rows = {len(noun)}\n"

    marked = _Count()
    for noun, verb in pairs[80:120]:
        line = marked.seen(not broken(), "    tenant = require_tenant(request)\n", "    pass\n")
        head = f"def handle_{noun}_{verb}(request):\n"
        files[f"shop/handlers/{noun}_{verb}.py"] = f"{head}{line}    return {len(files)}\n"

    kebab = _Count()
    for noun, verb in pairs[120:180]:
        stem = kebab.seen(not broken(), f"{noun}-{verb}", f"{noun}{verb.title()}")
        files[f"web/panels/{stem}.ts"] = f"export const size{len(files)} = {len(files)};\n"
    # Names in equal parts of three cases: a decoy.
    for number, (noun, verb) in enumerate(pairs[180:]):
        stem = (f"{noun}-{verb}", f"{noun}{verb.title()}", f"{noun}_{verb}")[number % 3]
        files[f"web/mixed/{stem}.ts"] = f"export const mixed{number} = {number};\n"
    return Made(
        files,
        (
            caught.planted(r"caught exceptions.*`failure`"),
            relative.planted(r"import each other relatively"),
            marked.planted(r"require_tenant"),
            kebab.planted(r"kebab-case"),
        ),
        (
            r"raise.*from",
            r"(?i)(?:have|has|carry) .*docstring|documented",
            r"snake_case",
            r"(?<!not )in `web/mixed/`.* named",
        ),
    )


class _Count:
    def __init__(self) -> None:
        self._conforming = self._applicable = 0

    def seen(self, fine: bool, right: str, wrong: str) -> str:
        """Count one site, and give what stands there."""
        self._applicable += 1
        self._conforming += fine
        return right if fine else wrong

    def planted(self, words: str) -> Planted:
        """Tell what was counted."""
        return Planted(words, self._conforming, self._applicable)


def _breaker(dice: random.Random, noise: float) -> Callable[[], bool]:
    return lambda: dice.random() < noise
