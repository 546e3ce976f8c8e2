"""OKX's kinds of products are read one by one: one that is closed to an account hides nothing of the others."""

from datetime import timedelta

import pytest

from chatbot.errors import ExchangeError
from tests.exchanges.test_okx_paging import account, read_all
from tests.support.okx import client, refused


@pytest.mark.parametrize("code", ["51000", "50121"])
async def test_a_kind_that_answered_is_never_passed_over(code):
    """In the middle of a walk an unknown refusal of one kind is trouble, and its older fills are not lost."""
    reader, _ = client(refused(code))
    with pytest.raises(ExchangeError):
        await reader.fills_before("500~SWAP")

    async with account() as (state, reader, _):
        start = state.clock() - timedelta(days=30)
        for number in range(150):
            state.trade_swap("buy", at=start + timedelta(minutes=number))
        head = (await reader.prove()).head
        first = await reader.fills_before(head.before)
        state.fail("trade/fills-history", code)
        with pytest.raises(ExchangeError):
            await reader.fills_before(first.cursor)
        rest, _ = await read_all(reader.fills_before, first.cursor)

        assert {*(fill.id for fill in first.fills), *rest} == set(state.fill_ids())


@pytest.mark.parametrize("code", ["51000", "51001"])
async def test_a_family_that_is_no_longer_listed_keeps_no_fill_back(code):
    """Fills of a contract that OKX has taken off its list are still told, as so many contracts."""
    async with account() as (state, reader, _):
        head = (await reader.prove()).head
        swap, spot = state.trade_swap("buy"), state.trade("buy")
        state.fail("public/instruments", code)

        page = await reader.fills_after(head.after)

        assert [fill.id for fill in page.fills] == [swap["billId"], spot["billId"]]


async def test_an_outage_of_the_list_of_contracts_is_waited_for():
    """Only a clear word means that a contract is gone: otherwise its fills wait until they can be read right."""
    async with account() as (state, reader, _):
        head = (await reader.prove()).head
        state.trade_swap("buy")
        state.fail("public/instruments", "50001")
        with pytest.raises(ExchangeError):
            await reader.fills_after(head.after)

        assert (await reader.fills_after(head.after)).fills[0].base == "BTC"
