"""A list of accounts, and the buttons to choose one of them."""

from collections.abc import Sequence

from chatbot.domain.credentials import Account, CredentialState, matching
from chatbot.domain.messages import Button, Line, Message, bold, line, message
from chatbot.errors import BotError, Unknown, mark
from chatbot.text import Translator


def none_yet() -> BotError:
    """Say that nothing is connected, with the button that changes it."""
    return BotError(mark("No account is connected yet."), choices=(("/connect", "connect"),))


def pick(mine: Sequence[Account], words: str, command: str) -> list[Account]:
    """Return the accounts meant by some words, all for none; raises when none is meant."""
    if not mine:
        raise none_yet()
    chosen = matching(mine, words)
    if not chosen:
        pairs = tuple((account.name, f"{command} {account.id}") for account in mine)
        raise Unknown(
            mark("No account of yours is called “{name}”. You have these:"), choices=pairs, name=words[:32]
        )
    return chosen


def chooser(question: str, accounts: Sequence[Account], act: str, more: tuple[str, ...] = ()) -> Message:
    """Ask which account is meant."""
    rows = tuple((Button(account.name, act, (account.id, *more)),) for account in accounts)
    return message(question, buttons=rows)


def yes_or_keep(text: Message, act: str, args: tuple[str, ...], t: Translator) -> Message:
    """Ask before something that can't be undone."""
    row = (Button(t.say("Yes, do it"), act, args), Button(t.say("Keep"), "keep"))
    return Message(text.body, (row,))


def state_line(account: Account, trouble: str, t: Translator) -> Line:
    """Say in one line how an account is; `trouble` is the sentence for what is wrong, if anything."""
    if trouble:
        return line(trouble)
    if account.state is not CredentialState.ACTIVE:
        return line(_state(account.state, t))
    if account.polled_at is None:
        return line(t.say("connected, not read yet"))
    return line(t.say("read at {time}", time=t.time(account.polled_at)))


def _state(state: CredentialState, t: Translator) -> str:
    if state is CredentialState.DEAD:
        return t.say("the exchange refuses the key")
    if state is CredentialState.FROZEN:
        return t.say("frozen by an admin")
    return t.say("suspended")


def entry(account: Account, title: str, trouble: str, t: Translator) -> tuple[Line, ...]:
    """Show an account in two lines."""
    return (line(bold(account.titled(title))), state_line(account, trouble, t))
