"""Networks and machines of their own, for tests of what can be reached: Linux namespaces."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def network_namespace() -> Iterator[str]:
    """Make a network of its own, with nothing in it, and yield its name. Skips where that can't be had."""
    if shutil.which("ip") is None:
        pytest.skip("no ip command (iproute2)")
    name = f"zc{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no network namespace may be made here: {made.stderr.strip()}")
    try:
        run_in(name, "ip", "link", "set", "lo", "up")
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def run_in(namespace: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a namespace, and return how it ended."""
    return subprocess.run(["ip", "netns", "exec", namespace, *command], capture_output=True, text=True)


@contextlib.contextmanager
def other_machine() -> Iterator[tuple[str, str]]:
    """Make what looks like another machine on the network, and yield its namespace and address. Skips likewise."""
    with network_namespace() as name:
        network = f"10.213.{os.getpid() % 250}"  # several test processes may do this at once
        ours, theirs = f"{name}a"[-15:], f"{name}b"[-15:]
        for command in (
            f"ip link add {ours} type veth peer name {theirs} netns {name}",
            f"ip addr add {network}.1/30 dev {ours}",
            f"ip link set {ours} up",
            f"ip netns exec {name} ip addr add {network}.2/30 dev {theirs}",
            f"ip netns exec {name} ip link set {theirs} up",
        ):
            done = subprocess.run(command.split(), capture_output=True, text=True)
            if done.returncode != 0:
                pytest.skip(f"no second machine can be imitated here: {command}: {done.stderr.strip()}")
        yield name, f"{network}.2"
