"""One step of a guide, and the answers to *I'm stuck*, as messages edited in place."""

from collections.abc import Sequence
from dataclasses import replace

from chatbot.domain.conversations import Guide, Step, Stuck
from chatbot.domain.messages import Button, Line, Message, bold, code, line, message
from chatbot.domain.permissions import TOO_MUCH
from chatbot.ports.context import Options
from chatbot.ports.exchanges import Exchange, Exchanges
from chatbot.text import Translator

# The key of the answer that is the same at every exchange; no section of a guide file can have a colon.
OURS = "ours:too-much"


def others(exchanges: Exchanges, t: Translator) -> list[str]:
    """Say in one line that more exchanges can be connected by name, where that is so."""
    named = exchanges.others
    if not named:
        return []
    example = "kucoin" if "kucoin" in named else named[0]
    return [
        t.say(
            "Or type {command}: I know {count} more by name.", command=f"/connect {example}", count=len(named)
        )
    ]


def step(
    guide: Guide,
    steps: Sequence[Step],
    at: int,
    exchange: Exchange,
    options: Options,
    t: Translator,
    doors: Sequence[str] = (),
) -> Message:
    """Show step number `at` (from 0); `doors` are the secure page's addresses on the last one: web, app."""
    now = steps[at]
    parts: list[Line] = [
        line(bold(_filled(now.title, exchange, options))),
        line(
            t.say(
                "{exchange} · step {number} of {count}",
                exchange=exchange.title,
                number=at + 1,
                count=len(steps),
            )
        ),
        line(),
        *(line(_filled(text, exchange, options)) for text in now.lines),
    ]
    if now.ticks:
        parts += _ticks(exchange, options, t)
    if now.when == "egress":
        most = exchange.max_addresses or None  # 0: the exchange names no limit
        parts += [line(), *(line(code(address)) for address in options.egress[:most])]
    return message(*parts, buttons=_buttons(guide, steps, at, exchange, t, doors))


def _ticks(exchange: Exchange, options: Options, t: Translator) -> list[Line]:
    wanted = _wanted(exchange, options, t)
    avoid = [label for label in dict.fromkeys(exchange.labels.values()) if label not in wanted]
    lines = [line(), *(line("☑ ", bold(label)) for label in wanted)]
    lines += [line("☐ ", label, " — ", t.say("leave off")) for label in avoid]
    return [*lines, line("☐ ", t.say("everything else, above all withdrawals — leave off"))]


def _filled(text: str, exchange: Exchange, options: Options) -> str:
    return text.format(exchange=exchange.title, minutes=options.link_minutes)


def _wanted(exchange: Exchange, options: Options, t: Translator) -> tuple[str, ...]:
    """Return what is to be ticked; one box at the exchange may stand for several permissions."""
    permissions = exchange.tick + (exchange.tick_to_trade if options.policy.trade else ())
    return tuple(dict.fromkeys(exchange.labels.get(p) or t.permission(p) for p in permissions))


def _buttons(
    guide: Guide, steps: Sequence[Step], at: int, exchange: Exchange, t: Translator, doors: Sequence[str]
) -> tuple[tuple[Button, ...], ...]:
    now = steps[at]
    rows: list[tuple[Button, ...]] = []
    if now.page:
        rows.append((Button(t.say("Open {exchange}", exchange=exchange.title), url=exchange.key_page),))
    if now.link and doors:
        page, app = doors
        rows.append((Button(t.say("Open secure page"), url=page),))
        rows.append((Button(t.say("Open it inside this app"), url=app, app=True),))
    moves = [Button(t.say("Back"), "connect.go", (guide.exchange, steps[at - 1].key))] if at else []
    if not now.link:
        following = (guide.exchange, steps[at + 1].key)
        if now.skip:
            moves.append(Button(t.say("Skip"), "connect.go", following))
        moves.append(Button(t.say("Next"), "connect.go", following))
    if moves:
        rows.append(tuple(moves))
    rows.append((Button(t.say("I'm stuck"), "connect.stuck", (guide.exchange,)),))
    return tuple(rows)


def answers(guide: Guide, exchange: Exchange, options: Options, t: Translator) -> tuple[Stuck, ...]:
    """Return the guide's troubles, and last the one that is ours: a key that can do too much."""
    ticks = ", ".join(f"“{label}”" for label in _wanted(exchange, options, t))
    text = t.say(
        "At {exchange}, untick everything but {ticks}. If that can't be changed, delete the key and make a "
        "new one.",
        exchange=exchange.title,
        ticks=ticks,
    )
    told = [
        replace(
            stuck,
            title=_filled(stuck.title, exchange, options),
            lines=tuple(_filled(row, exchange, options) for row in stuck.lines),
        )
        for stuck in guide.stuck
    ]
    return (*told, Stuck(OURS, t.say("The key can do too much"), (text,), TOO_MUCH))


def troubles(guide: Guide, found: Sequence[Stuck], cause: str, back: str, t: Translator) -> Message:
    """List the troubles as buttons; the one that really happened opens at once."""
    known = next((s for s in found if cause and s.cause == cause), None)
    if known is not None:
        return trouble(guide, known, back, t)
    rows = tuple((Button(s.title, "connect.trouble", (guide.exchange, s.key)),) for s in found)
    return message(bold(t.say("What happened?")), buttons=(*rows, _back(guide, back, t)))


def trouble(guide: Guide, stuck: Stuck, back: str, t: Translator) -> Message:
    """Show the answer to one trouble."""
    more = (Button(t.say("Something else"), "connect.stuck", (guide.exchange, "all")),)
    return message(bold(stuck.title), *stuck.lines, buttons=(more, _back(guide, back, t)))


def _back(guide: Guide, step_key: str, t: Translator) -> tuple[Button, ...]:
    return (Button(t.say("Back"), "connect.go", (guide.exchange, step_key)),)
