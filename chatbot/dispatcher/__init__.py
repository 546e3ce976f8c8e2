"""From an update to an answer: authorise, find the handler, run it, queue the reply.

The engine wakes `sweep`; each stored update is handled in one transaction together with its reply and
its *done*. Mistakes of people are answered in a sentence; mistakes of ours are logged and apologised for.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chatbot.dispatcher import answers
from chatbot.dispatcher.crew import Aside
from chatbot.dispatcher.desk import DELIVERY, Desk
from chatbot.dispatcher.door import MOMENT, Door, Parse
from chatbot.dispatcher.turns import open_turn
from chatbot.domain.messages import Post, Reply, message
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Conversation, Identity, Role, Standing, team_of
from chatbot.domain.updates import Happened, Incoming, Pressed, Said, Sender
from chatbot.errors import BotError, Fenced, NotAllowed, SendError, StorageError, mark
from chatbot.ports.context import ChatContext, Context
from chatbot.ports.mail import InboxRow
from chatbot.registry import Command, CommandEntry, Registry, Where

LEASE = timedelta(seconds=60)
BATCH = 50
MAX_ATTEMPTS = 3

__all__ = ["DELIVERY", "Desk", "Dispatcher"]


class Dispatcher:
    """Handles what came in. One instance for all platforms."""

    def __init__(self, registry: Registry, ctx: Context, parse: Parse) -> None:
        """Take the handlers, what they work with, and how a platform's raw update is read."""
        self._registry = registry
        self._ctx = ctx
        self._parse = parse
        self._held: Sequence[InboxRow] = ()
        self._door = Door(registry, ctx, parse)
        self._toasts = Aside(ctx)

    def close(self) -> None:
        """Let go of what a platform has not answered yet."""
        self._door.close()
        self._toasts.close()

    async def sweep(self) -> None:
        """Handle every stored update that waits."""
        while not self._ctx.queue.stopping:
            now = self._ctx.clock.now()
            async with self._ctx.uow() as store:
                # What was not handled comes first, or the order is lost.
                await store.inbox.release(self._held)
                rows = await store.inbox.claim(now, now + LEASE, BATCH)
            self._held = rows
            await self._door.ask(rows)
            for number, row in enumerate(rows):
                self._held = rows[number:]
                if not await self._handle(row):
                    return
            self._held = ()
            await self._toasts.settle(MOMENT)
            if len(rows) < BATCH:
                return

    async def _handle(self, row: InboxRow) -> bool:
        """Handle one update; false when it and all behind it have to wait for the storage."""
        try:
            incoming = self._parse(row.platform, row.raw)
            heard = incoming is not None and not answers.talk_among_others(incoming)
            toast = await self._turn(row, incoming) if incoming and heard else await self._skip(row)
        except SendError as away:
            # Who somebody is can't be asked now; an apology follows when that lasts.
            self._ctx.log.warning("standing_unknown", row=row.id, reason=away.reason)
            if incoming is None or not await self._door.put_off(row, incoming):
                await self._give_up(row, unknown=True)
            return True
        except Fenced as gone:
            self._ctx.log.warning("update_put_off", row=row.id, reason=str(gone))
            return True
        except Exception as bug:  # the last net: a bug of ours must not stop the next update
            if isinstance(bug, StorageError) and bug.retry:
                self._ctx.log.warning("update_put_off", row=row.id, reason=bug.reason)
                return False
            self._ctx.log.error("update_failed", row=row.id, attempt=row.attempts)  # noqa: TRY400  our log adds the traceback itself
            await self._give_up(row)
            return True
        if isinstance(incoming, Pressed):
            answer = self._ctx.postbox.answer(row.platform, incoming, toast)
            self._toasts.start(answer, "answer_failed", row=row.id)
        self._ctx.queue.nudge(DELIVERY)
        return True

    async def _skip(self, row: InboxRow) -> str:
        async with self._ctx.uow() as store:
            await store.inbox.done(row)
        return ""

    async def _turn(self, row: InboxRow, incoming: Incoming) -> str:
        if not incoming.who.user:
            return await self._whole_workspace(row, incoming)
        standing = await self._door.standing(row.platform, incoming)
        if standing is Standing.NONE:
            return await self._skip(row)
        try:
            async with self._ctx.uow() as store:
                turn = await open_turn(self._ctx, store, row.platform, incoming.who, standing)
                reply = await self._answer(incoming, turn)
                await self._queue(turn, reply, key=f"reply:{row.id}")
                await store.inbox.done(row)
                return reply.toast
        except BotError as mistake:
            async with self._ctx.uow() as store:
                turn = await open_turn(self._ctx, store, row.platform, incoming.who)
                await self._note_denied(incoming, turn)
                await self._queue(turn, _explain(mistake, turn), key=f"mistake:{row.id}")
                await store.inbox.done(row)
            return ""

    async def _whole_workspace(self, row: InboxRow, incoming: Incoming) -> str:
        async with self._ctx.uow() as store:
            name = f"workspace_{incoming.what}" if isinstance(incoming, Happened) else ""
            if handler := self._registry.events.get(name):
                await handler(incoming, row.platform, store, self._ctx)
            await store.inbox.done(row)
        return ""

    async def _give_up(self, row: InboxRow, *, unknown: bool = False) -> None:
        park = unknown or row.attempts >= MAX_ATTEMPTS
        async with self._ctx.uow() as store:
            await store.inbox.fail(row, "handler failed", park=park)
        if not park:
            return
        try:
            incoming = self._parse(row.platform, row.raw)
        except Exception:  # an update that can't even be read has no one to answer
            self._ctx.log.error("update_unreadable", row=row.id)  # noqa: TRY400  our log adds the traceback itself
            return
        if incoming is not None and incoming.who.user:
            await self._apologise(row, incoming.who, unknown=unknown)

    async def _apologise(self, row: InboxRow, who: Sender, *, unknown: bool) -> None:
        """Say in private that it went wrong; of whom nothing is known only those on the list hear of it."""
        identity = Identity(row.platform, who.user, who.workspace)
        place = self._ctx.postbox.private_place(identity)
        if unknown and self._ctx.roster.role(identity) is Role.STRANGER:
            return
        if not who.private and place is None:
            return
        async with self._ctx.uow() as store:
            turn = await open_turn(self._ctx, store, row.platform, who)
            alone = turn.conversation if who.private else await self._alone(turn)
            text = turn.t.say(
                "Something went wrong on our side and nothing was changed. Please try again. Ref {ref}.",
                ref=row.id[:8],
            )
            if alone is not None:
                turn = replace(turn, conversation=alone)
                await self._queue(turn, Reply((Post(message(text)),)), key=f"sorry:{row.id}")

    async def _answer(self, incoming: Incoming, turn: ChatContext) -> Reply:
        if isinstance(incoming, Happened):
            handler = self._registry.events.get(f"place_{incoming.what}")
            return await handler(incoming, turn) if handler else Reply()
        if isinstance(incoming, Pressed):
            return await self._press(incoming, turn)
        return await self._said(incoming, turn)

    async def _said(self, said: Said, turn: ChatContext) -> Reply:
        private = said.who.private
        if said.pasted:
            reply: Reply = await self._registry.events["secret_pasted"](said, turn)
            return reply
        spoken = answers.split(said.text)
        ours = spoken.name in self._registry.commands
        if not private and not ours and (turn.role is Role.STRANGER or not spoken.is_command):
            return Reply()
        if turn.role is Role.STRANGER:
            await self._refuse_stranger(spoken.name, turn)
        if not spoken.is_command:
            raise answers.not_a_command(said.text, self._registry, turn.role)
        return await self._command(Command(spoken.name, spoken.args, said.message_id), turn)

    async def _refuse_stranger(self, name: str, turn: ChatContext) -> None:
        owner = turn.conversation.place.private and await turn.store.people.owns(turn.person.id)
        if not owner:
            raise answers.stranger(turn)
        if not answers.for_owners(name, self._registry):
            main = await turn.store.people.get(turn.person.id)
            raise answers.off_the_list(turn, main.identity)

    async def _note_denied(self, incoming: Incoming, turn: ChatContext) -> None:
        name = answers.denied(incoming, self._registry, turn.role)
        if name:
            actor, now = str(turn.person.identity), turn.clock.now()
            await turn.store.audit.note(
                turn.conversation.team, actor, "denied", name, turn.role.name.lower(), now
            )

    async def _command(self, cmd: Command, turn: ChatContext) -> Reply:
        entry = self._registry.commands.get(cmd.name)
        if entry is None or entry.role > turn.role:
            raise answers.unknown_command(cmd.name, self._registry, turn.role)
        private = turn.conversation.place.private
        if entry.where is Where.PRIVATE and not private:
            return await self._in_private(entry, cmd, turn)
        if entry.chief and not private and turn.standing < Standing.CHIEF:
            raise NotAllowed(
                mark("Only an admin of this group or channel may send /{name} in it."), name=cmd.name
            )
        if entry.where is Where.GROUP and private:
            raise BotError(
                mark("/{name} works in a group or channel: add me there and send it in that place."),
                name=cmd.name,
            )
        reply = await entry.run(cmd, turn)
        return reply if private or entry.where is Where.GROUP else answers.whispered(reply)

    async def _in_private(self, entry: CommandEntry, cmd: Command, turn: ChatContext) -> Reply:
        """Answer what is personal in private at once where the platform lets us, else lead there."""
        alone = await self._alone(turn)
        if alone is None:
            return answers.to_private(cmd, turn)
        reply = await entry.run(replace(cmd, message_id=""), replace(turn, conversation=alone))
        posts = tuple(replace(post, private=True) for post in reply.posts)
        return replace(reply, posts=(*posts, answers.pointer(turn)), erase="")

    async def _alone(self, turn: ChatContext) -> Conversation | None:
        """Return the private conversation of who acts, opened by us when it has to be; None when it can't."""
        place = turn.postbox.private_place(turn.person.identity)
        if place is None:
            return None
        return await turn.store.conversations.enter(place, team_of(turn.person.identity), turn.person.id)

    async def _press(self, pressed: Pressed, turn: ChatContext) -> Reply:
        found = await turn.store.outbox.press(
            pressed.button, turn.person.id, turn.conversation.id, turn.clock.now()
        )
        if turn.role is Role.STRANGER and not (found and answers.pressable(found, self._registry)):
            return Reply(toast=turn.t.say("Only members of this bot may press its buttons."))
        if found is None:
            return Reply(toast=turn.t.say("This button isn't yours, or its time is over."))
        if found.action == answers.RUN:
            line = answers.split("/" + found.args[0])
            return await self._command(Command(line.name, line.args, pressed.message_id), turn)
        entry = self._registry.actions.get(found.action)
        if entry is None:
            # A button of an earlier version that nobody answers any more.
            return Reply(toast=turn.t.say("This button isn't yours, or its time is over."))
        if entry.role > turn.role:
            raise NotAllowed(mark("Only an admin may do that."))
        if entry.chief and not turn.conversation.place.private and turn.standing < Standing.CHIEF:
            return Reply(toast=turn.t.say("Only an admin of this group or channel may do that."))
        return await entry.run(Command(entry.name, found.args, pressed.message_id), turn)

    async def _queue(self, turn: ChatContext, reply: Reply, *, key: str) -> None:
        now, outbox = turn.clock.now(), turn.store.outbox
        if reply.erase:
            gone = Post(message())
            where = turn.conversation.id
            await outbox.put(where, gone, Promise.REPLY, now, key=f"{key}:erase", erase=reply.erase)
        for number, post in enumerate(reply.posts):
            target = turn.conversation
            if post.private and not turn.conversation.place.private:
                found = await self._alone(turn)
                near = turn.conversation.place
                target = found or await turn.store.conversations.private_of(turn.person.id, near) or target
                if not target.place.private:
                    post = answers.invitation(turn, "start")  # noqa: PLW2901  the loop goes on with the cleaned one
            promise = Promise.CARD if post.card else Promise.REPLY
            alone = post.whisper and not target.place.private
            await outbox.put(
                target.id,
                post,
                promise,
                now,
                key=f"{key}:{number}",
                reader=turn.person.id,
                locale=turn.t.locale,
                whisper=turn.person.identity.user if alone else "",
                ahead=True,
            )


def _explain(mistake: BotError, turn: ChatContext) -> Reply:
    buttons = answers.choices(mistake.choices)
    return Reply((Post(message(turn.t.explain(mistake), buttons=buttons), whisper=True),))
