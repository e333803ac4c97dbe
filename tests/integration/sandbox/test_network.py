"""The fence and the way out of it: each attack is shown to work on hands whose network is open."""

import asyncio
import json
import os
import platform
import socket
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from autonomous_loop.errors import SandboxError
from autonomous_loop.sandbox import seccomp
from autonomous_loop.sandbox.egress import LOCAL_DIRECTLY, Egress
from autonomous_loop.sandbox.network_policy import NetworkPolicy
from autonomous_loop.sandbox.self_test import self_test
from autonomous_loop.sandbox.toolchain import find_browser
from waiting import until

pytestmark = pytest.mark.root

HEAD = """
import ctypes, json, socket, struct, sys, threading
HOST, PORT, INDEX = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
"""
ATTACKS = {
    "tcp": "socket.create_connection((HOST, PORT), 6)",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (HOST, PORT))",
    "udp through another device": """
        where = struct.pack("=i4s4s", INDEX, bytes(4), bytes(4))
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.sendmsg([b"x"], [(socket.IPPROTO_IP, 8, where)], 0, (HOST, PORT))
    """,
    "the binding taken away": """
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, 25, b"\\0")
        one.connect((HOST, PORT))
    """,
    "ipv6": "socket.socket(socket.AF_INET6).connect(('::ffff:' + HOST, PORT))",
    "a link-local device": """
        one = socket.socket(socket.AF_INET6)
        one.setsockopt(socket.IPPROTO_IPV6, 78, 1)
        one.bind(("fe80::1234", 0, 0, INDEX))
    """,
    "mptcp": "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).connect((HOST, PORT))",
    "a socket of another thread": """
        made = []
        thread = threading.Thread(target=lambda: made.append(socket.create_connection((HOST, PORT), 6)))
        thread.start(); thread.join(); made[0]
    """,
    "high bits in the family": """
        call, high, number = ctypes.CDLL(None).syscall, 1 << 32, NUMBER
        made = call(*map(ctypes.c_ulong, (number, high | 2, high | 1, 0)))
        socket.socket(fileno=made).connect((HOST, PORT))
    """,
}


@pytest.fixture
def outside():
    """A listener of the loop's that is not on loopback: its address, port and device."""
    name, address = next(
        (name, one.address)
        for name, all_of_it in psutil.net_if_addrs().items()
        for one in all_of_it
        if one.family == socket.AF_INET and not one.address.startswith("127.")
    )
    with socket.socket() as server:
        server.bind((address, 0))
        server.listen(64)
        yield address, str(server.getsockname()[1]), str(socket.if_nametoindex(name))


@pytest.fixture
async def fenced(make):
    return await make(fenced=True, env=LOCAL_DIRECTLY)


async def attack(sandbox, program, outside):
    program = program.replace("NUMBER", str(seccomp.MACHINES[platform.machine()].socket))
    source = HEAD + textwrap.dedent(program)
    return await sandbox.run([sandbox.python, "-I", "-c", source, *outside], timeout_s=30)


@pytest.mark.parametrize("name", ATTACKS)
async def test_nothing_but_loopback_is_reached(make, fenced, outside, name):
    if name != "mptcp":  # not every kernel has it
        assert (await attack(await make(), ATTACKS[name], outside)).exit_code == 0
    refused = await attack(fenced, ATTACKS[name], outside)
    assert refused.exit_code == 1, refused.text
    assert "Error" in refused.text


async def test_what_the_hands_serve_on_loopback_is_reached(fenced):
    result = await fenced.run(
        ["bash", "-c", ("cd ~; echo hello >page; $0 -m http.server -b 127.0.0.1 8089 >/dev/null 2>&1 & "
         "for i in $(seq 50); do curl -sf http://localhost:8089/page && exit 0; sleep 0.1; done; exit 1"),
         fenced.python], timeout_s=20,
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, b"hello\n")


async def test_sockets_are_what_was_asked_for(fenced):
    program = """
    import os, socket
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    print(os.get_blocking(one.fileno()), os.get_inheritable(one.fileno()), one.type == socket.SOCK_STREAM)
    one.bind(("127.0.0.1", 0)); one.listen()
    two = socket.create_connection(one.getsockname(), 5)
    print(os.get_inheritable(two.fileno()), two.getpeername() == one.getsockname())
    """
    result = await fenced.run([fenced.python, "-c", textwrap.dedent(program)], timeout_s=20)
    assert result.stdout == b"False False True\nFalse True\n"


async def test_a_node_server_at_localhost_is_found(fenced):
    program = """
    const http = require("http");
    const server = http.createServer((_, answer) => answer.end("from node"));
    server.listen(0, "localhost", async () => {
      console.log(await (await fetch(`http://localhost:${server.address().port}/`)).text());
      server.close();
    });
    """
    result = await fenced.run(["node", "-e", program], timeout_s=30)
    assert result.stdout == b"from node\n", result.text


