"""The guides as pages to read: `python -m tests.support.guide_docs` writes `docs/guides/` anew.

The same source as the chat's (`chatbot/exchanges/guides/`) and the same labels as its tick lists, so that a
page never says anything else than the bot. `tests/test_guide_docs.py` fails when they differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chatbot.domain.conversations import Guide, Step
from chatbot.exchanges import OTHER, build, discover
from chatbot.exchanges._guides import load_guide
from chatbot.ports.exchanges import Exchange
from chatbot.text import LANGUAGE_NAMES, LOCALES, Translator
from tests.support.clock import VirtualClock

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "guides"
SOURCE = ROOT / "chatbot" / "exchanges" / "guides"
MINUTES = 10
HEAD = "<!-- Made from chatbot/exchanges/guides by `python -m tests.support.guide_docs`. -->"


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says beside the guide's own text, in one language."""

    title: str
    about: str
    page: str
    trade: str
    off: str
    egress: str
    skip: str
    anyone: str
    others: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        "Connect {exchange}",
        "The bot shows you these steps in the chat: write `/connect {name}`.",
        "The page for keys at {exchange}: <{url}>",
        "If your own software trades with the same key",
        "leave off",
        "Shown only where the bot has fixed addresses.",
        "You may skip this step.",
        "exchange",
        "Every other exchange",
    ),
    "es": Words(
        "Conectar {exchange}",
        "El bot te muestra estos pasos en el chat: escribe `/connect {name}`.",
        "La página de claves en {exchange}: <{url}>",
        "Si tu propio software opera con la misma clave",
        "déjalo sin marcar",
        "Solo se muestra donde el bot tiene direcciones fijas.",
        "Puedes omitir este paso.",
        "exchange",
        "Cualquier otro exchange",
    ),
    "pt": Words(
        "Conectar a {exchange}",
        "O bot mostra estas etapas no chat: escreva `/connect {name}`.",
        "A página de chaves na {exchange}: <{url}>",
        "Se o seu próprio software negocia com a mesma chave",
        "deixe desmarcado",
        "Só aparece onde o bot tem endereços fixos.",
        "Você pode pular esta etapa.",
        "exchange",
        "Qualquer outra exchange",
    ),
}


def pages() -> dict[Path, str]:
    """Return the text of every page by its path."""
    exchanges = build({}, VirtualClock())
    made = {PAGES / "README.md": _index(exchanges)}
    for locale in LOCALES:
        for name in _guided(locale):
            made[PAGES / locale / f"{name}.md"] = (
                _general(locale) if name == OTHER else _page(exchanges[name], locale)
            )
    return made


def _guided(locale: str) -> list[str]:
    """List the exchanges that have a guide, and last what leads to all others."""
    written = {path.stem for path in (SOURCE / locale).glob("*.md")}
    return [name for name in (*discover(), OTHER) if name in written]


def _index(exchanges: Mapping[str, Exchange]) -> str:
    lines = [HEAD, "", "# Guides · Guías · Guias"]
    for locale in LOCALES:
        lines += ["", f"## {LANGUAGE_NAMES[locale]}", ""]
        for name in _guided(locale):
            title = WORDS[locale].others if name == OTHER else exchanges[name].title
            lines.append(f"- [{title}]({locale}/{name}.md)")
    return "\n".join(lines) + "\n"


def _page(exchange: Exchange, locale: str) -> str:
    words, guide = WORDS[locale], load_guide(exchange.name, locale)
    body = _body(guide, exchange, locale)
    head = [
        words.title.format(exchange=exchange.title),
        words.about.format(name=exchange.name),
        words.page.format(exchange=exchange.title, url=exchange.key_page),
    ]
    return _joined(head, body, exchange.title)


def _general(locale: str) -> str:
    words = WORDS[locale]
    head = [words.others, words.about.format(name=f"<{words.anyone}>")]
    # Brackets show that a name goes there: no article would fit all the sentences.
    return _joined(head, _body(load_guide(OTHER, locale), None, locale), f"[{words.anyone}]")


def _joined(head: list[str], body: Iterator[str], title: str) -> str:
    first, *rest = head
    # Places are filled in by name alone: a text may hold no other brace.
    text = "\n\n".join([HEAD, f"# {first}", *rest, *body])
    return text.replace("{exchange}", title).replace("{minutes}", str(MINUTES)) + "\n"


def _body(guide: Guide, exchange: Exchange | None, locale: str) -> Iterator[str]:
    words = WORDS[locale]
    number = 0
    for step in guide.steps:
        if step.when == "trade":
            yield f"### {words.trade}"
        else:
            number += 1
            yield f"## {number}. {step.title}"
        yield from _step(step, exchange, locale)
    yield f"## {Translator(locale).say('What happened?')}"
    for stuck in guide.stuck:
        yield f"### {stuck.title}"
        yield from filter(None, stuck.lines)


def _step(step: Step, exchange: Exchange | None, locale: str) -> Iterator[str]:
    words = WORDS[locale]
    if step.when == "egress":
        yield f"*{words.egress}*"
    if step.skip:
        yield f"*{words.skip}*"
    yield from filter(None, step.lines)
    if step.ticks and exchange is not None:
        yield "\n".join(_ticks(exchange, locale, trade=step.when == "trade"))


def _ticks(exchange: Exchange, locale: str, *, trade: bool) -> Iterator[str]:
    wanted = exchange.tick + (exchange.tick_to_trade if trade else ())
    on = dict.fromkeys(exchange.labels[permission] for permission in wanted)
    off = dict.fromkeys(label for label in exchange.labels.values() if label not in on)
    yield from (f"- [x] **{label}**" for label in on)
    yield from (f"- [ ] {label} — {WORDS[locale].off}" for label in off)
    yield f"- [ ] {Translator(locale).say('everything else, above all withdrawals — leave off')}"


def write() -> None:
    """Write every page, and remove those that nothing leads to any more."""
    made = pages()
    for path in PAGES.rglob("*.md"):
        if path not in made:
            path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
