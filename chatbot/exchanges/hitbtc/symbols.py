"""What each symbol trades, asked once and kept: a symbol's name can't be cut into base and quote safely.

One table for all accounts. It is read again when a fill names a symbol that it lacks, at most once a minute,
and for prices once an hour; never by a poll of known symbols.
"""

from chatbot.exchanges._http import Http
from chatbot.exchanges._listing import Listing
from chatbot.exchanges.hitbtc import errors, wire
from chatbot.exchanges.hitbtc.wire import Market, Markets
from chatbot.ports.context import Clock

PATH = "/api/3/public/symbol"


class Symbols(Listing[Market]):
    """The table of symbols of one exchange."""

    def __init__(self, http: Http, clock: Clock) -> None:
        async def ask() -> Markets:
            answer = await http.request("GET", PATH)
            errors.check(answer)
            return wire.parse_markets(answer.body)

        super().__init__(ask, clock)
