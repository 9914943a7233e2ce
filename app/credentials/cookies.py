"""Cookies: how the session's is spelt, and how one is found in a request."""

from dataclasses import dataclass

# Browsers send a few kilobytes at most; nothing longer is worth searching.
LONGEST_HEADER = 16_384


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of this service.

    With Secure its name begins with __Host-: browsers then take it from this host alone, for all of its paths, and no
    neighbour under the same domain can plant one. Lax, so that a link from elsewhere finds its reader signed in.
    """

    name: str
    secure: bool

    def set(self, value: str, *, seconds: int) -> tuple[bytes, bytes]:
        """Give the header that makes a browser keep a value."""
        secure = "; Secure" if self.secure else ""
        spelt = f"{self._name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"
        return b"set-cookie", spelt.encode()

    def clear(self) -> tuple[bytes, bytes]:
        """Give the header that makes a browser forget."""
        return self.set("", seconds=0)

    def find(self, header: bytes | None) -> str | None:
        """Find the value in a request's cookie header; one that comes twice is none."""
        if header is None or len(header) > LONGEST_HEADER:
            return None
        wanted = f"{self._name}=".encode()
        found = [part[len(wanted) :] for pair in header.split(b";") if (part := pair.strip()).startswith(wanted)]
        return found[0].decode("latin-1") if len(found) == 1 else None

    @property
    def _name(self) -> str:
        return f"__Host-{self.name}" if self.secure else self.name


def browser_cookie(*, secure: bool) -> Cookie:
    """Describe the cookie by which a browser is known again after its session ended; by itself it opens nothing."""
    return Cookie("tenet_browser", secure)


def session_cookie(*, secure: bool) -> Cookie:
    """Describe the cookie that carries the secret of a session."""
    return Cookie("tenet_session", secure)
