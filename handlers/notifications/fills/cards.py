"""The message of one order: what its fills come to so far.

It never says that an order is complete. We read fills only, and those don't tell what of an order still
waits: every state of the message is true as of its last fill, and needs no later one to be right.
"""

from collections.abc import Iterator

from chatbot.domain.credentials import AccountId
from chatbot.domain.fills import Liquidity, Side
from chatbot.domain.messages import Button, Line, Message, bold, line, message
from chatbot.domain.orders import Order, OrderId, Realised
from chatbot.text import Translator
from handlers.notifications.fills.words import fee, liquidity, smaller, span


def card(
    account: AccountId, name: str, order: Order, gain: Realised | None, small: int, t: Translator
) -> Message:
    """Say what an order came to so far; `small` fills that were not told alone are counted with it."""
    button = Button(t.say("Details"), "fills.details", (account, *_names(order.id)), anyone=True)
    lines = [line(bold(_head(order, t))), *_body(order, t), *_result(order, gain, t), *smaller(small, t)]
    return message(*lines, line(name), buttons=((button,),))


def _names(order: OrderId) -> tuple[str, ...]:
    return order.product, order.market, order.side.value, order.order, order.fill


def _head(order: Order, t: Translator) -> str:
    quantity, price = t.amount(order.quantity, order.base), t.price(order.price, order.quote)
    bought = order.side is Side.BUY
    if order.count == 1:
        if bought:
            return t.say("Bought {quantity} at {price}", quantity=quantity, price=price)
        return t.say("Sold {quantity} at {price}", quantity=quantity, price=price)
    if bought:
        return t.say("Bought {quantity} at {price} on average", quantity=quantity, price=price)
    return t.say("Sold {quantity} at {price} on average", quantity=quantity, price=price)


def _body(order: Order, t: Translator) -> Iterator[Line]:
    value, paid = t.amount(order.cost, order.quote), fee(order.fees, t)
    kind = "" if order.liquidity is Liquidity.UNKNOWN else f" · {liquidity(order.liquidity, t)}"
    if order.count == 1:
        when = t.brief(order.last)
        yield line(t.say("Value {value} · fee {fee} · {time}", value=value, fee=paid, time=when), kind)
        return
    yield line(
        t.say("{count} fills · value {value} · fee {fee}", count=order.count, value=value, fee=paid), kind
    )
    yield span(order.first, order.last, t)


def _result(order: Order, gain: Realised | None, t: Translator) -> Iterator[Line]:
    if order.settle and order.result:
        shown = t.signed(order.result, order.settle)
        yield line(t.say("Result {result}, as the exchange reports it, before fees", result=shown))
    elif gain is not None:
        shown = t.signed(gain.amount, gain.asset)
        if gain.apart:
            assets = ", ".join(gain.apart)
            yield line(
                t.say("Result {result} by average cost, fees in {assets} apart", result=shown, assets=assets)
            )
        else:
            yield line(t.say("Result {result} by average cost", result=shown))
