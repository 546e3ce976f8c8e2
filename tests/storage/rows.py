"""Rows that storage tests start from, each made through the stores themselves."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from chatbot.domain.credentials import Account, AccountId, CredentialState
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.links import Link, LinkState
from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import Delivery
from chatbot.domain.people import Conversation, ConversationId, Identity, Person, Place
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.ports.accounts import Pending
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.vault import SealedCredential

NOW = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
SEALED = SealedCredential("k1", b"wrapped-data-key", b"box-of-secrets")
REPORT = PermissionReport(
    {
        Permission.BALANCES: Finding(Switch.ON, Source.SEEN, NOW),
        Permission.WITHDRAW: Finding(Switch.UNKNOWN, Source.NOT_REPORTED, None, refused=True),
    },
    Switch.OFF,
    NOW + timedelta(days=90),
    ("read", "view"),
)


@dataclass(frozen=True, slots=True)
class World:
    """Who and what exists when a test begins."""

    alice: Person
    bob: Person
    chat: Conversation
    bobs_chat: Conversation
    group: Conversation
    account: Account


async def settle(store: UnitOfWork) -> World:
    """Make the world."""
    alice = await meet(store, "1")
    bob = await store.people.meet(Identity("slack", "U2", "T1"), "Bob", "es", ("UTC", "MXN"), NOW)
    chat = await store.conversations.enter(Place("telegram", "1"), alice.team, alice.id)
    bobs_chat = await store.conversations.enter(Place("slack", "D2", "T1"), bob.team, bob.id)
    group = await store.conversations.enter(Place("telegram", "-7", private=False), alice.team, None)
    account = await connect(store, alice, chat, "a1")
    return World(alice, bob, chat, bobs_chat, group, account)


async def meet(store: UnitOfWork, user: str) -> Person:
    """Meet somebody on Telegram."""
    return await store.people.meet(Identity("telegram", user), "Alice", "en", ("UTC", "USD"), NOW)


async def connect(store: UnitOfWork, owner: Person, chat: Conversation, name: str) -> Account:
    """Connect an account and confirm it."""
    waiting = pending(owner, chat, name)
    await store.accounts.add(waiting, SEALED, name.encode(), NOW)
    await store.accounts.activate(waiting.account.id, NOW)
    found = await store.accounts.get(waiting.account.id, owner.team)
    assert found is not None
    return found


def pending(owner: Person, chat: Conversation, name: str) -> Pending:
    """Describe an account that waits for its confirmation."""
    account = Account(
        AccountId(name),
        owner.team,
        owner.id,
        "bitso",
        f"Main {name}",
        "a1b2",
        CredentialState.PENDING,
        REPORT,
        NOW,
    )
    return Pending(account, "2055", chat.id, NOW + 10 * MINUTE, ("100", "100"), nonce=5)


def link(person: Person, chat: Conversation, name: bytes = b"link") -> Link:
    """Describe a fresh link."""
    return Link(
        id=name,
        team=person.team,
        person=person.id,
        conversation=chat.id,
        exchange="bitso",
        label="Main",
        state=LinkState.OPEN,
        public_key=b"public",
        sealed_private_key=b"sealed-private-" + name,
        expires_at=NOW + 10 * MINUTE,
        card="guide:1",
    )


def fill(number: str, **changes: object) -> Fill:
    """Describe a fill."""
    first = Fill(
        id=number,
        order="o1",
        product="spot",
        market="btc_mxn",
        base="BTC",
        quote="MXN",
        side=Side.BUY,
        quantity=Decimal("0.00000001"),
        price=Decimal("1234567.89"),
        cost=Decimal("0.0123456789"),
        fee=Decimal("-0.001"),
        fee_asset="BTC",
        liquidity=Liquidity.MAKER,
        at=NOW,
    )
    return replace(first, **changes)  # type: ignore[arg-type]


def post(text: str = "hello", **changes: object) -> Post:
    """Describe a post."""
    return Post(message(text), **changes)  # type: ignore[arg-type]


async def take(
    store: UnitOfWork, now: datetime = NOW, busy: tuple[ConversationId, ...] = ()
) -> list[Delivery]:
    """Claim what the outbox would send now."""
    return list(await store.outbox.claim(now, now + MINUTE, 10, busy, ("telegram", "web", "slack")))
