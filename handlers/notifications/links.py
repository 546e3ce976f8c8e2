"""What the chat says about a one-time link: used, refused, over; and how its address is kept unreadable."""

from collections.abc import Collection
from dataclasses import replace

from chatbot.domain.credentials import Account
from chatbot.domain.links import b64url, from_b64url
from chatbot.domain.messages import Button, Line, Look, Message, Table, bold, code, line, message
from chatbot.domain.permissions import Decision, Permission
from chatbot.ports.exchanges import Exchange
from chatbot.ports.vault import Vault
from chatbot.text import Translator


def received(exchange: Exchange, t: Translator) -> Message:
    """Replace the step that held the link once it was used."""
    return message(
        t.say(
            "{exchange}: your key arrived over the secure page. The link is dead now.",
            exchange=exchange.title,
        )
    )


def refusal(decision: Decision, exchange: Exchange, t: Translator) -> str:
    """Say why a working key is not taken: the boxes to untick, those nobody here knows, those to tick."""
    unticked, ticked = _boxes(decision.untick, exchange, t), _boxes(decision.tick, exchange, t)
    if not (unticked or decision.strange):
        return t.say(
            "This key can't do what is needed. At {exchange}, tick {ticks}, then try again.",
            exchange=exchange.title,
            ticks=ticked,
        )
    sentences = [_strange(decision.strange, t)] if decision.strange else []
    sentences.append(
        t.say(
            "This key can do too much, so I did not keep it. At {exchange}, untick {ticks}, then try again.",
            exchange=exchange.title,
            ticks=unticked,
        )
        if unticked
        else t.say(
            "I did not keep this key: change it at {exchange}, then try again.", exchange=exchange.title
        )
    )
    if ticked:
        sentences.append(t.say("It also needs {ticks}: tick that.", ticks=ticked))
    return " ".join(sentences)


def _boxes(permissions: Collection[Permission], exchange: Exchange, t: Translator) -> str:
    # One box at the exchange may stand for several permissions.
    labels = dict.fromkeys(exchange.labels.get(p) or t.permission(p) for p in permissions)
    return ", ".join(f"“{label}”" for label in labels)


def _strange(ticks: Collection[str], t: Translator) -> str:
    quoted = ", ".join(f"“{tick}”" for tick in ticks)
    if len(ticks) == 1:
        return t.say("I don't know the tick {tick}; untick it to be safe.", tick=quoted)
    return t.say("I don't know the ticks {ticks}; untick them to be safe.", ticks=quoted)


def not_kept(decision: Decision, exchange: Exchange, t: Translator) -> Message:
    """Say in chat what the page said of a key that was not taken, with the exchange's page a tap away."""
    page = Button(t.say("Open {exchange}", exchange=exchange.title), url=exchange.key_page)
    return message(bold(exchange.title), refusal(decision, exchange, t), buttons=((page,),))


def over(exchange: Exchange, reason: str, t: Translator) -> Message:
    """Say in chat why a link can't be used any more, with a new one a tap away."""
    return message(bold(exchange.title), reason, buttons=_again(exchange, t))


def _again(exchange: Exchange, t: Translator) -> tuple[tuple[Button, ...], ...]:
    return (
        (
            Button(t.say("New link"), "connect.link", (exchange.name,)),
            Button(t.say("I'm stuck"), "connect.stuck", (exchange.name,)),
        ),
    )


def unconfirmed(account: Account, exchange: Exchange, t: Translator) -> Message:
    """Say that nobody confirmed in time and that the key was destroyed."""
    text = t.say(
        "Nobody confirmed the {exchange} key …{last4} in time, so I destroyed it.",
        exchange=exchange.title,
        last4=account.last4,
    )
    return message(text, buttons=_again(exchange, t))


def delete_there(exchange: Exchange, last4: str, t: Translator) -> Line:
    """Say where to delete the key itself."""
    return line(
        t.say(
            "Now delete the key …{last4} at {exchange} too, on its API page:",
            last4=last4,
            exchange=exchange.title,
        ),
        " ",
        code(exchange.key_page),
    )


_PURPOSE = "link address"
_CONCEALED = "sealed:"


def conceal(vault: Vault, address: str) -> str:
    """Return an address or code sealed: what opens something must not lie readable in the outbox."""
    return _CONCEALED + b64url(vault.seal_bytes(_PURPOSE, address.encode()))


def disclose(vault: Vault, msg: Message) -> Message:
    """Return a message with its concealed addresses and codes readable, for the moment of sending."""
    rows = tuple(tuple(_pressable(vault, button) for button in row) for row in msg.buttons)
    return replace(msg, body=tuple(_shown(vault, part) for part in msg.body), buttons=rows)


def _pressable(vault: Vault, button: Button) -> Button:
    return replace(button, url=_readable(vault, button.url))


def _shown(vault: Vault, part: Line | Table) -> Line | Table:
    if isinstance(part, Table):
        return part
    # Only what is to be copied letter by letter: nobody can write such a piece.
    pieces = (
        replace(piece, text=_readable(vault, piece.text)) if piece.look is Look.CODE else piece
        for piece in part.pieces
    )
    return replace(part, pieces=tuple(pieces))


def _readable(vault: Vault, text: str) -> str:
    if not text.startswith(_CONCEALED):
        return text
    return vault.open_bytes(_PURPOSE, from_b64url(text.removeprefix(_CONCEALED))).decode()
