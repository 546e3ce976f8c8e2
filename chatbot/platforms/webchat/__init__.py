"""The web chat: a page on loopback on which newcomers try everything without an account.

Bootstrap builds one `WebChat` and mounts its routes. It speaks the same port as Telegram and Slack, keeps
its messages in memory only, and never repeats one: a delivery it has taken is not taken again.
"""

from chatbot.platforms.webchat.chat import WebChat
from chatbot.platforms.webchat.scene import Note, PracticeButton, Scene, Seat

__all__ = ["Note", "PracticeButton", "Scene", "Seat", "WebChat"]
