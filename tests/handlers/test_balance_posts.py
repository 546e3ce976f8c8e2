"""How balances read: every asset somewhere, every sum named, nothing hidden and nothing made up."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.balances import Balance, Prices, Valuation, merged, value
from chatbot.domain.messages import Message, Table
from chatbot.domain.pictures import Shade
from chatbot.domain.rates import Rates
from chatbot.text import LOCALES, Translator
from handlers.notifications.balances import LISTED, posted, together
from handlers.notifications.pictures import long_enough, picture, words
from tests.support.shown import NOW, holding, many, valued, walk, worth

EN = Translator("en", ZoneInfo("UTC"))
NAME = "Bitso · Main …a1b2"


def said(whole: Valuation, t: Translator = EN, last: tuple[Decimal, str] | None = None) -> Message:
    """Return the post of an account."""
    return posted(valued(NAME, whole), last, t)


def tables(message: Message) -> list[tuple[tuple[str, ...], ...]]:
    """Return the rows of every table."""
    return [part.rows for part in message.body if isinstance(part, Table)]


def test_total_change_and_shares() -> None:
    """Total with amount and percent since the last post; each asset with free, value and its share."""
    text = said(worth(holding("BTC", "750"), holding("USDT", "250")), last=(Decimal(800), "USD")).plain()
    assert "Total $1,000.00  +$200.00 (+25.0 %) since the last post" in text.replace("\xa0", " ")
    (rows,) = tables(said(worth(holding("BTC", "750"), holding("USDT", "250"))))
    assert rows == (
        ("Asset", "Free", "Value", "Share"),
        ("BTC", "1", "$750.00", "75.0 %"),
        ("USDT", "1", "$250.00", "25.0 %"),
    )


def test_what_is_in_open_orders_has_a_column_of_its_own() -> None:
    """Free and locked apart, and the column only where something is locked."""
    (rows,) = tables(said(worth(holding("BTC", "750", free="0.5", locked="0.25"), holding("ETH", "1"))))
    assert rows[0] == ("Asset", "Free", "Locked", "Value", "Share")
    assert rows[1][:3] == ("BTC", "0.5", "0.25")
    assert rows[2][:3] == ("ETH", "1", "0")


def test_many_assets_are_folded_into_a_line_that_names_its_sum() -> None:
    """Twelve in the table, the rest named with their number and what they are worth together."""
    whole = worth(*many(40))
    text = said(whole).plain()
    (rows,) = tables(said(whole))
    rest = sum((h.value or Decimal(0) for h in whole.shown[LISTED:]), Decimal(0))
    assert len(rows) == LISTED + 1
    assert "28 more (BCH, ATOM, UNI" in text
    assert f", …): {EN.money(rest, 'USD')} together" in text


def test_stable_coins_and_debts_are_never_folded() -> None:
    """However small, they stay in the table; one asset left over is not worth a line of its own."""
    small = [holding("USDC", "0.01"), holding("SHIB", "-9000")]
    (rows,) = tables(said(worth(*many(20), *small)))
    assert {"USDC", "SHIB"} <= {row[0] for row in rows}
    (rows,) = tables(said(worth(*many(LISTED + 1))))
    assert len(rows) == LISTED + 2


@given(st.lists(st.sampled_from([*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "USDT", "EUR", "DAI"]), unique=True))
def test_every_asset_is_somewhere(assets: list[str]) -> None:
    """In the table, in the rest, in the dust or among those without a price: listed, or counted."""
    held = [holding(asset, str(n * 37 % 50 - 5)) for n, asset in enumerate(assets)]
    whole = worth(*held)
    listed, rest = whole.listed(LISTED)
    assert sorted(h.balance.asset for h in (*listed, *rest)) == sorted(assets)
    assert not {"USDT", "EUR", "DAI"} & {h.balance.asset for h in rest}


def test_a_debt_is_said_and_takes_no_share() -> None:
    """Below zero is called what it is; shares are parts of what is held."""
    message = said(worth(holding("BTC", "1000"), holding("USDT", "-400", free="-400")))
    rows = {row[0]: row for row in tables(message)[0]}
    assert rows["BTC"][3] == "100.0 %"
    assert rows["USDT"][2:] == ("-$400.00", "")
    assert "Below zero, so owed: -400 USDT" in message.plain()
    assert "Total $600.00" in message.plain()


@pytest.mark.parametrize("before", [Decimal(0), Decimal(-5)])
def test_a_change_from_nothing_or_less_has_no_percentage(before: Decimal) -> None:
    """A part of nothing, or of a debt, would be nonsense."""
    text = said(worth(holding("BTC", "10")), last=(before, "USD")).plain()
    assert "since the last post" in text
    assert "%" not in text.split("since the last post")[0]


def test_an_account_that_holds_nothing_says_so() -> None:
    """Zero balances make no rows."""
    zero = value([Balance("BTC", Decimal(0), Decimal(0))], Prices(NOW, {}), "USD", Decimal(1))
    text = said(zero).plain()
    assert "This account is empty." in text
    assert "Total $0.00" in text
    assert tables(said(zero)) == []


def test_a_price_of_zero_and_an_unknown_asset_are_no_price() -> None:
    """Neither makes a value; both are named as outside the total."""
    held = [Balance(a, Decimal(5), Decimal(5)) for a in ("BTC", "DEAD", "WONDER")]
    prices = Prices(NOW, {("BTC", "USD"): Decimal(10), ("DEAD", "USD"): Decimal(0)})
    text = said(value(held, prices, "USD", Decimal(1))).plain()
    assert "No price for DEAD, WONDER: not in the total" in text
    assert "Total $50.00" in text


def test_the_age_is_told_in_words() -> None:
    """An answer says how old it is; a fresh one says that too; a post on schedule need not."""
    seen = valued(NAME, worth(holding("BTC", "10")))
    assert "(7 minutes ago)" in posted(seen, None, EN, now=NOW + timedelta(minutes=7)).plain()
    assert "(just now)" in posted(seen, None, EN, now=NOW + timedelta(seconds=1)).plain()
    assert "ago" not in posted(seen, None, EN).plain()


def test_old_prices_show_their_date() -> None:
    """An hour without a day would be read as today's."""
    seen = valued(NAME, worth(holding("BTC", "10")))
    old = Rates(Prices(NOW - timedelta(days=3), {("BTC", "USD"): Decimal(1)}))
    assert "prices of May 1, 2026" in posted(replace(seen, rates=old), None, EN).plain()


