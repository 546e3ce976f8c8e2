"use strict";
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

// Only a PEM block and a passphrase may have blanks inside.
function clean({ id, value }) {
	const text = value.replace(/\p{Cf}/gu, "").trim();
	return id === "passphrase" || text.includes("--") ? text : text.replace(/\s/g, "");
}

const page = document.documentElement;
const $ = (id) => document.getElementById(id);
const all = (kind) => [...page.querySelectorAll(kind)];
const word = (id, values) => $("words").dataset[id].replace(/{(\w+)}/g, (_, key) => values[key]);
const busy = () => $("status").dataset.state === "sending";
function show(state, values, id = state) {
	$("status").textContent = word(id, values);
	$("status").dataset.state = state;
}

const wipe = (inputs) => inputs.map((input) => (input.value = ""));
function end(state, id) {
	wipe(all("input"));
	$("place").textContent = "";
	show(state, 0, id);
}
const dead = () => end("dead");

async function post(path, body) {
	const headers = { "Content-Type": "application/json", "Accept-Language": page.lang };
	const answer = await fetch("api/" + path, { method: "POST", headers, body: JSON.stringify(body) });
	const { status } = answer;
	if (status === 429 || status > 499) throw 0;
	return { status, ...(await answer.json().catch(() => 0)) };
}

async function open(token) {
	const link = await post("open", { token }).catch(() => show("loading", 0, "offline"));
	if (link) return link;
	await new Promise((wake) => setTimeout(wake, 3000));
	return open(token);
}

function draw(link) {
	$("title").textContent = word("connect", link);
	$("label").textContent = link.label;
	$("place").append($("entry").content.cloneNode(true));
	for (const { name, title, secret } of link.fields) {
		const row = $("field").content.cloneNode(true);
		const [label, input] = row.children;
		label.textContent = title;
		label.htmlFor = input.id = name;
		if (secret) input.className = "secret";
		$("submit").before(row);
	}
}

function tick(until) {
	const minutes = Math.ceil((until - Date.now()) / 6e4);
	if (!$("left")) return;
	if (minutes < 1 && !busy()) return dead();
	$("left").textContent = word("minutes", { minutes });
	setTimeout(tick, 1000, until);
}

async function send(token, link) {
	if (busy()) return;
	const inputs = all("input");
	const values = inputs.map(clean);
	const gap = values.indexOf("");
	if (gap >= 0) {
		inputs[gap].focus();
		return show("ready", link.fields[gap], "empty");
	}
	show("sending", link);
	const sealed = encode(await seal(decode(link.pk), decode(link.info), pack(values)));
	const answer = await post("submit", { token, sealed }).catch(() => show("ready", 0, "again"));
	if (!answer) return;
	if (answer.status === 422 && answer.tries_left) {
		wipe(all(".secret"));
		all(".secret")[0].focus();
		return show("refused", answer);
	}
	if (answer.status !== 200) return dead();
	$("code").textContent = answer.code;
	end("done");
	$("place").textContent = word("after");
}

async function start() {
	if (!isSecureContext || !subtle || self !== top) return show("insecure");
	const { hash, search } = location;
	const [, token, print, lang] = /^#([\w-]{43})\.([\w-]{22})(?:\.(\w\w))?$/.exec(hash) || [];
	if (lang && lang !== page.lang && !search) return location.replace("?lang=" + lang + hash);
	history.replaceState(0, "", "key");
	if (!token) return show("dead", 0, hash ? "dead" : "reload");
	show("loading");
	const link = await open(token);
	if (link.status !== 200) return dead();
	const digest = await run("digest", "SHA-256", decode(link.pk));
	if (encode(digest.slice(0, 16)) !== print) return end("dead", "mismatch");
	draw(link);
	tick(Date.now() + link.seconds_left * 1000);
	const [form] = document.forms;
	form.onsubmit = () => {
		send(token, link).catch(dead);
		return false;
	};
	show("ready", link);
	form[0].focus();
}

onhashchange = () => location.reload();
start().catch(dead);
