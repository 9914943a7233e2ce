"""What people call themselves and their organizations: how it is spelt, and which names are refused."""

import re
import unicodedata

from app.domain.errors import Invalid

LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64
LONGEST_NAME = 200
LONGEST_LOGIN = 64

_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_SLUG = re.compile(r"[a-z0-9](-?[a-z0-9])*")

# Words that stand, or may one day stand, where a slug stands in an address, and names that pretend to be us.
RESERVED_SLUGS = frozenset(
    """
    about abuse account accounts admin administrator api apis app apps assets audit auth billing blog cdn check checks
    cli config contact dashboard docs documentation download downloads email enterprise error errors everyone explore
    export feed ftp graphiql graphql group groups health help home host hostmaster id info install internal invitation
    invitations invite invites join key keys legal localhost login logout mail me member members metrics new nil node
    noreply no-reply null oauth official organization organizations owner owners pattern patterns postmaster pricing
    privacy profile public queue register repo repos repositories robots root run runs schema search security self
    session sessions settings setup sign-in sign-out sign-up signin signout signup site static status subscribe
    subscriptions superadmin support sysadmin system team teams tenet terms test token tokens triage undefined user
    users version viewer webhook webhooks well-known worker workers www
    """.split()  # noqa: SIM905 - as a list of literals it would be a page
)


# Whoever begins an installation in development, and nobody who signs up.
DEVELOPER = "developer@tenet.localhost"


def email_address(text: str, *, field: str = "email") -> str:
    """Spell an e-mail address as it is stored and compared, or refuse it.

    Compatible forms (full-width letters, ligatures, the Kelvin sign) become the ASCII that they stand for. What is not
    ASCII then, as a Cyrillic letter that looks like a Latin one, is refused: no two accounts may look the same.
    """
    if len(text) <= 2 * LONGEST_ADDRESS:
        spelt = unicodedata.normalize("NFKC", text.strip()).casefold()
        local_part, _, domain = spelt.rpartition("@")
        if (
            len(spelt) <= LONGEST_ADDRESS
            and len(local_part) <= LONGEST_LOCAL_PART
            and _LOCAL_PART.fullmatch(local_part)
            and _DOMAIN.fullmatch(domain)
        ):
            return spelt
        if not spelt.isascii():
            why = "has letters beyond ASCII; write an international domain in its xn-- form"
            raise Invalid("This e-mail address cannot be used.", fields={field: why})
    raise Invalid("This is not an e-mail address.", fields={field: "needs the form somebody@example.com"})


def address_told(text: str) -> str | None:
    """Spell what may be an e-mail address, or give nothing where it is none."""
    try:
        return email_address(text)
    except Invalid:
        return None


def slug(text: str) -> str:
    """Check the name of an organization in addresses, or refuse it."""
    if not 2 <= len(text) <= 40 or not _SLUG.fullmatch(text):
        why = "needs 2 to 40 lower-case letters, digits and single dashes between them"
        raise Invalid("This slug cannot be used.", fields={"slug": why})
    if text in RESERVED_SLUGS:
        raise Invalid("This slug is reserved.", fields={"slug": "is reserved"})
    return text


def name(text: str, *, field: str = "name", longest: int = LONGEST_NAME) -> str:
    """Check a name that people read, or refuse it."""
    # Before the costly normalization; no form of a name is four times as long as another.
    spelt = unicodedata.normalize("NFC", text.strip()) if len(text) <= 4 * longest else text
    if not 1 <= len(spelt) <= longest:
        raise Invalid("This name cannot be used.", fields={field: f"needs 1 to {longest} characters"})
    if not _is_plain(spelt):
        raise Invalid("This name cannot be used.", fields={field: "has control characters"})
    return spelt


def name_told(text: object) -> str | None:
    """Take a name that somebody else tells of a person, or nothing where it could not be one of ours."""
    try:
        return name(text) if isinstance(text, str) else None
    except Invalid:
        return None


def login_like(text: object) -> str:
    """Make a login that resembles a text; whether it is free stands in the database."""
    words = unicodedata.normalize("NFKD", text[:LONGEST_ADDRESS]) if isinstance(text, str) else ""
    spelt = re.sub(r"[^a-z0-9]+", "-", words.encode("ascii", "ignore").decode().lower()).strip("-")
    return spelt[: LONGEST_LOGIN - 14].strip("-") or "person"


def _is_plain(text: str) -> bool:
    # Control and format characters could hide a part of a name or turn its order around; the two joiners are letters'
    # companions in several scripts and in emoji.
    return all(
        unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") or character in "\u200c\u200d"
        for character in text
    )
