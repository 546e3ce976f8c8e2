"""What stays of a secret in memory: no core dump, no look from outside, no copy after the wipe.

Each test runs a process of its own, because it changes the process or reads all of its memory.
"""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from storage.masterkeys import parse_master_keys
from storage.vault import Sealer, Vault
from tests.support.sources import ROOT
from tests.support.vaults import CANARY, OWNER, PEPPER, credentials, key_line

HARDENED = """
import ctypes, resource
from storage.coredumps import harden_process
harden_process()
harden_process()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""

ELSEWHERE = """
import sys
sys.platform, sys.modules["resource"] = "win32", None
from storage.coredumps import harden_process
harden_process()
print("fine")
"""

UNSEALED = """
import sys
from storage.masterkeys import parse_master_keys
from storage.vault import Sealer, Vault
from chatbot.domain.secrets import Secret
from chatbot.ports.vault import SealedCredential
key, kek_id, dek, box, *owner = sys.argv[1:]
vault = Vault(Sealer(parse_master_keys(key, "key")), Secret(b"p"))
sealed = SealedCredential(kek_id, bytes.fromhex(dek), bytes.fromhex(box))
opened = vault.unseal(*owner, sealed)
print("open", flush=True)
sys.stdin.readline()
opened.wipe()
vault.unseal(*owner, sealed).wipe()
print("wiped", flush=True)
sys.stdin.readline()
"""


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this switch")
def test_a_hardened_process_leaves_no_core_and_lets_nobody_in():
    """Core dumps are off, hard limit included, and the process is not dumpable; twice does no harm."""
    assert run(HARDENED) == "(0, 0) 0\n"


def test_hardening_does_nothing_where_it_cannot():
    """On a system without these switches the start goes on."""
    assert run(ELSEWHERE) == "fine\n"


def copies(process: int, wanted: bytes) -> int:
    found = 0
    with Path(f"/proc/{process}/maps").open() as maps, Path(f"/proc/{process}/mem").open("rb", 0) as memory:
        for line in maps:
            span, rights, *rest = line.split()
            if rights.startswith("rw") and not rest[-1].startswith("[v"):
                start, end = (int(part, 16) for part in span.split("-"))
                memory.seek(start)
                found += memory.read(end - start).count(wanted)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows a process's memory as a file")
def test_nothing_of_an_opened_credential_stays_in_memory():
    """While it is open its secret is found once; after the wipe there is no whole copy left anywhere."""
    key = key_line("k1").strip()
    secret = CANARY + secrets.token_hex(16)
    vault = Vault(Sealer(parse_master_keys(key, "key")), PEPPER)
    sealed = vault.seal(*OWNER, credentials("key", secret))
    arguments = [key, sealed.kek_id, sealed.wrapped_dek.hex(), sealed.box.hex(), *OWNER]
    command = [sys.executable, "-c", UNSEALED, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        assert copies(child.pid, secret.encode()) == 1
        child.stdin.write(b"\n")
        assert child.stdout.readline() == b"wiped\n"
        assert copies(child.pid, secret.encode()) == 0
        child.stdin.write(b"\n")

    assert child.returncode == 0