async def test_many_at_once_and_killed_half_way(fenced):
    program = "import socket\nfor _ in range(300): socket.socket().close()"
    runs = [fenced.run([fenced.python, "-c", program], timeout_s=60) for _ in range(6)]
    assert [one.exit_code for one in await asyncio.gather(*runs)] == [0] * 6
    endless = "import socket\nwhile True: socket.socket().close()"
    cut = [fenced.run([fenced.python, "-c", endless], timeout_s=0.5) for _ in range(3)]
    await asyncio.gather(*cut, return_exceptions=True)
    assert (await fenced.run([fenced.python, "-c", program], timeout_s=20)).exit_code == 0


async def test_what_ends_meanwhile_costs_nobody_a_socket(fenced):
    program = "import socket\nfor _ in range(2000): assert socket.socket().fileno() > 2"
    maker = asyncio.create_task(fenced.run([fenced.python, "-c", program], timeout_s=120))
    while not maker.done():
        await asyncio.gather(*[fenced.run(["true"], timeout_s=20) for _ in range(8)])
    assert (maker.result().exit_code, maker.result().text) == (0, "")


async def test_the_launcher_keeps_no_listener_of_what_ended(fenced):
    def held():
        return len(list(Path(f"/proc/{fenced._starter.pid}/fd").iterdir()))

    await fenced.run(["true"], timeout_s=10)
    before = held()
    for _ in range(5):
        await fenced.run([fenced.python, "-c", "import socket; socket.socket()"], timeout_s=10)
    await until(lambda: held() <= before)


async def test_the_self_test_proves_it_from_inside(fenced, make, monkeypatch):
    await self_test(fenced, secrets=[], forbidden_paths=[])
    leaky = await make()
    leaky.fenced = True
    with pytest.raises(SandboxError, match="network is not closed") as found:
        await self_test(leaky, secrets=[], forbidden_paths=[])
    for one in (
        "not bound to loopback",
        "AF_INET6 and SOCK_STREAM",
        "AF_INET and SOCK_DGRAM",
        "connection to",
    ):
        assert one in found.value.message


async def test_where_it_cannot_be_closed_nothing_starts(make, monkeypatch):
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    with pytest.raises(
        SandboxError, match="cannot be closed to the hands: there is none for linux on riscv64"
    ) as no:
        await make(fenced=True)
    assert "network" in no.value.hint


async def test_a_kernel_that_refuses_is_an_error_too(make, monkeypatch):
    def refuses(*_):
        raise OSError(1, "seccomp: Operation not permitted")

    monkeypatch.setattr(seccomp, "_seccomp", refuses)
    with pytest.raises(SandboxError, match="the kernel refuses what it needs"):
        await make(fenced=True)


# --- the way out ------------------------------------------------------------------------------------------


class Upstream:
    """A server that says what it was asked."""

    def __init__(self):
        self.heads = []

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode())
        body = b"<title>Upstream</title><p>reached"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()


NAMES = {"pages.example": "127.0.0.1", "inner.example": "169.254.169.254", "private.example": "10.0.0.7"}


@pytest.fixture
async def world(monkeypatch):
    """An upstream, a proxy that may reach it, what was reported, and names that a resolver knows."""
    upstream, said = Upstream(), []
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def resolve(name, port, **given):
        return await real(NAMES.get(name, name), port, **given)

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    hosts = [f"{name}:{port}" for name in ("pages.example", "inner.example", "private.example", "localhost")]
    reach = NetworkPolicy.read("allowed", hosts)
    egress = await Egress.start(reach, said.append, may_connect=lambda address: address == "127.0.0.1")
    strict = await Egress.start(reach, said.append)
    yield upstream, port, egress, strict, said
    await egress.close()
    await strict.close()
    server.close()


async def curl(sandbox, *arguments):
    return await sandbox.run(["curl", "-sS", "-m", "15", *arguments], timeout_s=20)


async def test_an_allowed_host_is_reached_in_both_ways(make, world):
    upstream, port, egress, _, said = world
    sandbox = await make(fenced=True, env=egress.environment)
    plain = await curl(sandbox, "-H", "Proxy-Authorization: x", f"http://pages.example:{port}/a?b=c")
    tunnel = await curl(sandbox, "-p", f"http://pages.example:{port}/d")
    assert b"reached" in plain.stdout
    assert b"reached" in tunnel.stdout, tunnel.text
    first, second = upstream.heads
    assert first.startswith(f"GET /a?b=c HTTP/1.1\r\nHost: pages.example:{port}\r\nConnection: close\r\n")
    assert "roxy" not in first
    assert second.startswith("GET /d HTTP/1.1\r\n")
    assert said == []


async def test_another_host_is_refused_and_named_once(make, world):
    upstream, port, egress, _, said = world
    sandbox = await make(fenced=True, env=egress.environment)
    for _ in range(2):
        refused = await curl(sandbox, f"http://evil.example:{port}/")
        assert b"evil.example:%d is not in allowed-hosts" % port in refused.stdout
    assert (await curl(sandbox, "-p", "https://evil.example/")).exit_code != 0
    direct = await curl(sandbox, "--noproxy", "*", f"http://pages.example:{port}/")
    assert direct.exit_code != 0
    assert upstream.heads == []
    assert said == [
        f"the hands' network: evil.example:{port} is not in allowed-hosts",
        "the hands' network: evil.example:443 is not in allowed-hosts",
    ]


