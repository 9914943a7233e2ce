"""Crafts that only tests know: what a hand can be asked, and what can happen to it then."""

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DEADLY = {"segfault", "exit", "spin", "wait", "swell", "raise", "panic", "print"}


class Panic(BaseException):
    """As what Rust code raises that panics."""


@contextmanager
def doubling(gain: int) -> Iterator[Callable[[Sequence[int]], Iterable[int]]]:
    """Multiply."""
    yield lambda items: (item * gain for item in items)


@contextmanager
def obeying(_: None) -> Iterator[Callable[[Sequence[str]], Iterable[str]]]:
    """Do what the item says."""
    yield lambda items: map(obey, items)


def obey(word: str) -> str:
    """Do what a word says, and give it in capitals."""
    match word:
        case "segfault":
            ctypes.string_at(0)
        case "exit":
            os._exit(3)
        case "spin":
            while True:
                pass
        case "wait":
            time.sleep(600)
        case "swell":
            bytearray(1 << 40)
        case "raise":
            raise ValueError("no way")
        case "panic":
            raise Panic("of the other language")
        case "print":
            sys.stdout.write("this is no answer")
            sys.stdout.flush()
            sys.stderr.write("nor is this")
    return word.upper()


@contextmanager
def unready(_: None) -> Iterator[Callable[[Sequence[int]], Iterable[int]]]:
    """Never come to work."""
    os._exit(1)
    yield lambda items: items


@contextmanager
def refusing(_: None) -> Iterator[Callable[[Sequence[int]], Iterable[int]]]:
    """Have nothing to work with."""
    raise OSError("nothing to work with")
    yield lambda items: items


@contextmanager
def leaving_traces(folder: str) -> Iterator[Callable[[Sequence[int]], Iterable[int]]]:
    """Note when it was prepared and when put away."""
    Path(folder, f"opened-{os.getpid()}").touch()
    yield lambda items: items
    Path(folder, f"closed-{os.getpid()}").touch()


def surroundings() -> tuple[list[str], list[int], int]:
    """Tell which variables and descriptors a hand has, and whose child it is."""
    return sorted(os.environ), [int(link.name) for link in Path("/proc/self/fd").iterdir()], os.getppid()


def stay(place: str) -> None:
    """Start a child that would outlive us, tell both numbers, and stay."""
    child = subprocess.Popen(["sleep", "600"])
    fresh = Path(f"{place}.new")
    fresh.write_text(f"{os.getpid()} {child.pid}")
    fresh.rename(place)
    time.sleep(600)


def a_function() -> object:
    """Give what is no plain data."""
    return os.system
