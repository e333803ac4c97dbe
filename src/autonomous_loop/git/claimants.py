"""Identifies the holder of a claim outside CI: one process of one boot of one host."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

import psutil

from autonomous_loop.domain.events import Claimant


class ProcessClaimants:
    """Implements `Claimants` by host, boot, pid and start time."""

    def me(self) -> Claimant:
        """See `Claimants`."""
        me = psutil.Process()
        return Claimant(
            nonce=secrets.token_hex(16),
            host=socket.gethostname(),
            boot=_boot(),
            pid=os.getpid(),
            started=me.create_time(),
        )

    def is_alive(self, claimant: Claimant) -> bool:
        """See `Claimants`."""
        if claimant.run_id or claimant.host != socket.gethostname():
            return True  # another host or a CI run: this process cannot check it
        if claimant.boot != _boot() or claimant.pid == os.getpid():
            return False  # this very process claims again, so its earlier session has ended
        try:
            process = psutil.Process(claimant.pid)
            same = abs(process.create_time() - claimant.started) < 1.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return str(psutil.boot_time())
