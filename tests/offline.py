"""Runs a command in a network namespace that has loopback only, and counts what tried to leave it.

Used by `test_offline.py` as `unshare --net python -m tests.offline COMMAND…`; the last line printed is JSON.
"""

import fcntl
import json
import socket
import struct
import subprocess
import sys
from pathlib import Path

SIOCSIFFLAGS, IFF_UP_AND_RUNNING = 0x8914, 0x41


def raise_loopback() -> None:
    """A new namespace has a loopback interface that is down."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP_AND_RUNNING))


def attempts_to_leave() -> int:
    """Count what the kernel could not route: every connection or look-up that was meant for elsewhere."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:"))
    version_6 = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(version_6["Ip6OutNoRoutes"])


def main() -> None:
    """Run the command; say its exit code and how often anything tried to leave."""
    raise_loopback()
    before = attempts_to_leave()
    done = subprocess.run(sys.argv[1:], check=False)
    print(json.dumps({"exit_code": done.returncode, "attempts": attempts_to_leave() - before}))


if __name__ == "__main__":
    main()
