"""What the link page seals and what it refuses: vectors, swapped keys, cut links, frames, injected code."""

import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chatbot.domain.links import b64url
from tests.browser.linkpage import fields, state, tab
from tests.web.weblink import INFO, SUITE, FakeDesk, public_bytes, served

pytestmark = pytest.mark.browser
VECTOR = json.loads((Path(__file__).parents[1] / "web/rfc9180_p256_sha256_aes256gcm.json").read_text())


FRAME = "url => void document.body.append(Object.assign(document.createElement('iframe'), { src: url }))"
SCHEDULE = """async ({ pkRm, enc, skEm, info, pt, aad }) => {
  const raw = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const hex = (data) => [...new Uint8Array(data)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const point = raw(enc);
  const jwk = { kty: "EC", crv: "P-256", x: encode(point.slice(1, 33)), y: encode(point.slice(33)) };
  const load = (key, use) => crypto.subtle.importKey("jwk", key, P256, true, use);
  const pair = { publicKey: await load(jwk, []), privateKey: await load({ ...jwk, d: encode(raw(skEm)) }, ["deriveBits"]) };
  const made = await schedule(raw(pkRm), raw(info), pair);
  const aes = await crypto.subtle.importKey("raw", made.key, "AES-GCM", false, ["encrypt"]);
  const ct = await crypto.subtle.encrypt({ name: "AES-GCM", iv: made.iv, additionalData: raw(aad) }, aes, raw(pt));
  return { enc: hex(made.enc), key: hex(made.key), base_nonce: hex(made.iv), ct: hex(ct) };
}"""


async def test_the_script_reproduces_the_rfc_9180_vector(browser):
    """Our own key schedule gives the published key, nonce and ciphertext of the very suite we use."""
    async with served(FakeDesk()) as url, tab(browser) as page:
        await page.goto(f"{url}/key")
        made = await page.evaluate(SCHEDULE, VECTOR)

    assert made == {name: VECTOR[name] for name in made}


async def test_an_independent_library_opens_what_the_script_seals(browser):
    """Python's HPKE opens the seal, and only with the same context and untouched bytes."""
    key = ec.generate_private_key(ec.SECP256R1())
    seal = "async ([pk, info]) => encode(await seal(decode(pk), decode(info), pack(['k', 'ñ😀'])))"
    async with served(FakeDesk()) as url, tab(browser) as page:
        await page.goto(f"{url}/key")
        sealed = await page.evaluate(
            f"async (args) => [...decode(await ({seal})(args))]", [b64url(public_bytes(key)), b64url(INFO)]
        )

    assert fields(SUITE.decrypt(bytes(sealed), key, INFO)) == ["k", "ñ😀"]
    for at in (0, 70, len(sealed) - 1):
        broken = bytearray(sealed)
        broken[at] ^= 1
        with pytest.raises(Exception):  # noqa: B017, PT011  the library's own
            SUITE.decrypt(bytes(broken), key, INFO)


async def test_a_swapped_public_key_is_caught_before_anything_is_typed(browser):
    """A key that does not fit the link's fingerprint gives no form and no submit request."""
    desk = FakeDesk(shown_key=public_bytes(ec.generate_private_key(ec.SECP256R1())))
    async with served(desk) as url, tab(browser) as page:
        calls: list[str] = []
        page.on("request", lambda request: calls.append(request.url))
        await page.goto(desk.url(url))
        await state(page, "dead")

        assert "does not match" in await page.inner_text("#status")
        assert await page.locator("input").count() == 0

    assert not any("submit" in call for call in calls)