def test_quantities_fit_a_phone() -> None:
    """Eight digits that matter, of however many there are; whole units are never rounded."""
    rows = tables(
        said(
            worth(
                holding("A", "4", free="0.123456789012345678"),
                holding("B", "3", free="98765432109876.5"),
                holding("C", "2", free="0.0000000012345678912"),
            )
        )
    )[0]
    assert [row[1] for row in rows[1:]] == ["0.12345679", "98,765,432,109,877", "0.0000000012345679"]


def test_several_accounts_together() -> None:
    """One line per account with its share, then all assets once, and the oldest reading's time."""
    first = valued("One", worth(holding("BTC", "600"), holding("USDT", "100")))
    second = valued("Two", worth(holding("BTC", "300")), NOW - timedelta(hours=2))
    message = together([first, second], (Decimal(900), "USD"), EN, now=NOW)
    accounts, assets = tables(message)
    assert [row[0] for row in accounts] == ["Account", "One", "Two"]
    assert [row[2] for row in accounts[1:]] == ["70.0 %", "30.0 %"]
    assert assets[1] == ("BTC", "2", "$900.00", "90.0 %")
    assert "All together · 2 accounts" in message.plain()
    assert "+$100.00" in message.plain()
    assert "(2 hours ago)" in message.plain()


money = st.decimals(Decimal(-(10**9)), Decimal(10**9), places=2)


@given(st.lists(st.dictionaries(st.sampled_from(["BTC", "ETH", "USDT", "X"]), money), min_size=1, max_size=4))
def test_together_is_worth_what_the_accounts_are_worth(accounts: list[dict[str, Decimal]]) -> None:
    """No sum changes by being added up, and each asset is there once."""
    parts = [worth(*(holding(asset, str(v)) for asset, v in held.items())) for held in accounts]
    whole = merged(parts)
    assert whole.total == sum((part.total for part in parts), Decimal(0))
    assert sum((h.value or Decimal(0) for h in whole.shown), Decimal(0)) == whole.total
    assert sorted(h.balance.asset for h in whole.shown) == sorted(set().union(*accounts))


def test_what_is_dust_in_one_account_and_not_in_another_is_shown() -> None:
    """Together it is large enough."""
    whole = merged([worth(holding("BTC", "600")), worth(dust=[holding("BTC", "0.2"), holding("LTC", "0.1")])])
    assert [h.balance.asset for h in whole.shown] == ["BTC"]
    assert [h.balance.asset for h in whole.dust] == ["LTC"]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_sentence_is_said_in_every_language(locale: str) -> None:
    """No place is left open, and numbers are written as the language writes them."""
    t = Translator(locale, ZoneInfo("America/Sao_Paulo"))
    whole = worth(
        *many(20), holding("SHIB", "-9"), dust=[holding("DUST", "0.1")], unpriced=[holding("WONDER", None)]
    )
    seen = valued(NAME, whole)
    alone = posted(seen, (Decimal(5), "USD"), t, now=NOW).plain()
    assert t.money(whole.shown[0].value or Decimal(0), "USD") in alone
    for text in (alone, together([seen, seen], None, t, now=NOW).plain()):
        assert "{" not in text


def test_the_words_of_a_picture_say_what_it_shows() -> None:
    """Start, end, lowest and highest with their days, and every share."""
    points = walk(Decimal(1000), 30)
    whole = worth(holding("BTC", "750"), holding("USDT", "250"))
    shown = picture(NAME, whole, points, Shade.LIGHT, EN)
    assert shown
    text = words(shown, points, "USD", EN)
    for part in (NAME, "$1,000.00 on May 4, 2026", "lowest", "highest", "BTC 75.0 %", "USDT 25.0 %"):
        assert part in text


def test_nothing_of_value_makes_no_picture() -> None:
    """An empty ground is not sent."""
    assert picture(NAME, worth(), [], Shade.LIGHT, EN) is None
    assert picture(NAME, worth(unpriced=[holding("X", None)]), [], Shade.LIGHT, EN) is None


def test_a_few_minutes_are_no_history() -> None:
    """A curve needs half an hour at least."""
    points = walk(Decimal(5), 1, 0.25)
    assert not long_enough(points[:2])
    assert long_enough(points[:3])


@pytest.mark.parametrize(
    ("days", "hours"), [(0.1, 0.1), (1, 0.25), (7, 1), (30, 6), (80, 6), (100, 12), (365, 12), (3650, 48)]
)
def test_the_axis_of_time_has_a_few_marks(days: float, hours: float) -> None:
    """From two hours to ten years: three to eight marks, in order and inside the time shown."""
    points = walk(Decimal(5), days, hours)
    shown = picture(NAME, worth(*many(2)), points, Shade.LIGHT, EN)
    assert shown
    assert shown.curve
    times = [at for at, _ in shown.curve.times]
    assert 2 <= len(times) <= 11
    assert times == sorted(times)
    assert points[0].at <= times[0]
    assert times[-1] <= points[-1].at
