"""With the network cut, the site is served and questions are answered: in a network namespace of its own, else under a socket guard."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Runs the server as a process below it and talks to it over loopback; prints what it got as JSON.
VISIT = """
import json, os, subprocess, sys
from urllib.request import Request, urlopen
site, index, journal, guard = sys.argv[1:]
program = guard + "\\nimport sys\\nfrom bot.cli import main\\nsys.exit(main(sys.argv[1:]))"
command = [sys.executable, "-c", program, "serve", "--port", "0", "--site", site, "--index", index]
server = subprocess.Popen(command, env=os.environ | {"PORTSIDE_JOURNAL": journal}, stdout=subprocess.PIPE, text=True)
address = (server.stdout.readline() or sys.exit("the server did not start")).split()[-1]
def ask(question):
    body = json.dumps({"question": question}).encode()
    return json.loads(urlopen(Request(address + "/api/ask", body, {"Content-Type": "application/json"})).read())
found = {path: urlopen(address + path).status for path in ("/", "/ingress/", "/assets/ask.js", "/healthz", "/openapi.json")}
print(json.dumps({"pages": found, "answer": ask("should I use Ingress for UDP?"), "declined": ask("how do I cook borscht")}))
server.terminate()
server.wait()
"""

# Brings up loopback, the one interface of a new namespace, and shows that there is no other way out.
NAMESPACE = """
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    fcntl.ioctl(control, 0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x40, b""))  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
assert [name for _, name in socket.if_nameindex()] == ["lo"], socket.if_nameindex()
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError:
    pass
else:
    raise SystemExit("there is a way out")
"""

# Ends the process that connects to, or looks up, anything but loopback.
GUARD = """
import os, sys
def audit(event, arguments):
    host = {
        "socket.connect": lambda: arguments[1],
        "socket.sendto": lambda: arguments[1],
        "socket.getaddrinfo": lambda: arguments,
    }.get(event)
    host = host() if host else None
    if isinstance(host, tuple) and host[0] not in (None, "", "127.0.0.1", "::1", "localhost", "0.0.0.0"):
        print(f"{event} {host}", file=sys.stderr, flush=True)
        os._exit(78)
sys.addaudithook(audit)
"""


LIMIT = 120  # seconds: a hundred times what it takes


def has_namespaces() -> bool:
    unshare = shutil.which("unshare")
    return bool(unshare) and subprocess.run([str(unshare), "-rn", "true"], capture_output=True, check=False).returncode == 0


CUT = [pytest.param("namespace", id="network-namespace") if has_namespaces() else pytest.param("guard", id="socket-guard")]


@pytest.mark.parametrize("cut", CUT)
def test_site_and_answers_work_with_the_network_cut(cut: str, site: Path, real_index: Path, tmp_path: Path) -> None:
    isolated = cut == "namespace"
    program = (NAMESPACE if isolated else GUARD) + VISIT
    command = [*(["unshare", "-rn"] if isolated else []), sys.executable, "-c", program]
    arguments = [str(site), str(real_index), str(tmp_path / "journal.sqlite"), GUARD]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["pages"].values()) == {200}
    assert found["answer"]["citations"][0]["url"] == "/ingress/#ingress-udp"
    assert found["declined"]["citations"], "the nearest sections"


def test_the_guard_ends_a_process_that_calls_out() -> None:
    for call in ("socket.create_connection(('192.0.2.1', 80), timeout=1)", "socket.getaddrinfo('example.com', 80)"):
        done = subprocess.run([sys.executable, "-c", f"{GUARD}\nimport socket\n{call}"], capture_output=True, text=True, check=False)
        assert done.returncode == 78, call
    local = subprocess.run([sys.executable, "-c", f"{GUARD}\nimport socket\nsocket.getaddrinfo('127.0.0.1', 80)"], check=False)
    assert local.returncode == 0
