"""One call of each method of the store of linked people, for the test that breaks the database under it."""

from collections.abc import Awaitable, Callable

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import PersonId
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import NOW, World

ALICE, ACCOUNT = PersonId("p"), AccountId("a1")

LINKED_CALLS: dict[str, Callable[[UnitOfWork, World], Awaitable[object]]] = {
    "linked.show": lambda s, w: s.linked.show(ALICE, b"x", NOW, NOW),
    "linked.shown_by": lambda s, w: s.linked.shown_by(b"x", NOW),
    "linked.take": lambda s, w: s.linked.take(b"x", NOW),
    "linked.identities": lambda s, w: s.linked.identities(ALICE),
    "linked.lock": lambda s, w: s.linked.lock(ALICE),
    "linked.held": lambda s, w: s.linked.held(ALICE),
    "linked.hand_over": lambda s, w: s.linked.hand_over(ACCOUNT, w.bob, None),
    "linked.join": lambda s, w: s.linked.join(w.bob.id, w.alice.id, [], NOW),
    "linked.company": lambda s, w: s.linked.company(w.bob.id, w.alice.id),
    "linked.brought": lambda s, w: s.linked.brought(w.bob.id, w.alice.id),
    "linked.part": lambda s, w: s.linked.part(w.bob, w.alice),
}
