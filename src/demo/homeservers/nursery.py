# Owns the processes of Synapse: imports it once, then forks one homeserver per request read on standard input.
"""Requests are JSON lines {"config": path, "output": path}; each is answered by {"pid": number}.

The first line written, {"ready": version}, says that Synapse is imported: that is most of the cost of a start.
End of input ends this process, and the kernel then kills what it forked: no homeserver outlives the program that wanted it.
"""

import ctypes
import json
import os
import signal
import socket
import sys
from importlib.metadata import version

from synapse.app.complement_fork_proxied_reactor import ProxiedReactor
from twisted.internet.main import installReactor

# Twisted binds its reactor at import, but each homeserver needs one of its own: a proxy is installed now, filled in after the fork.
reactor = ProxiedReactor()
installReactor(reactor)

import synapse.app.homeserver  # noqa: E402

PR_SET_PDEATHSIG = 1
look_up = socket.getaddrinfo


def look_up_localhost(host, *args, **kwargs):
    """RFC 6761, 6.3: names under .localhost are the loopback address. The C library alone does not know that."""
    name = host.decode() if isinstance(host, bytes) else host
    local = isinstance(name, str) and name.rstrip(".").endswith(".localhost")
    return look_up("127.0.0.1" if local else host, *args, **kwargs)


def be_homeserver(config: str, output: str, nursery: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != nursery:
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.chdir(os.path.dirname(config))
    from twisted.internet.epollreactor import EPollReactor

    reactor._install_real_reactor(EPollReactor())
    sys.argv = ["synapse", "-c", config]
    synapse.app.homeserver.main()


def serve() -> None:
    socket.getaddrinfo = look_up_localhost
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Ended children leave no zombie, so that "is it alive" can be asked by its id.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nursery = os.getpid()
    print(json.dumps({"ready": version("matrix-synapse")}), flush=True)
    while line := sys.stdin.readline():
        request = json.loads(line)
        if pid := os.fork():
            print(json.dumps({"pid": pid}), flush=True)
            continue
        status = 1
        try:
            be_homeserver(request["config"], request["output"], nursery)
            status = 0
        finally:
            os._exit(status)


serve()
