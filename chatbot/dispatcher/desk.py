"""What the link page asks for becomes an event: the web edge knows nothing else of us."""

from dataclasses import dataclass

from chatbot.domain.links import from_b64url, link_id
from chatbot.domain.people import Identity
from chatbot.ports.context import Context
from chatbot.ports.desk import Accepted, BadSeal, OpenedLink, Refused
from chatbot.registry import Registry

DELIVERY = "deliver_messages"


@dataclass(frozen=True, slots=True)
class Desk:
    """Answers the link page by raising events; the web edge knows nothing else of us."""

    registry: Registry
    ctx: Context

    async def open(self, holder: str | Identity, locale: str) -> OpenedLink | None:
        """Return what the page needs, through `link_opened`."""
        link = await self._link(holder)
        if link is None:
            return None
        opened: OpenedLink | None = await self.registry.events["link_opened"](link, locale, self.ctx)
        return opened

    async def submit(
        self, holder: str | Identity, sealed: bytes, locale: str
    ) -> Accepted | Refused | BadSeal | None:
        """Take one try, through `link_submitted`."""
        link = await self._link(holder)
        if link is None:
            return None
        answer: Accepted | Refused | BadSeal | None
        answer = await self.registry.events["link_submitted"](link, sealed, locale, self.ctx)
        self.ctx.queue.nudge(DELIVERY)
        return answer

    async def _link(self, holder: str | Identity) -> bytes | None:
        """Return the id of the link that is meant, which need not exist."""
        if isinstance(holder, Identity):
            async with self.ctx.uow() as store:
                return await store.links.open_of(holder, self.ctx.clock.now())
        try:
            return link_id(from_b64url(holder))
        except ValueError:
            return None
