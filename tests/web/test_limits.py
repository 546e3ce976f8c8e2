"""Who is calling, which host is ours, and how many failures an address has."""

import pytest

from chatbot.web.limits import FailureBudget, client_address, origin_of, plain_host


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Keys.Example/bot", "https://keys.example"),
        ("https://keys.example:443", "https://keys.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_what_a_browser_sends(url, origin):
    """Lower case, no default port, no path."""
    assert origin_of(url) == origin


def test_a_host_keeps_a_port_that_means_something():
    """Only the port the scheme implies is dropped."""
    assert [plain_host(host, "https") for host in ("A.b:443", "a.b:80")] == ["a.b", "a.b:80"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("10.0.0.1", "6.6.6.6", "6.6.6.6"),
        ("10.0.0.1", "1.1.1.1, 6.6.6.6, 10.0.0.2", "6.6.6.6"),
        ("9.9.9.9", "6.6.6.6", "9.9.9.9"),
        ("::ffff:10.0.0.1", "6.6.6.6", "6.6.6.6"),
        ("10.0.0.1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "7.7.7.7:5000", "7.7.7.7"),
        ("10.0.0.1", "[2001:db8:1:2:3::4]:5000", "2001:db8:1:2::/64"),
        ("10.0.0.1", "[2001:db8:1:2:3::4]", "2001:db8:1:2::/64"),
        ("", "6.6.6.6", "unknown"),
    ],
)
def test_only_our_own_proxies_are_believed(peer, forwarded, seen):
    """The right-most hop that is not ours is the caller; a stranger's header counts for nothing."""
    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}

    assert client_address(scope, ["10.0.0.0/8"]) == seen


def test_failures_are_forgiven_with_time():
    """An empty pot refills, and one address never empties another's."""
    now = [0.0]
    budget = FailureBudget(each=2, total=100, refill_seconds=10, clock=lambda: now[0])
    budget.spend("a")
    budget.spend("a")

    assert [budget.allows("a"), budget.allows("b")] == [False, True]
    now[0] = 6.0
    assert budget.allows("a")


def test_an_attack_from_everywhere_locks_out_only_those_who_failed():
    """With the common pot empty, an address without failures is still served."""
    budget = FailureBudget(each=10, total=3, clock=lambda: 0.0)
    for address in ("a", "b", "c", "d"):
        budget.spend(address)

    assert [budget.allows("d"), budget.allows("honest")] == [False, True]
