"""Fills as messages: one for each order, a table of a burst, a summary after a gap, and all details."""

from handlers.notifications.fills.cards import card
from handlers.notifications.fills.pages import Page, details, every
from handlers.notifications.fills.tables import burst, summary, table

__all__ = ["Page", "burst", "card", "details", "every", "summary", "table"]
