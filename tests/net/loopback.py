"""What this machine's own loopback can do."""

import socket


def has_ipv6_loopback() -> bool:
    """Whether anything can listen on ::1."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True
