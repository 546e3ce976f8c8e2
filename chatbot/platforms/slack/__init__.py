"""Slack: one workspace by token or many by OAuth, over HTTP or a socket, messages as blocks.

bootstrap makes one `Slack` and holds its lease. `transport` speaks HTTP, `receiving` and `socketmode` take
events in, `reading` gives them neutral words, `standing` asks what Slack says of who acts, `oauth` installs
and knows the tokens, `writing` builds requests, `sending` posts them, `verdicts` says what an error proves.
Of slack_sdk only the client and the models are used: its retries post twice, and its stores keep tokens in
clear.
"""

from chatbot.platforms.slack.platform import DEFAULT_API_URL, Slack

__all__ = ["DEFAULT_API_URL", "Slack"]
