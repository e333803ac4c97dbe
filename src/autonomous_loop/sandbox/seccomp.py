"""Restricts a process and all its descendants to this machine's loopback network.

It needs Linux 5.14 or newer. It works with and without root, also in a default container. It has three parts:

1. A seccomp filter (`build`, in the process) lets the process create local sockets (AF_UNIX, netlink) itself,
  refuses every other family and io_uring, and passes each IPv4 `socket` call to the holder of the listener.
2. The holder (`answer`, in the launcher) creates the socket instead: TCP only, already bound to the loopback
  device. It returns this socket as the result of the call.
3. The kernel lets no process without CAP_NET_RAW remove such a binding. Wherever the process connects to, its
  packets go to the loopback device.

No part judges an address, because the process could change an address in its memory after the check. Without
a holder the calls fail (ENOSYS), so the restriction fails closed.

UDP is refused because a message's IP_PKTINFO overrides the binding. IPv6 is refused because binding to a
link-local address does the same (both were tried). This module imports nothing but the standard library,
because the launcher has nothing else.

Sources: seccomp(2), seccomp_unotify(2), socket(7) and the kernel's net/core/sock.c (SO_BINDTODEVICE).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import sys
from typing import NamedTuple

LOOPBACK = b"lo\0"
SO_BINDTODEVICE = 25
# The number of SYN retries. A connection that leads nowhere fails after about 3 s instead of minutes.
SYN_RETRIES = 1

SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL = 1, 2
SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3
RET_ERRNO, RET_USER_NOTIF, RET_ALLOW = 0x0005_0000, 0x7FC0_0000, 0x7FFF_0000
# BPF: load a word of struct seccomp_data; jump if equal; jump if greater or equal; return.
LOAD, JUMP_EQ, JUMP_GE, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER_AT, ARCHITECTURE_AT, FAMILY_AT = 0, 4, 16  # the low half of an argument: both are little-endian
X32 = 0x4000_0000

NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif
RESPONSE = struct.Struct("=QqiI")  # struct seccomp_notif_resp
ADDITION = struct.Struct("=QIIII")  # struct seccomp_notif_addfd
IOCTL_RECEIVE, IOCTL_SEND, IOCTL_ADD = 0xC050_2100, 0xC018_2101, 0x4018_2103
ADD_AND_SEND = 1 << 1

SOCKET_KIND = 0xF


class Machine(NamedTuple):
    """The numbers of one architecture: its seccomp name and its system calls."""

    audit: int
    seccomp: int
    socket: int
    io_uring_setup: int = 425


MACHINES = {
    "x86_64": Machine(0xC000_003E, 317, 41),
    "aarch64": Machine(0xC000_00B7, 277, 198),
}


def why_not() -> str:
    """Return why the network filter cannot work on this machine; empty if it can."""
    machine = MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return f"there is none for {sys.platform} on {platform.machine()}"
    action = ctypes.c_uint32(RET_USER_NOTIF)
    try:
        _seccomp(machine, SECCOMP_GET_ACTION_AVAIL, 0, ctypes.byref(action))
        _socket(socket.SOCK_STREAM).close()
    except OSError as error:
        return f"the kernel refuses what it needs ({error})"
    return ""


def build() -> int:
    """Install the network filter in this process, which must have no_new_privs set.

    Returns:
        The listener's descriptor (close-on-exec). The process that answers needs it; without an answer no
        socket can be created.

    Raises:
        OSError: the kernel's answer.
    """
    machine = MACHINES[platform.machine()]
    code = ctypes.create_string_buffer(_filter(machine))
    # struct sock_fprog: the number of instructions, and their address.
    program = struct.pack("HP", len(code) // 8, ctypes.addressof(code))
    return _seccomp(machine, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, program)


def answer(listener: int) -> bool:
    """Answer one waiting call; return False if every process behind this filter is gone."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    events = sum(event for _, event in poll.poll(0))
    if not events & select.POLLIN:  # never receive without an event: older kernels would wait for ever
        return not events & (select.POLLHUP | select.POLLERR | select.POLLNVAL)
    call = bytearray(NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, IOCTL_RECEIVE, call)
        number, *_, _family, kind, protocol, _, _, _ = NOTIFICATION.unpack(call)
        _give(listener, number, kind & 0xFFFF_FFFF, protocol & 0xFFFF_FFFF)
    except OSError:  # the caller was killed or interrupted meanwhile
        pass
    return True


def _give(listener: int, number: int, kind: int, protocol: int) -> None:
    plain = kind & ~(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    if plain != socket.SOCK_STREAM or protocol not in {0, socket.IPPROTO_TCP}:
        _refuse(listener, number, errno.EACCES)
        return
    try:
        made = _socket(kind & SOCKET_KIND)
    except OSError as error:
        _refuse(listener, number, error.errno or errno.EACCES)
        return
    with made:
        made.setblocking(not kind & socket.SOCK_NONBLOCK)
        flags = kind & socket.SOCK_CLOEXEC
        # A signal in between (a child has ended) would withdraw the socket and answer the call with 0.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            fcntl.ioctl(listener, IOCTL_ADD, ADDITION.pack(number, ADD_AND_SEND, made.fileno(), 0, flags))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _refuse(listener: int, number: int, error: int) -> None:
    fcntl.ioctl(listener, IOCTL_SEND, RESPONSE.pack(number, 0, -error, 0))


def _socket(kind: int) -> socket.socket:
    """Create a socket that is bound to the loopback device."""
    made = socket.socket(socket.AF_INET, kind)
    try:
        made.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, LOOPBACK)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_RETRIES)
    except BaseException:
        made.close()
        raise
    return made


def _filter(machine: Machine) -> bytes:
    return b"".join(
        [
            _step(LOAD, ARCHITECTURE_AT),
            *_unless(machine.audit, errno.ENOSYS),
            _step(LOAD, NUMBER_AT),
            _step(JUMP_GE, X32, skip_if_not=1),
            _step(RETURN, RET_ERRNO | errno.ENOSYS),
            *_when(machine.io_uring_setup, RET_ERRNO | errno.ENOSYS),
            _step(JUMP_EQ, machine.socket, skip_if=1),
            _step(RETURN, RET_ALLOW),
            _step(LOAD, FAMILY_AT),
            *_when(socket.AF_INET, RET_USER_NOTIF),
            *_when(socket.AF_UNIX, RET_ALLOW),
            *_when(socket.AF_NETLINK, RET_ALLOW),
            # Answer as a machine without IPv6 does; programs handle that.
            *_when(socket.AF_INET6, RET_ERRNO | errno.EAFNOSUPPORT),
            _step(RETURN, RET_ERRNO | errno.EACCES),
        ]
    )


def _when(value: int, action: int) -> list[bytes]:
    return [_step(JUMP_EQ, value, skip_if_not=1), _step(RETURN, action)]


def _unless(value: int, error: int) -> list[bytes]:
    return [_step(JUMP_EQ, value, skip_if=1), _step(RETURN, RET_ERRNO | error)]


def _step(code: int, value: int, *, skip_if: int = 0, skip_if_not: int = 0) -> bytes:
    """Encode one struct sock_filter."""
    return struct.pack("=HBBI", code, skip_if, skip_if_not, value)


def _seccomp(machine: Machine, operation: int, flags: int, argument: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(
        libc.syscall(
            ctypes.c_long(machine.seccomp), ctypes.c_uint(operation), ctypes.c_ulong(flags), argument
        )
    )
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")
    return result
