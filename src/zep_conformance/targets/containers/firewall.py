"""Drops whatever a part would answer, as a firewall does: run inside the part's network by a container of its own.

    python3 firewall.py add       # nothing that is sent to the part is answered any more, not even refused
    python3 firewall.py remove

A route that leads nowhere is put over the way to everybody, so that a connection's first packet arrives and its
answer never leaves: to who asks that is a firewall that drops. It needs CAP_NET_ADMIN in that network alone, neither
root on the host nor any tool in the part's image. Stands alone: it is handed to Python as text.
"""

import array
import contextlib
import fcntl
import socket
import struct
import sys
from collections.abc import Iterator

ROUTES = (("0.0.0.0", "128.0.0.0"), ("128.0.0.0", "128.0.0.0"))
ADD, DELETE = 0x890B, 0x890C  # SIOCADDRT, SIOCDELRT: linux/sockios.h
UP, REJECT = 0x0001, 0x0200  # RTF_UP, RTF_REJECT: linux/route.h
LIST = 0x8912  # SIOCGIFCONF
MASK = 0x891B  # SIOCGIFNETMASK


def address(text: str) -> bytes:
    """Return a struct sockaddr_in."""
    return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))


def interfaces(control: socket.socket) -> list[tuple[bytes, str, str]]:
    """(name, address, netmask) of each interface but the loopback."""
    room = array.array("B", bytes(4096))
    asked = struct.pack("iP", len(room), room.buffer_info()[0])  # struct ifconf
    used: int = struct.unpack("iP", fcntl.ioctl(control, LIST, asked))[0]
    found = []
    for start in range(0, used, 40):
        name = room[start : start + 16].tobytes().split(b"\0")[0]
        own = socket.inet_ntoa(room[start + 20 : start + 24].tobytes())
        mask = fcntl.ioctl(control, MASK, struct.pack("16s24x", name))[20:24]
        if not own.startswith("127."):
            found.append((name, own, socket.inet_ntoa(mask)))
    return found


def halves(own: str, mask: str) -> Iterator[tuple[str, str]]:
    """Yield the two halves of a network as (address, netmask): more exact than the route to the network itself."""
    (bits,) = struct.unpack("!I", socket.inet_aton(mask))
    half = (bits >> 1) | 0x80000000
    (low,) = struct.unpack("!I", socket.inet_aton(own))
    low &= bits
    for start in (low, low | (half & ~bits)):
        yield socket.inet_ntoa(struct.pack("!I", start)), socket.inet_ntoa(struct.pack("!I", half))


def main(verb: str) -> None:
    """Put the routes there, or take them away; what is so already is left so."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        routes = [route for _, own, mask in interfaces(control) for route in halves(own, mask)]
        for target, mask in [*ROUTES, *routes]:
            # struct rtentry: a word, target, gateway, netmask, flags, and fields that are left empty
            entry = struct.pack("@L16s16s16sH", 0, address(target), address("0.0.0.0"), address(mask), UP | REJECT)
            with contextlib.suppress(FileExistsError, ProcessLookupError):  # ESRCH: it is not there
                fcntl.ioctl(control, ADD if verb == "add" else DELETE, entry.ljust(120, b"\0"))


if __name__ == "__main__":
    main(sys.argv[1])
