"""What is remembered: one store per aggregate, all inside one unit of work.

A unit of work is one transaction. Ids are made by the stores; times are aware UTC and passed in.
Any call may raise `StorageError`; writes guarded by a fence raise `Fenced`.
"""

from typing import Protocol

from chatbot.ports.accounts import Accounts
from chatbot.ports.consents import Consents
from chatbot.ports.held import Held
from chatbot.ports.installs import Homes, Installations
from chatbot.ports.linked import Linked
from chatbot.ports.mail import Inbox, Leases, Outbox
from chatbot.ports.people import Conversations, Guides, Links, People
from chatbot.ports.records import Audit, Balances, Fills, Subscriptions
from chatbot.ports.troubles import Troubles
from chatbot.ports.worth import Valuations, Wishes


class UnitOfWork(Protocol):
    """One transaction over all stores."""

    people: People
    conversations: Conversations
    guides: Guides
    links: Links
    accounts: Accounts
    fills: Fills
    balances: Balances
    subscriptions: Subscriptions
    held: Held
    consents: Consents
    outbox: Outbox
    inbox: Inbox
    audit: Audit
    troubles: Troubles
    valuations: Valuations
    wishes: Wishes
    leases: Leases
    installations: Installations
    homes: Homes
    linked: Linked
