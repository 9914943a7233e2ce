"""Names, addresses and passwords: how they are spelt, and which are refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.credentials import passwords
from app.credentials.passwords import LONGEST, SHORTEST
from app.credentials.secrets import Prefix, digest, looks_like, new, prefix_of
from app.domain import names
from app.domain.errors import Invalid

# The top of every leaked list that is long enough to be typed here at all.
COMMONEST = """
123456789 12345678 1234567890 password password1 qwertyuiop 1q2w3e4r iloveyou 11111111 123123123 qwerty123 1qaz2wsx
sunshine princess football baseball superman trustno1 starwars whatever computer michelle jennifer corvette jordan23
welcome1 passw0rd p@ssw0rd letmein1 dragon123 monkey123 abc12345 asdfghjkl zxcvbnm123 88888888 987654321 00000000
internet liverpool chocolate butterfly basketball charlie1 password123 admin123 changeme Summer2024! Winter2023
qazwsxedc aa123456 a1b2c3d4 football1 master123 shadow123 michael1 jordan123 batman123 hello123 freedom1 mustang1
""".split()  # noqa: SIM905 - a list of words

addresses = st.from_regex(
    r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-z0-9]{1,10}){0,2}@([a-zA-Z0-9]{1,10}\.){1,3}[a-zA-Z]{2,8}",
    fullmatch=True,
)


@given(addresses)
def test_an_address_is_spelt_as_it_is_compared(text: str) -> None:
    spelt = names.email_address(text)
    assert spelt == spelt.lower() == names.email_address(spelt)
    assert names.email_address(f"  {text.swapcase()}\t") == spelt


@given(addresses, st.data())
def test_full_width_letters_are_the_letters_they_look_like(text: str, data: st.DataObject) -> None:
    wide = "".join(
        chr(ord(letter) + 0xFEE0) if letter.isalpha() and data.draw(st.booleans()) else letter for letter in text
    )
    assert names.email_address(wide) == names.email_address(text)


@given(st.text(max_size=600))
def test_an_address_that_is_taken_is_one_the_database_takes(text: str) -> None:
    try:
        spelt = names.email_address(text)
    except Invalid:
        assert names.address_told(text) is None
        return
    assert spelt.isascii()
    assert spelt.isprintable()
    assert 3 <= len(spelt) <= 254
    assert spelt == spelt.lower()


@pytest.mark.parametrize(
    "text",
    [
        "аda@example.com",  # Cyrillic
        "ada@exаmple.com",
        "αda@example.com",  # Greek
        "ada@example。com\u0000",
        "ada\u200b@example.com",  # a space of no width
        "a‮da@example.com",
        "ada@@example.com",
        "ada@example",
        "ada@-example.com",
        "ada@example.c",
        "ada@127.0.0.1",
        "a..da@example.com",
        ".ada@example.com",
        "ada @example.com",
        '"ada"@example.com',
        "ada@example.com\nbcc: eve@example.com",
        "@example.com",
        "ada@",
        "@",
        "",
        "ﷺ" * 300,
    ],
)
def test_look_alikes_and_nonsense_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        names.email_address(text)


@given(st.text(max_size=300))
def test_a_name_that_is_taken_is_plain(text: str) -> None:
    try:
        spelt = names.name(text)
    except Invalid:
        assert names.name_told(text) is None
        return
    assert 1 <= len(spelt) <= names.LONGEST_NAME
    assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in spelt)
    assert names.name(spelt) == spelt


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a‮b", "a\u2066b", "\ufeff", "", "   ", "x" * 201, "a\ud800"])
def test_what_would_mislead_is_no_name(text: str) -> None:
    with pytest.raises(Invalid):
        names.name(text)


@pytest.mark.parametrize("text", ["Ada Lovelace", "Łukasz Żółć", "山田太郎", "👩‍💻", "نگار‌ها", "O’Brien", "x" * 200])
def test_people_have_many_names(text: str) -> None:
    assert names.name(text) == unicodedata.normalize("NFC", text)


@given(st.text(max_size=400) | st.integers() | st.none())
def test_any_login_is_one_the_database_takes(told: object) -> None:
    login = names.login_like(told)
    assert 1 <= len(login) <= names.LONGEST_LOGIN - 13
    assert login.isascii()
    assert login == login.strip("-").lower()


@pytest.mark.parametrize("password", COMMONEST)
def test_the_commonest_passwords_are_refused(password: str) -> None:
    decorated = (f"{password}!", f"{password}2024", f"1{password}!!") if password.isalpha() else ()
    for spelt in (password, password.upper(), password.capitalize(), *decorated):
        with pytest.raises(Invalid, match="cannot be used"):
            passwords.check(spelt)


def test_more_than_the_thousand_commonest_are_known() -> None:
    assert len(passwords._common()) > 4000
    for password in passwords._common():
        with pytest.raises(Invalid):
            passwords.check(password)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "Tr0ub4dor&3 and more",
        "zwölf Boxkämpfer",
        "x9$kQ2!mZ",
        "пароль посложнее",
        "日本語の長い合言葉",
    ],
)
def test_others_are_taken(password: str) -> None:
    passwords.check(password)


@pytest.mark.parametrize("length", [0, SHORTEST - 1, LONGEST + 1, 10_000, 1_000_000])
def test_a_password_is_neither_too_short_nor_too_long(length: int) -> None:
    with pytest.raises(Invalid, match="cannot be used"):
        passwords.check(("aB3$" * (length // 4 + 1))[:length])


@given(st.text(max_size=300))
def test_no_password_breaks_the_check(password: str) -> None:
    try:
        passwords.check(password, email="ada@example.com")
    except Invalid:
        return
    assert SHORTEST <= len(password) <= LONGEST


async def test_the_same_password_from_another_keyboard_fits() -> None:
    kept = await passwords.hashed("cafe\u0301 au lait")
    assert await passwords.matches("caf\u00e9 au lait", kept)
    assert not await passwords.matches("cafe au lait", kept)
    assert not passwords.outdated(kept)


@pytest.mark.parametrize("kept", [None, "", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$x$y", passwords._NOBODY])
async def test_nothing_fits_what_is_no_hash(kept: str | None) -> None:
    for password in ("", "password", "x" * 10_000):
        assert not await passwords.matches(password, kept)


@given(st.sampled_from(list(Prefix)), st.sampled_from(list(Prefix)))
def test_a_secret_says_what_it_is_for(made: Prefix, asked: Prefix) -> None:
    secret = new(made)
    assert looks_like(asked, secret) == (made is asked)
    assert secret.startswith(prefix_of(secret))
    assert len(prefix_of(secret)) == 12
    assert len(digest(secret)) == 32
    assert new(made) != secret
