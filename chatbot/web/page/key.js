// Seals an API key to the public key of this link (HPKE, RFC 9180), sends it, forgets it.
const { subtle } = crypto;
const HMAC = { name: "HMAC", hash: "SHA-256" };
const P256 = { name: "ECDH", namedCurve: "P-256" };
const bytes = (data) => new Uint8Array(data);
const utf8 = (text) => new TextEncoder().encode(text);
const join = (...parts) => bytes(parts.flatMap((part) => [...(part.big ? utf8(part) : part)]));
const run = async (verb, ...rest) => bytes(await subtle[verb](...rest));
const load = (key, kind, use) => subtle.importKey("raw", key, kind, false, use);
const KEM = join("KEM", [0, 16]);
const SUITE = join("HPKE", [0, 16, 0, 1, 0, 2]);

// WebCrypto takes no empty key; a zero is the same to HMAC.
const hmac = async (key, ...data) =>
	run("sign", HMAC, await load(key || bytes(1), HMAC, ["sign"]), join(...data));
const extract = (suite, salt, label, data) => hmac(salt, "HPKE-v1", suite, label, data);
// Nothing here is longer than one block.
const expand = async (suite, key, label, info, size) =>
	(await hmac(key, [0, size], "HPKE-v1", suite, label, info, [1])).slice(0, size);

async function schedule(pk, info, { privateKey, publicKey }) {
	const dh = await run("deriveBits", { name: "ECDH", public: await load(pk, P256, []) }, privateKey, 256);
	const enc = await run("exportKey", "raw", publicKey);
	const shared = await expand(KEM, await extract(KEM, 0, "eae_prk", dh), "shared_secret", join(enc, pk), 32);
	const secret = await extract(SUITE, shared, "secret", []);
	const hash = (label, data) => extract(SUITE, 0, label, data);
	const context = join([0], await hash("psk_id_hash", []), await hash("info_hash", info));
	const make = (label, size) => expand(SUITE, secret, label, context, size);
	return { enc, key: await make("key", 32), iv: await make("base_nonce", 12) };
}

async function seal(pk, info, plain) {
	const pair = await subtle.generateKey(P256, false, ["deriveBits"]);
	const { enc, key, iv } = await schedule(pk, info, pair);
	return join(enc, await run("encrypt", { name: "AES-GCM", iv }, await load(key, "AES-GCM", ["encrypt"]), plain));
}

function pack(values) {
	const parts = values.map(utf8).flatMap((data) => [[0, 0, data.length >> 8, data.length], data]);
	const body = join([values.length], ...parts);
	return join(body, bytes(-body.length & 511));
}

const swap = (text, to) => text.replace(/[-_+/=]/g, (sign) => to[sign]);
const encode = (data) => swap(btoa(String.fromCharCode(...data)), { "+": "-", "/": "_", "=": "" });
const decode = (text) => Uint8Array.from(atob(swap(text, { "-": "+", _: "/" })), (c) => c.charCodeAt());

// What is often copied along: the key's name, before it (`API Key: …`, `"secret" = …`) or above it.
const LABEL = /^[^\d:=\n\t]*(api|key|secret|clave|llave|chave|segredo)[^\d:=\n\t]*([:\n\t]|=(?=.{6}))/i;