@pytest.mark.parametrize("cut", [r"\.\w\w$", r"\.[^.]+\.\w\w$", r".{4}\.\w\w$", r"#.{9}"])
async def test_a_cut_link_gives_no_form(browser, cut):
    """Without the whole fingerprint the page refuses; only the language may be missing."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        await page.goto(re.sub(cut, "#" if cut.startswith("#") else "", desk.url(url)))
        await state(page, "ready" if cut == r"\.\w\w$" else "dead")

        assert await page.locator("input").count() == (2 if cut == r"\.\w\w$" else 0)
    assert len(desk.opened) == (cut == r"\.\w\w$")


async def test_a_hostile_label_stays_text(browser):
    """Markup in a label is shown as it was typed."""
    desk = FakeDesk(label="<img src=x onerror=alert(1)>")
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")

        assert await page.inner_text("#label") == desk.label
        assert await page.locator("img").count() == 0


async def test_without_javascript_there_is_nothing_to_fill_in(browser):
    """The page explains itself and offers no input."""
    async with served(FakeDesk()) as url, tab(browser, java_script_enabled=False) as page:
        await page.goto(f"{url}/key")

        assert "needs JavaScript" in await page.inner_text("body")
        assert await page.locator("input").count() == 0


@pytest.mark.parametrize(
    "setting", ["globalThis.isSecureContext = false", "Object.defineProperty(crypto, 'subtle', {})"]
)
async def test_an_insecure_page_shows_no_form(browser, setting):
    """Without a secure context or WebCrypto the page says so and touches nothing."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        force = setting.replace(
            "globalThis.isSecureContext = false",
            "Object.defineProperty(window, 'isSecureContext', {value: false})",
        )
        await page.add_init_script(force)
        await page.goto(desk.url(url))
        await state(page, "insecure")

        assert await page.locator("input").count() == 0
    assert desk.opened == []


async def test_a_framed_page_shows_no_form_even_where_framing_is_let_through(browser):
    """Should a proxy drop our headers, the script itself refuses to work inside another page."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:

        async def bare(route):
            answer = await route.fetch()
            await route.fulfill(response=answer, headers={"content-type": answer.headers["content-type"]})

        await page.route("**/*", bare)
        await page.goto(f"{url}/healthz")
        await page.evaluate(FRAME, desk.url(url))
        await page.frame_locator("iframe").locator("#status[data-state=insecure]").wait_for()

        assert await page.frames[1].locator("input").count() == 0
    assert desk.opened == []


async def test_the_page_can_not_be_framed(browser):
    """A stranger's frame stays empty, and a frame let through by other means shows no form."""
    desk = FakeDesk()
    async with served(desk) as url:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{url}/healthz")
        await page.evaluate(FRAME, desk.url(url))
        await page.wait_for_timeout(500)
        assert await page.frames[1].locator("#status").count() == 0
        await context.close()
    assert desk.opened == []


ATTACKS = {
    "eval": "eval('1')",
    "markup": "document.body.innerHTML = '<b>x</b>'",
    "script": "document.createElement('script').src = 'key.js'",
    "fetch": "fetch('http://127.0.0.1:9/x').catch(() => 0)",
    "beacon": "navigator.sendBeacon('http://127.0.0.1:9/x', 'x')",
    "socket": "new WebSocket('ws://127.0.0.1:9/x')",
    "image": "new Image().src = 'http://127.0.0.1:9/x'",
    "form": "HTMLFormElement.prototype.submit.call(document.forms[0])",
}
# The debugger's own calls may eval whatever the policy says; a timer's may not.
ATTACK = """attack => new Promise((tell) => {
  document.addEventListener("securitypolicyviolation", (event) => tell(event.violatedDirective));
  setTimeout(() => tell("nothing was blocked"), 3000);
  setTimeout(%s);
})"""


@pytest.mark.parametrize("attack", ATTACKS)
async def test_injected_code_gets_nowhere(browser, attack):
    """The policy blocks eval, markup, other scripts, foreign hosts and form posts."""
    desk = FakeDesk()
    async with served(desk) as url:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(desk.url(url))
        await state(page, "ready")
        blocked = await page.evaluate(ATTACK % f"() => {{ {ATTACKS[attack]} }}")
        await context.close()

    assert blocked.partition("-")[0] in {"script", "require", "connect", "img", "form"}


async def test_the_secret_is_masked_and_not_offered_to_password_managers(browser):
    """Inputs carry no name and no stored completion; the secret shows as dots."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        secret = page.locator("#api_secret")

        assert await secret.evaluate("input => getComputedStyle(input).webkitTextSecurity") == "disc"
        for name, value in {
            "name": None,
            "autocomplete": "off",
            "data-lpignore": "true",
        }.items():
            assert await secret.get_attribute(name) == value
        assert await secret.evaluate("input => [input.spellcheck, input.autocapitalize]") == [False, "none"]
