"""Which network addresses a repository may be fetched from."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# These are refused whatever an installation allows: they are no hosts, or they answer with a cloud machine's
# credentials (169.254.169.254 is link-local; Azure's, Alibaba's, Oracle's and Amazon's others are not).
_NEVER = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "::/128",
        "fe80::/10",
        "ff00::/8",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
    )
)

# Private, though the standard library of some Python versions holds them for global.
_PRIVATE = tuple(ip_network(network) for network in ("192.0.0.0/24", "fec0::/10", "3fff::/20", "5f00::/16"))

# An address of version 4 in the last 32 bits: NAT64, and the form that was once "compatible".
_CARRIERS = tuple(ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))


def refused_address(text: str, *, private: bool) -> bool:
    """Tell whether an address must not be connected to; `private` allows this host and its own network."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return True
    return any(_refused(each, private) for each in (address, *_carried(address)))


def _refused(address: IPv4Address | IPv6Address, private: bool) -> bool:
    if any(address in network for network in _NEVER):
        return True
    return not private and (not address.is_global or any(address in network for network in _PRIVATE))


def _carried(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """Find the addresses of version 4 that one of version 6 leads to."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    # ::1 and :: are themselves, not carriers of 0.0.0.1 and 0.0.0.0.
    if int(address) > 1 and any(address in network for network in _CARRIERS):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(each for each in found if each is not None)
