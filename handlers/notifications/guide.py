"""One step of a guide, and the answers to *I'm stuck*, as messages edited in place."""

from collections.abc import Sequence

from chatbot.domain.conversations import Guide, Step, Stuck
from chatbot.domain.messages import Button, Line, Message, bold, code, line, message
from chatbot.ports.context import Options
from chatbot.ports.exchanges import Exchange
from chatbot.text import Translator


def step(
    guide: Guide,
    steps: Sequence[Step],
    at: int,
    exchange: Exchange,
    options: Options,
    t: Translator,
    link: str = "",
) -> Message:
    """Show step number `at` (from 0); `link` is the address of the secure page on the last one."""
    now = steps[at]
    parts: list[Line] = [
        line(bold(now.title)),
        line(
            t.say(
                "{exchange} · step {number} of {count}",
                exchange=exchange.title,
                number=at + 1,
                count=len(steps),
            )
        ),
        line(),
        *(line(text.format(exchange=exchange.title, minutes=options.link_minutes)) for text in now.lines),
    ]
    if now.ticks:
        parts += _ticks(exchange, options, t)
    if now.when == "egress":
        most = exchange.max_addresses or None  # 0: the exchange names no limit
        parts += [line(), *(line(code(address)) for address in options.egress[:most])]
    return message(*parts, buttons=_buttons(guide, steps, at, exchange, t, link))


def _ticks(exchange: Exchange, options: Options, t: Translator) -> list[Line]:
    wanted = exchange.tick + (exchange.tick_to_trade if options.policy.trade else ())
    avoid = [p for p in exchange.labels if p not in wanted]
    lines = [line(), *(line("☑ ", bold(exchange.labels[p])) for p in wanted)]
    lines += [line("☐ ", exchange.labels[p], " — ", t.say("leave off")) for p in avoid]
    return [*lines, line("☐ ", t.say("everything else, above all withdrawals — leave off"))]


def _buttons(
    guide: Guide, steps: Sequence[Step], at: int, exchange: Exchange, t: Translator, link: str
) -> tuple[tuple[Button, ...], ...]:
    now = steps[at]
    rows: list[tuple[Button, ...]] = []
    if now.page:
        rows.append((Button(t.say("Open {exchange}", exchange=exchange.title), url=exchange.key_page),))
    if now.link and link:
        rows.append((Button(t.say("Open secure page"), url=link),))
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


def troubles(guide: Guide, cause: str, back: str, t: Translator) -> Message:
    """List the troubles as buttons; the one that really happened opens at once."""
    known = next((s for s in guide.stuck if cause and s.cause == cause), None)
    if known is not None:
        return trouble(guide, known, back, t)
    rows = tuple((Button(s.title, "connect.trouble", (guide.exchange, s.key)),) for s in guide.stuck)
    return message(bold(t.say("What happened?")), buttons=(*rows, _back(guide, back, t)))


def trouble(guide: Guide, stuck: Stuck, back: str, t: Translator) -> Message:
    """Show the answer to one trouble."""
    more = (Button(t.say("Something else"), "connect.stuck", (guide.exchange, "all")),)
    return message(bold(stuck.title), *stuck.lines, buttons=(more, _back(guide, back, t)))


def _back(guide: Guide, step_key: str, t: Translator) -> tuple[Button, ...]:
    return (Button(t.say("Back"), "connect.go", (guide.exchange, step_key)),)
