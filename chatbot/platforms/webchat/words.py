"""The words of the page itself, filled into `chat.html` by the server.

The page's script holds no sentence of its own. Every word is escaped, so a translation can't become markup.
"""

from html import escape
from pathlib import Path
from string import Template

from chatbot.text import Translator

FOLDER = Path(__file__).parent


def page_words(translator: Translator) -> dict[str, str]:
    """Return every word of the page by its name in `chat.html`; `{…}` places are filled by the script."""
    say = translator.say
    return {
        "lang": translator.locale,
        "tagline": say("Try everything here, on your own machine."),
        "chats": say("Chats"),
        "messages": say("Messages"),
        "write": say("Write a message, or / for commands"),
        "send": say("Send"),
        "commands": say("Commands"),
        "newer": say("New messages"),
        "practice": say("Practice"),
        "practice_about": say("Make something happen, then watch the bot notice."),
        "empty": say("Nothing here yet. Start with one of these:"),
        "quiet": say("Nothing here yet."),
        "edited": say("edited"),
        "copy": say("Copy"),
        "copied": say("Copied"),
        "bot": say("Bot"),
        "unread": say("{title}, {count} unread"),
        "loading": say("Opening the chat…"),
        "signed_out": say("This page has lost its session. Open the address printed in the terminal again."),
        "offline": say("The bot does not answer. Trying again…"),
        "failed": say("That did not work. Please try again."),
        "over": say("This button is no longer there."),
        "done": say("Done: {label}"),
        "noscript": say("The chat needs JavaScript."),
    }


def render_page(translator: Translator) -> str:
    """Return the page in the translator's language."""
    page = Template((FOLDER / "chat.html").read_text(encoding="utf-8"))
    return page.substitute({name: escape(word) for name, word in page_words(translator).items()})
