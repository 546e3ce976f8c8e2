"""The README's blocks that must match the code: `python -m tests.support.readme` writes them anew."""

from pathlib import Path

import handlers
from chatbot import exchanges
from chatbot.domain.people import Role
from chatbot.registry import CommandEntry, Registry
from chatbot.settings import readme_table
from tests.support.clock import VirtualClock

README = Path(__file__).parents[2] / "README.md"


def blocks() -> dict[str, str]:
    """Return each block's text by its name."""
    return {
        "commands": _commands(),
        "exchanges": _exchanges(),
        "settings": f"\n\n{readme_table().strip()}\n\n",
    }


def filled(text: str) -> str:
    """Return the README with its blocks as the code has them."""
    for name, block in blocks().items():
        head, _, rest = text.partition(f"<!-- {name} -->")
        tail = rest.partition(f"<!-- /{name} -->")[2]
        text = f"{head}<!-- {name} -->{block}<!-- /{name} -->{tail}"
    return text


def _commands() -> str:
    registry = Registry().load(handlers)
    entries = [registry.commands[listed.name] for listed in registry.listed()]
    rows = "\n".join(
        f"| `/{c.name}{' ' + c.usage if c.usage else ''}` | {c.about}{_who(c)} |" for c in entries
    )
    return f"\n\n| Command | Does |\n|---|---|\n{rows}\n\n"


def _who(entry: CommandEntry) -> str:
    return " (admins)" if entry.role is Role.ADMIN else ""


def _exchanges() -> str:
    return ", ".join(e.title for e in exchanges.build({}, VirtualClock()).values())


if __name__ == "__main__":
    README.write_text(filled(README.read_text("utf-8")), "utf-8")