@pytest.mark.parametrize("name", ["pages.example", "inner.example", "private.example", "localhost"])
async def test_a_listed_name_at_an_inner_address_is_refused(make, world, name):
    upstream, port, _, strict, _ = world
    sandbox = await make(fenced=True)
    proxied = await curl(
        sandbox, "--noproxy", "", "-x", f"http://127.0.0.1:{strict.port}", f"http://{name}:{port}/"
    )
    assert b"is at no address of the internet" in proxied.stdout
    assert upstream.heads == []


async def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to(world, monkeypatch):
    _upstream, port, egress, _, _ = world
    answers = iter(["127.0.0.1", "169.254.169.254"])
    loop = asyncio.get_running_loop()
    asked = []

    async def resolve(name, port, **_):
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    answer = await spoken(egress, f"GET http://pages.example:{port}/ HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert asked == ["pages.example"]


async def spoken(egress, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", egress.port)
    writer.write(request.encode())
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET / HTTP/1.1\r\n\r\n", b"400"),
        ("GET ftp://pages.example/ HTTP/1.1\r\n\r\n", b"400"),
        ("GET http://user@pages.example/ HTTP/1.1\r\n\r\n", b"400"),
        ("GET http://pages.example:x/ HTTP/1.1\r\n\r\n", b"400"),
        ("CONNECT pages.example HTTP/1.1\r\n\r\n", b"400"),
        ("nonsense\r\n\r\n", b"400"),
        ("GET http://pages.example/", b"400"),
        ("CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n", b"403"),
        ("CONNECT [::1]:22 HTTP/1.1\r\n\r\n", b"403"),
        ("CONNECT 2130706433:443 HTTP/1.1\r\n\r\n", b"403"),
        ("CONNECT pages.example:443 HTTP/1.1\r\n\r\n", b"403"),
        ("X" * 100_000 + "\r\n\r\n", b"400"),
    ],
)
async def test_what_is_no_allowed_request_gets_an_answer_and_nothing_else(world, request_, status):
    upstream, _, egress, _, _ = world
    assert (await spoken(egress, request_)).split(b" ")[1] == status
    assert upstream.heads == []


async def test_reports_end_before_they_flood(world):
    _, _, egress, _, said = world
    for number in range(30):
        await spoken(egress, f"CONNECT h{number}.example:443 HTTP/1.1\r\n\r\n")
    assert len(said) == 20


async def test_a_host_that_does_not_answer_is_said(world):
    _, _, _, _, said = world
    egress = await Egress.start(
        NetworkPolicy.read("allowed", ["pages.example:1"]), said.append, may_connect=lambda _: True
    )
    answer = await spoken(egress, "CONNECT pages.example:1 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 ")
    await egress.close()


async def test_the_browser_has_loopback_and_the_allowed_hosts(make, world):
    _upstream, port, egress, _, _ = world
    chrome = find_browser(os.defpath)
    sandbox = await make(
        fenced=True, env=egress.environment, chrome_path=chrome, browser_python=sys.executable
    )
    await sandbox.shell("cd ~; echo '<title>Own</title><p>served here' >index.html", timeout_s=10)
    begun = await sandbox.shell(
        f"{sandbox.python} -m http.server 8091 -b 127.0.0.1 >/dev/null 2>&1 &"
        " curl -sS --retry 99 --retry-delay 1 --retry-connrefused -o /dev/null http://localhost:8091/",
        timeout_s=60,
    )
    assert begun.exit_code == 0, begun.text
    own = await sandbox.browse("goto", url="http://localhost:8091/index.html")
    assert "served here" in own.text
    allowed = await sandbox.browse("goto", url=f"http://pages.example:{port}/")
    assert "title: Upstream" in allowed.text
    refused = await sandbox.browse("goto", url=f"http://evil.example:{port}/")
    assert "is not in allowed-hosts" in refused.text
    assert (await sandbox.browse("screenshot")).png


async def test_the_environment_of_the_hands_names_the_proxy_and_nothing_of_the_loops(make, world):
    _, _, egress, _, _ = world
    sandbox = await make(fenced=True, env=egress.environment)
    result = await sandbox.run(
        [sandbox.python, "-c", "import json, os; print(json.dumps(dict(os.environ)))"], timeout_s=10
    )
    given = json.loads(result.stdout)
    assert given["https_proxy"] == given["HTTP_PROXY"] == f"http://127.0.0.1:{egress.port}"
    assert "localhost" in given["no_proxy"]
    assert given["NODE_OPTIONS"] == "--dns-result-order=ipv4first"


async def test_a_program_has_neither_the_fences_listener_nor_a_way_round_it(make, fenced, outside):
    source = """
import os, socket, sys
print(sorted(map(int, os.listdir("/proc/self/fd")))[:-1])
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
    print("reached")
except OSError:
    print("refused")
"""
    for sandbox, found in ((await make(), "reached"), (fenced, "refused")):
        done = await sandbox.run(["ours", *outside], program=source, timeout_s=30)
        assert done.text == f"[0, 1, 2]\n{found}\n"
