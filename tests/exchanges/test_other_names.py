"""Which names ccxt adds, and that nobody pays for it who does not use it."""

import subprocess
import sys
from importlib.machinery import PathFinder
from typing import Any

import pytest

from chatbot.domain.secrets import find_pasted
from chatbot.exchanges import build, discover, other
from tests.rig.process import free_port, master_key, running
from tests.support.clock import VirtualClock
from tests.support.venues import SECRET

OWN = set(discover())


class Hidden:
    """A finder that has never heard of ccxt: as on a machine where the extra is not installed."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> object:
        if name.partition(".")[0] == "ccxt":
            return None
        return PathFinder.find_spec(name, path, target)  # type: ignore[arg-type]


@pytest.fixture
def without_ccxt(monkeypatch):
    """Take the extra away."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "ccxt"]:
        monkeypatch.delitem(sys.modules, name)
    finders = [
        finder for finder in sys.meta_path if finder is not PathFinder and "editable" not in repr(finder)
    ]
    monkeypatch.setattr(sys, "meta_path", [*finders, Hidden])


def imports(code: str) -> str:
    """Run code in a fresh interpreter and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_names_are_listed_without_importing_anything():
    """Building all exchanges, naming the others and not finding one leaves ccxt on the disk."""
    code = (
        "import sys; from chatbot.exchanges import build; from tests.support.clock import VirtualClock\\n"
        "known = build({}, VirtualClock()); print(len(known.others) > 50, known.get('nowhere'), 'nowhere' in known,"
        " [m for m in sys.modules if m.startswith('ccxt')])"
    ).replace("\\n", "\n")

    assert imports(code) == "True None False []"


def test_the_help_of_the_command_imports_nothing_of_it():
    """`keyherald --help` and the commands' list stay quick."""
    code = (
        "import sys, runpy; sys.argv = ['keyherald', '--help']\n"
        "try: runpy.run_module('chatbot', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith('ccxt')])"
    )

    assert imports(code).splitlines()[-1] == "[]"


async def test_a_running_bot_has_not_imported_it(tmp_path):
    """`make run` opens no file of ccxt until somebody asks for an exchange that needs it."""
    settings = {
        "DATA_DIR": str(tmp_path / "var"), "PORT": str(free_port()), "MASTER_KEY_FILE": master_key(tmp_path),
        "PYTHONVERBOSE": "1",
    }  # fmt: skip
    async with running("run", tmp_path, settings) as program:
        await program.says("/chat#")
    lines = (program.err + program.out).splitlines()

    assert any("import 'chatbot.exchanges" in line for line in lines)
    assert [line for line in lines if "import 'ccxt" in line] == []


def test_the_others_are_those_without_a_file_of_their_own():
    """Regional sisters of our own exchanges are among them, our own are not."""
    others = set(build({}, VirtualClock()).others)

    assert {"kucoin", "okxus", "bybiteu", "binanceus", "krakenfutures"} <= others
    assert not others & OWN
    assert "base" not in others
    assert all(other.NAME.fullmatch(name) for name in others)


@pytest.mark.parametrize(
    "name", ["nowhere", "", "../kucoin", "kucoin.py", "__init__", "base", "KuCoin", "a" * 40]
)
def test_names_that_ccxt_does_not_know_are_unknown(name):
    """Whatever a person types, only a name of an exchange's file is looked up."""
    with pytest.raises(KeyError):
        other.find(name)


def test_without_the_extra_there_are_no_others(without_ccxt):
    """A plain installation knows its own exchanges and says so."""
    known = build({}, VirtualClock())

    assert known.others == ()
    assert known.get("kucoin") is None
    assert set(known) == OWN
    with pytest.raises(KeyError):
        other.find("kucoin")


def test_secrets_of_the_others_are_noticed_in_chat_too():
    """A pasted KuCoin secret is taken out of a message like any other; an address of a coin is not."""
    shapes = build({}, VirtualClock()).shapes

    assert find_pasted(f"my secret is {SECRET}", shapes)
    assert find_pasted("x" * 20 + "Y7" * 15, shapes)
    assert find_pasted("send it to 0x52908400098527886E0F7030069857D2E4169EE7 please", shapes) is None
    assert find_pasted("the whole account please, of yesterday", shapes) is None


def test_without_the_extra_their_shapes_are_not_looked_for(without_ccxt):
    """Nobody's message is taken for a key of an exchange that can't be connected."""
    assert "other" not in {shape.exchange for shape in build({}, VirtualClock()).shapes}


async def test_all_that_were_used_are_closed():
    """Closing the collection closes what was opened on the way, too."""
    known = build({"kucoin": "http://127.0.0.1:9"}, VirtualClock())
    used: Any = known["kucoin"]
    assert "kucoin" in set(known)
    await known.close()

    assert all(host._closed for host in used._library.wire._hosts.values())
