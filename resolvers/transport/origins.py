"""Which web pages may speak to this service in their visitor's name."""

from collections.abc import Mapping

from app.config import Settings

# A page elsewhere cannot set a header like these without asking first (CORS), and is refused then.
_DELIBERATE = (b"x-tenet-csrf", b"apollo-require-preflight")


class Origins:
    """The service's own origin and those of its front ends."""

    def __init__(self, settings: Settings) -> None:
        self._known = {origin.encode() for origin in settings.origins}
        if settings.public_url is not None:
            scheme, _, rest = settings.public_url.partition("://")
            self._known.add(f"{scheme}://{rest.partition('/')[0]}".encode())

    def welcome(self, headers: Mapping[bytes, bytes]) -> bool:
        """Tell whether a request comes from no page at all, from our own or from a known one."""
        origin = headers.get(b"origin")
        if origin is None or origin in self._known:
            return True
        # Behind a proxy that ends TLS the scheme here is not the browser's, so the host alone must be the same.
        _, separator, host = origin.partition(b"://")
        return bool(separator) and host == headers.get(b"host")

    def deliberate(self, headers: Mapping[bytes, bytes], *, by_get: bool) -> bool:
        """Tell whether a request that a cookie signed in was meant by its sender, not caused by a foreign page.

        A POST of JSON cannot be sent across origins without CORS's consent; a GET can, by a mere image, and older
        browsers name no origin for it: then it must show something that only our own pages or a program can.
        """
        if not self.welcome(headers):
            return False
        return (
            not by_get
            or b"origin" in headers
            or headers.get(b"sec-fetch-site") == b"same-origin"
            or any(name in headers for name in _DELIBERATE)
        )
