"""What an honest person notices while 400 connections stall: `python -m bench.abuse`.

Starts the bot in a folder of its own on loopback, times the link page (page, style and script, each over a
new connection) while nothing else happens, then again while five kinds of stalled connections are held.
Those that the server cuts are opened anew. Prints both, and ends with 1 when the difference is too big.
"""

import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STALLED = 400
SAMPLES = 150
PAUSE_SECONDS = 0.1  # between two looks, so that the run is longer than the server's deadline
MOST_MS = 200.0
START_SECONDS = 60.0
WAIT_SECONDS = 10.0
FILES = ("/key", "/key.css", "/key.js")
ROOT = Path(__file__).parents[1]

GET = b"GET /key HTTP/1.1\r\nHost: %s\r\n"
POST = (
    b"POST /api/open HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{"
)
# What each kind says at first, and what it adds now and then.
KINDS = {
    "says nothing": (b"", b""),
    "half a request line": (b"GET /ke", b"y"),
    "half the headers": (GET, b"X-A: b\r\n"),
    "half a body": (POST, b" "),
    "never takes its answers": ((GET + b"\r\n") * 20, GET + b"\r\n"),
}


class Stalled:
    """Connections that never get on, kept at their number."""

    def __init__(self, port: int, count: int) -> None:
        self._host = b"localhost:%d" % port
        self._port = port
        self._kinds = [list(KINDS.values())[number % len(KINDS)] for number in range(count)]
        self._lines = [self._open(first) for first, _ in self._kinds]
        self.cut = 0

    def drip(self) -> None:
        """Let each say a little more, and open anew what the server has cut."""
        for number, (first, more) in enumerate(self._kinds):
            if self._is_over(self._lines[number], more):
                self._lines[number].close()
                self._lines[number] = self._open(first)
                self.cut += 1

    def close(self) -> None:
        """Let them go."""
        for line in self._lines:
            line.close()

    def _open(self, first: bytes) -> socket.socket:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(WAIT_SECONDS)
        line.connect(("127.0.0.1", self._port))
        line.settimeout(0)
        line.send(first.replace(b"%s", self._host))
        return line

    def _is_over(self, line: socket.socket, more: bytes) -> bool:
        try:
            if more:
                line.send(more.replace(b"%s", self._host))
            return line.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


def look(port: int) -> float:
    """Load the page as a browser does and return how many milliseconds it took."""
    began = time.perf_counter()
    for path in FILES:
        with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as line:
            line.sendall(
                b"GET %s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n" % (path.encode(), port)
            )
            answer = b"".join(iter(lambda: line.recv(65536), b""))
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{path} was not answered: {answer[:80]!r}")
    return (time.perf_counter() - began) * 1000


@contextmanager
def bot(folder: Path) -> Iterator[int]:
    """Run the bot with its web chat until the block ends, and give its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    settings = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "chatbot", "run"], cwd=folder, env=settings, stdout=said, stderr=said
        )
        try:
            _await(port, process, folder / "said")
            yield port
        finally:
            process.terminate()
            try:
                process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            look(port)
        except OSError:
            select.select([], [], [], PAUSE_SECONDS)
        else:
            return
    raise SystemExit(f"The bot did not start: {said.read_text(errors='replace')[-500:]}")


def _rested(port: int) -> float:
    select.select([], [], [], PAUSE_SECONDS)
    return look(port)


def _told(name: str, times: list[float]) -> float:
    ranked = sorted(times)
    middle, late, worst = statistics.median(ranked), ranked[int(len(ranked) * 0.95)], ranked[-1]
    print(f"{name:<18} median {middle:7.1f} ms   95 % {late:7.1f} ms   worst {worst:7.1f} ms")
    return late


def main() -> int:
    """Measure, print, and say by the exit code whether the promise holds."""
    with tempfile.TemporaryDirectory(prefix="keyherald-bench-") as name, bot(Path(name)) as port:
        look(port)
        idle = [_rested(port) for _ in range(SAMPLES)]
        stalled = Stalled(port, STALLED)
        try:
            busy = []
            for _ in range(SAMPLES):
                stalled.drip()
                busy.append(_rested(port))
        finally:
            stalled.close()
    quiet = _told("idle", idle)
    more = _told(f"with {STALLED} stalled", busy) - quiet
    print(f"cut by the server and opened anew: {stalled.cut}")
    print(f"difference at 95 %: {more:.1f} ms; allowed: {MOST_MS:.0f} ms")
    return 0 if more < MOST_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