// A PEM block stays as it is where one belongs; only a passphrase may have blanks inside.
function clean({ id, rows }, value) {
	const text = value.replace(/\p{Cf}/gu, "").trim();
	if (id === "passphrase") return text;
	const pem = /-----BEGIN [^]+-----/.exec(text.replace(/\\n/g, "\n"));
	return rows && pem ? pem[0] : text.replace(LABEL, "").replace(/[\s"']|[,;]$/g, "");
}

const page = document.documentElement;
const $ = (id) => document.getElementById(id);
const inputs = [];
const word = (id, values) => $("words").dataset[id].replace(/{(\w+)}/g, (_, key) => values[key]);
const put = (id, text) => ($(id).textContent = text);
const make = (kind, textContent, values) => Object.assign(document.createElement(kind), { textContent }, values);
const busy = () => $("status").dataset.state === "sending";
function show(state, values, id = state) {
	put("status", word(id, values));
	$("status").dataset.state = state;
}

const wipe = (input) => (input.value = "");
function end(id, values) {
	inputs.map(wipe);
	put("place", "");
	show(id === "done" ? id : "dead", values, id);
}
const dead = () => end("dead");

async function post(path, body) {
	const headers = { "Content-Type": "application/json", "Accept-Language": page.lang };
	const answer = await fetch("api/" + path, { method: "POST", headers, body: JSON.stringify(body) });
	// Too many calls, or trouble at the server: to be tried again. What is lower is an answer.
	if (answer.status > 428) throw 0;
	return answer.json().catch(() => ({}));
}

const open = (proof) =>
	post("open", proof).catch(async () => {
		show("loading", 0, "offline");
		await new Promise((wake) => setTimeout(wake, 3000));
		return open(proof);
	});

function field({ name, title, secret, multiline }) {
	const row = make("div");
	const input = make(multiline ? "textarea" : "input", "", { id: name, autocomplete: "off" });
	input.dataset["1pIgnore"] = input.dataset.lpignore = true;
	row.append(make("label", title, { htmlFor: name }), input);
	if (secret) {
		const text = word("show");
		const button = make("button", text, {
			type: "button",
			ariaLabel: text + ": " + title,
			ariaPressed: false,
		});
		button.onclick = () => (button.ariaPressed = input.classList.toggle("shown"));
		input.className = "secret";
		row.append(button);
	}
	row.append(make("p", "", { role: "status" }));
	inputs.push(input);
	$("submit").before(row);
}

// Some keyboards paste as if it was typed, so what is left in a field is looked at too.
function tidy(event) {
	const { target, clipboardData: pasted } = event;
	const value = pasted ? pasted.getData("text") : target.value;
	const text = clean(target, value);
	if (text === value) return;
	if (pasted) document.execCommand("insertText", false, text);
	else target.value = text;
	target.parentNode.lastChild.textContent = word("tidied");
	event.preventDefault();
}

function tick(until) {
	const left = Math.max(0, until - Date.now());
	if (!$("left")) return;
	if (!left && !busy()) return dead();
	put("left", word("left", { time: new Date(left).toISOString().slice(14, 19) }));
	setTimeout(tick, 1000, until);
}

async function send(proof, link) {
	if (busy()) return;
	const values = inputs.map((input) => clean(input, input.value));
	const bad = values.findIndex((value) => !/^[\n -~]+$/.test(value));
	if (bad >= 0) {
		inputs[bad].focus();
		return show("ready", link.fields[bad], values[bad] ? "odd" : "empty");
	}
	show("sending", link);
	const sealed = encode(await seal(decode(link.pk), decode(link.info), pack(values)));
	const answer = await post("submit", { ...proof, sealed }).catch(() => show("ready", 0, "again"));
	if (!answer) return;
	const { code, tries_left } = answer;
	if (tries_left) {
		const secrets = inputs.filter((input) => input.className);
		secrets.map(wipe);
		secrets[0].focus();
		return show("refused", answer);
	}
	if (!code) return end(tries_left === 0 ? "refused" : "dead", answer);
	put("code", code);
	end("done");
	put("place", word("after"));
}

// A chat's own app frames the page and says in the fragment who asks; then there is no token.
async function start() {
	const { hash, search, pathname } = location;
	const asked = new URLSearchParams(search + "&" + hash.slice(1));
	const init = asked.get("tgWebAppData");
	if (!isSecureContext || !subtle || (self !== top && !init)) return show("insecure");
	const [, token, print = asked.get("k"), lang] = /^#([\w-]{43})\.([\w-]{22})(?:\.(\w\w))?$/.exec(hash) || [];
	if (lang && lang !== page.lang && !search) return location.replace("?lang=" + lang + hash);
	history.replaceState(0, "", pathname);
	if (!token && !init) return end(hash ? "dead" : "reload");
	show("loading");
	const proof = init ? { init } : { token };
	const link = await open(proof);
	if (!link.pk) return dead();
	const digest = await run("digest", "SHA-256", decode(link.pk));
	if (encode(digest.slice(0, 16)) !== print) return end("mismatch");
	put("title", word("connect", link));
	put("label", link.label);
	if (link.phrase) put("phrase", word("phrase", link));
	$("place").append($("entry").content);
	link.fields.map(field);
	for (const { title, text } of link.steps) $("steps").append(make("h2", title), make("p", text));
	tick(Date.now() + link.seconds_left * 1000);
	// What `onsubmit` answers is false: the browser sends nothing by itself.
	const onsubmit = () => !send(proof, link).catch(dead);
	Object.assign(document.forms[0], { onpaste: tidy, onchange: tidy, onsubmit });
	show("ready", link);
	inputs[0].focus();
}

onhashchange = () => location.reload();
start().catch(dead);
