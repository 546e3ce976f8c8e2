"""Telegram: the Bot API by long polling or webhook, messages as entities.

bootstrap makes one `Telegram` per token and holds its lease. `transport` calls methods over `wire`,
`receiving` takes updates in, `reading` gives them neutral words, `writing` builds requests, `sending` posts
them, `verdicts` says what an error proves, `listing` registers the commands. Of python-telegram-bot only
`Bot` and its types are used: its polling, limiter and job queue lose or delay what must not be lost.
"""

from chatbot.platforms.telegram.platform import DEFAULT_API_URL, Telegram

__all__ = ["DEFAULT_API_URL", "Telegram"]
