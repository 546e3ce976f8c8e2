"""What somebody reads elsewhere about a workspace that removed the bot."""

from collections.abc import Sequence

from chatbot.domain.messages import Message, bold, message
from chatbot.text import Translator


def left(platform: str, accounts: Sequence[str], moved: Sequence[str], t: Translator) -> Message:
    """Say that nothing comes there any more, which accounts are not read, and which are told here now."""
    parts = [t.say("Nothing of yours comes there any more.")]
    if accounts:
        parts.append(
            t.say(
                "I stopped reading {accounts}. Keys stay sealed until I am let in again; /disconnect "
                "destroys them.",
                accounts=", ".join(accounts),
            )
        )
    if moved:
        parts.append(
            t.say("What I told you there of {accounts} comes here from now on.", accounts=", ".join(moved))
        )
    return message(bold(t.say("Your {platform} workspace removed me", platform=platform)), *parts)
