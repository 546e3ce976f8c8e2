"""One call of every method of every store, for a world that stands on this database.

The stores of people and places come first; those of records, messages and installations are in the second.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from chatbot.domain.balances import Prices, Snapshot
from chatbot.domain.conversations import GuideId
from chatbot.domain.credentials import AccountId
from chatbot.domain.messages import Message
from chatbot.domain.notices import Kind, Loudness
from chatbot.domain.orders import order_of
from chatbot.domain.outbox import Delivery, Next, OutboxState, Promise
from chatbot.domain.people import ConversationId, Identity, PersonId, Place, TeamId
from chatbot.domain.repeats import Spell
from chatbot.ports.accounts import Progress, Work
from chatbot.ports.held import HeldPost
from chatbot.ports.installs import Installation
from chatbot.ports.mail import InboxRow, Sent
from chatbot.ports.records import Subscription
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.worth import WishKind
from tests.storage.linkedcalls import LINKED_CALLS
from tests.storage.rows import MINUTE, NOW, REPORT, SEALED, World, fill, link, pending, post

Call = Callable[[UnitOfWork, World], Awaitable[object]]
ALICE, CHAT, ACCOUNT = PersonId("p"), ConversationId("c"), AccountId("a1")

PEOPLE: dict[str, Call] = {
    "people.meet": lambda s, w: s.people.meet(Identity("web", "x"), "X", "en", ("UTC", "USD"), NOW),
    "people.get": lambda s, w: s.people.get(ALICE),
    "people.change": lambda s, w: s.people.change(ALICE, locale="es"),
    "people.keep_phrase": lambda s, w: s.people.keep_phrase(ALICE, "blue otter"),
    "people.owns": lambda s, w: s.people.owns(ALICE),
    "people.forget": lambda s, w: s.people.forget(ALICE),
    "conversations.enter": lambda s, w: s.conversations.enter(Place("web", "x"), TeamId("home"), None),
    "conversations.get": lambda s, w: s.conversations.get(CHAT),
    "conversations.private_of": lambda s, w: s.conversations.private_of(ALICE),
    "conversations.privates_of": lambda s, w: s.conversations.privates_of(ALICE),
    "conversations.leave": lambda s, w: s.conversations.leave(CHAT),
    "conversations.leave_workspace": lambda s, w: s.conversations.leave_workspace("slack", "T1", NOW),
    "conversations.rejoin_workspace": lambda s, w: s.conversations.rejoin_workspace("slack", "T1"),
    "conversations.move": lambda s, w: s.conversations.move(w.group.place, "-8"),
    "conversations.forget_empty": lambda s, w: s.conversations.forget_empty(),
    "conversations.hush": lambda s, w: s.conversations.hush(CHAT),
    "conversations.set_quiet": lambda s, w: s.conversations.set_quiet(CHAT, "", ""),
    "conversations.mute": lambda s, w: s.conversations.mute(CHAT, NOW),
    "guides.start": lambda s, w: s.guides.start(ALICE, CHAT, "bitso", "x"),
    "guides.current": lambda s, w: s.guides.current(ALICE),
    "guides.go": lambda s, w: s.guides.go(GuideId("g"), "x"),
    "guides.note": lambda s, w: s.guides.note(GuideId("g"), label="x"),
    "guides.note_of": lambda s, w: s.guides.note_of(ALICE, trouble="x"),
    "guides.end": lambda s, w: s.guides.end(ALICE),
    "links.minted_since": lambda s, w: s.links.minted_since(ALICE, NOW),
    "links.mint": lambda s, w: s.links.mint(link(w.alice, w.chat), NOW),
    "links.look": lambda s, w: s.links.look(b"link", NOW),
    "links.open_of": lambda s, w: s.links.open_of(Identity("web", "x"), NOW),
    "links.opened": lambda s, w: s.links.opened(b"link", NOW),
    "links.claim": lambda s, w: s.links.claim(b"link", NOW, NOW),
    "links.give_back": lambda s, w: s.links.give_back(link(w.alice, w.chat), count=True),
    "links.use": lambda s, w: s.links.use(link(w.alice, w.chat)),
    "links.revoke_of": lambda s, w: s.links.revoke_of(ALICE),
    "links.revoke_of_team": lambda s, w: s.links.revoke_of_team(TeamId("home")),
    "links.expire": lambda s, w: s.links.expire(NOW),
    "accounts.add": lambda s, w: s.accounts.add(pending(w.alice, w.chat, "a2"), SEALED, b"", NOW),
    "accounts.taken": lambda s, w: s.accounts.taken(TeamId("home"), b""),
    "accounts.get": lambda s, w: s.accounts.get(ACCOUNT, TeamId("home")),
    "accounts.pending": lambda s, w: s.accounts.pending(ACCOUNT),
    "accounts.of_person": lambda s, w: s.accounts.of_person(ALICE),
    "accounts.pending_of": lambda s, w: s.accounts.pending_of(ALICE),
    "accounts.of_team": lambda s, w: s.accounts.of_team(TeamId("home")),
    "accounts.activate": lambda s, w: s.accounts.activate(ACCOUNT, NOW),
    "accounts.rename": lambda s, w: s.accounts.rename(ACCOUNT, "x"),
    "accounts.attest": lambda s, w: s.accounts.attest(ACCOUNT, REPORT, NOW),
    "accounts.shred": lambda s, w: s.accounts.shred(ACCOUNT, NOW),
    "accounts.expire_pending": lambda s, w: s.accounts.expire_pending(NOW),
    "accounts.hurry": lambda s, w: s.accounts.hurry(ACCOUNT, NOW),
    "accounts.claim": lambda s, w: s.accounts.claim(NOW, NOW, 1),
    "accounts.suspend_team": lambda s, w: s.accounts.suspend_team(TeamId("home"), NOW),
    "accounts.holds": lambda s, w: s.accounts.holds(_work(w)),
    "accounts.failing": lambda s, w: s.accounts.failing("bitso", "bad_key"),
    "accounts.finish": lambda s, w: s.accounts.finish(_work(w), Progress(NOW, 0)),
    "accounts.release": lambda s, w: s.accounts.release(_work(w)),
}
RECORDS: dict[str, Call] = {
    "fills.add": lambda s, w: s.fills.add(ACCOUNT, [fill("1")], NOW),
    "fills.recent": lambda s, w: s.fills.recent([ACCOUNT], 1),
    "fills.of_order": lambda s, w: s.fills.of_order(ACCOUNT, order_of(fill("1"))),
    "fills.of_market": lambda s, w: s.fills.of_market(ACCOUNT, "spot", "btc_mxn", fill("1"), 1),
    "fills.between": lambda s, w: s.fills.between(ACCOUNT, NOW, NOW, 1),
    "fills.page": lambda s, w: s.fills.page(ACCOUNT, NOW, NOW, fill("1"), 1),
    "fills.bundle": lambda s, w: s.fills.bundle(ACCOUNT, [fill("1")], "b"),
    "fills.rename_bundle": lambda s, w: s.fills.rename_bundle(ACCOUNT, "a", "b"),
    "fills.in_bundle": lambda s, w: s.fills.in_bundle(ACCOUNT, "b", 1),
    "fills.newest_bundle": lambda s, w: s.fills.newest_bundle(ACCOUNT, "b"),
    "balances.add": lambda s, w: s.balances.add(ACCOUNT, Snapshot(NOW, ())),
    "balances.latest": lambda s, w: s.balances.latest(ACCOUNT),
    "balances.save_prices": lambda s, w: s.balances.save_prices("bitso", Prices(NOW, {})),
    "balances.prices": lambda s, w: s.balances.prices("bitso"),
    "subscriptions.ensure": lambda s, w: s.subscriptions.ensure(ACCOUNT, "fills", w.chat.id),
    "subscriptions.of_account": lambda s, w: s.subscriptions.of_account(ACCOUNT, "fills"),
    "subscriptions.claim_due": lambda s, w: s.subscriptions.claim_due("balances", NOW, NOW, 1),
    "subscriptions.posted": lambda s, w: s.subscriptions.posted(
        _subscription(w), NOW, "2026-01-01", Decimal(1), "USD", NOW
    ),
    "subscriptions.reschedule": lambda s, w: s.subscriptions.reschedule(ALICE, {"s": (NOW, "2026-01-01")}),
    "subscriptions.remove": lambda s, w: s.subscriptions.remove(ALICE, CHAT),
    "subscriptions.bring_home": lambda s, w: s.subscriptions.bring_home([ACCOUNT], "slack", "T1", CHAT),
    "subscriptions.scheduled_of": lambda s, w: s.subscriptions.scheduled_of(ALICE),
    "subscriptions.of_person": lambda s, w: s.subscriptions.of_person(ALICE),
    "subscriptions.targets": lambda s, w: s.subscriptions.targets(TeamId("home")),
    "subscriptions.of_channel": lambda s, w: s.subscriptions.of_channel(w.group.place),
    "subscriptions.set_loudness": lambda s, w: s.subscriptions.set_loudness(ALICE, ["s"], Loudness.SILENT),
    "subscriptions.set_rule": lambda s, w: s.subscriptions.set_rule(
        ALICE, "s", "daily 09:00", "", (NOW, "2026-01-01")
    ),
    "subscriptions.mute": lambda s, w: s.subscriptions.mute(ALICE, ["s"], NOW, NOW),
    "troubles.of_account": lambda s, w: s.troubles.of_account(ACCOUNT),
    "troubles.save": lambda s, w: s.troubles.save(ACCOUNT, TeamId("home"), Spell("expired", NOW, NOW)),
    "troubles.end": lambda s, w: s.troubles.end(ACCOUNT),
    "held.add": lambda s, w: s.held.add(_subscription(w), Message(), "k", NOW, NOW),
    "held.knows": lambda s, w: s.held.knows("k"),
    "held.waits": lambda s, w: s.held.waits(CHAT, NOW),
    "held.supersede": lambda s, w: s.held.supersede(CHAT, "x", NOW),
    "held.due": lambda s, w: s.held.due(NOW, 1),
    "held.open": lambda s, w: s.held.open(CHAT),
    "held.keep": lambda s, w: s.held.keep([_held(w)], NOW),
    "held.put_off": lambda s, w: s.held.put_off(CHAT, NOW),
    "held.over": lambda s, w: s.held.over([_held(w)], NOW),
    "consents.ask": lambda s, w: s.consents.ask(ALICE, w.group, [ACCOUNT], NOW),
    "consents.of_person": lambda s, w: s.consents.of_person(ALICE),
    "consents.dormant": lambda s, w: s.consents.dormant(w.group.place),
    "consents.take": lambda s, w: s.consents.take(ALICE, w.group),
    "held.look_again": lambda s, w: s.held.look_again(ALICE),
    "outbox.put": lambda s, w: s.outbox.put(w.chat.id, post(), Promise.ALERT, NOW),
    "outbox.claim": lambda s, w: s.outbox.claim(NOW, NOW, 1, (), ("web",)),
    "outbox.begin": lambda s, w: s.outbox.begin(_delivery(w)),
    "outbox.begin_all": lambda s, w: s.outbox.begin_all([_delivery(w)]),
    "outbox.sent_all": lambda s, w: s.outbox.sent_all([Sent(_delivery(w), "m", NOW)]),
    "outbox.sent": lambda s, w: s.outbox.sent(_delivery(w), "m", NOW),
    "outbox.failed": lambda s, w: s.outbox.failed(_delivery(w), Next(OutboxState.PARKED), "x", NOW),
    "outbox.peek": lambda s, w: s.outbox.peek("b"),
    "outbox.press": lambda s, w: s.outbox.press("b", ALICE, CHAT, NOW),
    "outbox.lost_report": lambda s, w: s.outbox.lost_report(CHAT),
    "outbox.offered": lambda s, w: s.outbox.offered("x"),
    "outbox.show_again": lambda s, w: s.outbox.show_again("x", CHAT, ALICE, NOW),
    "outbox.counts": lambda s, w: s.outbox.counts(),
    "outbox.prune": lambda s, w: s.outbox.prune(NOW),
    "inbox.put": lambda s, w: s.inbox.put("web", "1", {}, NOW),
    "inbox.claim": lambda s, w: s.inbox.claim(NOW, NOW, 1),
    "inbox.done": lambda s, w: s.inbox.done(InboxRow("1", "web", {}, NOW, 1, 1)),
    "inbox.fail": lambda s, w: s.inbox.fail(InboxRow("1", "web", {}, NOW, 1, 1), "x", park=True),
    "inbox.release": lambda s, w: s.inbox.release([InboxRow("1", "web", {}, NOW, 1, 1)]),
    "inbox.prune": lambda s, w: s.inbox.prune(NOW),
    "valuations.add": lambda s, w: s.valuations.add(ACCOUNT, NOW, Decimal(1), "USD"),
    "valuations.last_at": lambda s, w: s.valuations.last_at(ACCOUNT, "USD"),
    "valuations.series": lambda s, w: s.valuations.series([ACCOUNT], "USD", NOW, MINUTE),
    "valuations.began": lambda s, w: s.valuations.began([ACCOUNT]),
    "wishes.add": lambda s, w: s.wishes.add(WishKind.CHART, ALICE, CHAT, {}, NOW),
    "wishes.waiting": lambda s, w: s.wishes.waiting(WishKind.CHART, 1),
    "wishes.done": lambda s, w: s.wishes.done("w"),
    "subscriptions.of_place": lambda s, w: s.subscriptions.of_place(CHAT, "balances"),
    "audit.note": lambda s, w: s.audit.note(TeamId("home"), "x", "x", "x", "x", NOW),
    "audit.count": lambda s, w: s.audit.count(TeamId("home"), "x", "x", "x", NOW),
    "audit.recent": lambda s, w: s.audit.recent(TeamId("home"), 1),
    "leases.take": lambda s, w: s.leases.take("x", "x", NOW, NOW),
    "leases.drop": lambda s, w: s.leases.drop("x", "x"),
    "installations.keep": lambda s, w: s.installations.keep(Installation(TeamId("x"), "", b""), NOW),
    "installations.renew": lambda s, w: s.installations.renew(TeamId("x"), b""),
    "installations.find": lambda s, w: s.installations.find(TeamId("x")),
    "installations.end": lambda s, w: s.installations.end(TeamId("x"), NOW),
    "installations.ended": lambda s, w: s.installations.ended(TeamId("x")),
    "installations.parts": lambda s, w: s.installations.parts("x"),
    "installations.issue": lambda s, w: s.installations.issue(b"x", NOW, NOW),
    "installations.redeem": lambda s, w: s.installations.redeem(b"x", NOW),
    "installations.prune": lambda s, w: s.installations.prune(NOW),
    "homes.opened": lambda s, w: s.homes.opened(w.chat, NOW),
    "homes.open_since": lambda s, w: s.homes.open_since(NOW, 1),
    "homes.shown": lambda s, w: s.homes.shown(w.chat, "x"),
    "homes.of_person": lambda s, w: s.homes.of_person(ALICE),
    "homes.prune": lambda s, w: s.homes.prune(),
    **LINKED_CALLS,
}
CALLS: dict[str, Call] = {**PEOPLE, **RECORDS}


def _subscription(world: World) -> Subscription:
    return Subscription("s", ACCOUNT, Kind.FILLS, CHAT, world.alice)


def _held(world: World) -> HeldPost:
    return HeldPost(1, NOW, "fills", "k", Message(), world.alice, None)


def _work(world: World) -> Work:
    return Work(
        world.account, world.alice, SEALED, 1, NOW, 0, cursor=None, history=None, history_pages=0,
        balances_at=None, check_at=None, fills_on=True, failures=0, trouble_told=False, asked_in=None,
    )  # fmt: skip


def _delivery(world: World) -> Delivery:
    return Delivery("d", CHAT, world.chat.place, Message(), Promise.ALERT, 1, 1, "REF", NOW)
