"""The two lines that go out when a platform refuses a whole message: our own words, nothing else."""

from chatbot.domain.messages import Message, message
from chatbot.text import Translator


def notice(ref: str, t: Translator) -> Message:
    """Say that something could not be shown here, and where to look instead."""
    return message(
        t.say("I have something to tell you that can't be shown here (ref {ref}).", ref=ref),
        t.say("/balances, /fills and /keys show how things are now."),
    )
