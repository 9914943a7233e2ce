"""Evidence: what stands there byte for byte, and nothing else, whoever claims it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.evidence import LONGEST_SNIPPET, Claim, Verified, locate, quote, verify

CONTENT = b"one\n\xe2\x82\xac two\r\nthree\n\nfive"
BLOB = "a" * 40


@pytest.mark.parametrize(
    ("start", "end", "snippet"),
    [(1, 1, "one"), (2, 2, "€ two\r"), (1, 3, "one\n€ two\r\nthree"), (5, 5, "five"), (5, 5, "fi"), (4, 5, "\nfive")],
)
def test_what_stands_there_is_evidence(start: int, end: int, snippet: str) -> None:
    assert isinstance(verify(Claim("a", BLOB, start, end, snippet), BLOB, CONTENT), Verified)


@pytest.mark.parametrize(
    ("claim", "blob", "content", "reason"),
    [
        (Claim("a", BLOB, 1, 1, "One"), BLOB, CONTENT, "other text"),
        (Claim("a", BLOB, 2, 2, "€ two"), BLOB, CONTENT.replace(b"\r", b"\r\r"), None),
        (Claim("a", BLOB, 1, 2, "one\n€ tw"), BLOB, CONTENT, "other text"),
        (Claim("a", BLOB, 2, 2, "two\r"), BLOB, CONTENT, "other text"),
        (Claim("a", BLOB, 0, 1, "one"), BLOB, CONTENT, "no such lines"),
        (Claim("a", BLOB, 5, 6, "five\n"), BLOB, CONTENT, "no such lines"),
        (Claim("a", BLOB, 3, 2, "three"), BLOB, CONTENT, "no such lines"),
        (Claim("a", BLOB, 1, 1, ""), BLOB, CONTENT, "too long"),
        (Claim("a", BLOB, 1, 1, "x" * 501), BLOB, b"x" * 501, "too long"),
        (Claim("a", BLOB, 1, 1), BLOB, CONTENT, "incomplete"),
        (Claim("a", BLOB, None, None, "one"), BLOB, CONTENT, "incomplete"),
        (Claim("a", BLOB, 1, 1, "one"), None, CONTENT, "no such path"),
        (Claim("a", BLOB, 1, 1, "one"), "b" * 40, CONTENT, "another blob"),
        (Claim("a", BLOB, 1, 1, "one"), BLOB, None, "blob is missing"),
        (Claim("a", BLOB, 1, 1, "one"), BLOB, b"one\0", "not quotable"),
        (Claim("a", BLOB, 1, 1, "one"), BLOB, b"one\n\xff", "not quotable"),
    ],
)
def test_what_does_not_is_dropped_with_a_reason(
    claim: Claim, blob: str | None, content: bytes | None, reason: str | None
) -> None:
    found = verify(claim, blob, content)
    assert isinstance(found, Verified) if reason is None else found == reason


def test_a_path_alone_is_evidence_of_its_name() -> None:
    assert isinstance(verify(Claim("a", BLOB), BLOB, None), Verified)


def test_nobody_else_makes_evidence() -> None:
    with pytest.raises(TypeError):
        Verified("a", BLOB, 1, 1, "one", counterexample=False, seal=object())


@given(some.text(max_size=2000), some.integers(1, 30), some.integers(0, 30))
def test_whatever_is_quoted_is_verified(text: str, start: int, more: int) -> None:
    content = text.replace("\0", "").encode(errors="replace")
    cut = quote(content, start, start + more)
    if cut is not None:
        end, snippet = cut
        assert len(snippet) <= LONGEST_SNIPPET
        assert isinstance(verify(Claim("a", BLOB, start, end, snippet), BLOB, content), Verified)


def test_text_is_found_again_nearest_to_where_it_stood() -> None:
    content = b"x\ny\n\n\n\nx\ny\n\nx\ny\n"
    place = locate("b", BLOB, content, "x\ny", 7)
    assert place is not None
    assert (place.path, place.start, place.end) == ("b", 6, 7)
    assert locate("b", BLOB, content, "x\nz", 7) is None
    assert locate("b", BLOB, None, "x\ny", 7) is None
