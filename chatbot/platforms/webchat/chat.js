// The web chat: shows what the server holds, sends what the person writes.
import { $, call, make, state, toast, wait, word } from "./page.js";
import { bubble, copyable, settle } from "./message.js";

const chats = new Map();
let selected;
let version = 0;
let session = 0; // grows with every sign-in, so that an older loop ends itself

// --- talking to the server

async function signIn() {
	const token = location.hash.slice(1);
	const mine = ++session;
	try {
		if (token) {
			history.replaceState(null, "", location.pathname);
			await call("/chat/session", {}, { Authorization: `Bearer ${token}` });
		}
		furnish(await call("/chat/about"));
	} catch (problem) {
		if (problem.status !== 401) state("offline");
		if (problem.status !== 401 && mine === session) setTimeout(() => token ? location.replace(`#${token}`) : signIn(), 2000);
		return;
	}
	listen(mine);
}

async function listen(mine) {
	for (let pause = 500; mine === session; ) {
		try {
			// A poll without news is held for long; a short call tells at once that the bot is back.
			if ($("state").dataset.state === "offline") await call("/chat/about").then(() => state(""));
			const news = await call(`/chat/messages?after=${version}`);
			if (mine !== session) return;
			state("");
			take(news);
			pause = 500;
		} catch (problem) {
			if (problem.status === 401) return;
			if (mine === session) state("offline");
			await wait(pause);
			pause = Math.min(pause * 2, 8000);
		}
	}
}

// --- chats

function furnish({ chats: list, practice, notes }) {
	chats.clear();
	version = 0;
	for (const info of list) chats.set(info.id, { info, messages: new Map(), unread: 0, draft: "", tab: tab(info) });
	$("chats").replaceChildren(...[...chats.values()].map((chat) => chat.tab));
	const groups = [...new Set(practice.map(({ group }) => group))];
	$("doings").replaceChildren(...groups.flatMap((group) => box(group, practice, notes)));
	$("notes").replaceChildren(...notes.filter(({ group }) => !group).flatMap(note));
	$("practice").hidden = !practice.length && !notes.length;
	$("practice").open = matchMedia("(min-width: 52rem)").matches;
	select(chats.has(selected) ? selected : list[0].id);
}

function tab({ id, title }) {
	const tab = make("button", { type: "button", data: { chat: id } },
		make("span", { className: "face", textContent: [...title][0], ariaHidden: "true" }),
		make("span", { className: "name", textContent: title }),
		make("span", { className: "last" }),
		make("span", { className: "badge" }));
	tab.addEventListener("click", () => { select(id); $("message").focus(); });
	return tab;
}

function select(id) {
	if (chats.has(selected)) chats.get(selected).draft = $("message").value;
	selected = id;
	const { info, draft, messages } = chats.get(id);
	chats.get(id).unread = 0;
	$("name").textContent = info.title;
	$("about").textContent = info.about;
	$("messages").dataset.chat = id;
	$("messages").replaceChildren(...[...messages.values()].sort((a, b) => a.order - b.order).map(bubble));
	$("message").value = draft;
	emptiness();
	suggest();
	list();
	toBottom();
}

function list() {
	let unread = 0;
	for (const [id, { info, messages, unread: count, tab }] of chats) {
		const last = [...messages.values()].sort((a, b) => b.order - a.order)[0];
		tab.setAttribute("aria-current", id === selected);
		tab.ariaLabel = count ? word("unread", { title: info.title, count }) : info.title;
		tab.querySelector(".last").textContent = last ? summary(last) : "";
		tab.querySelector(".badge").textContent = count || "";
		unread += count;
	}
	document.title = unread ? `(${unread}) Keyherald` : "Keyherald";
}

function summary({ body, image }) {
	const line = body.find((part) => part.line && part.line.length && !part.note);
	return line ? line.line.map(([text]) => text).join("") : image ? image.alt : "";
}

function emptiness() {
	const { info, messages } = chats.get(selected);
	$("messages").querySelector(".empty")?.remove();
	if (messages.size) return;
	const starters = info.starters.map((text) => {
		const chip = make("button", { type: "button", textContent: text });
		chip.addEventListener("click", () => say(text, selected));
		return chip;
	});
	const text = make("p", { textContent: word(starters.length ? "empty" : "quiet") });
	$("messages").append(make("div", { className: "empty" }, text, ...starters));
}

// --- news

function take(news) {
	const first = version === 0;
	version = news.version;
	const low = atBottom();
	let own = false;
	for (const message of news.messages.sort((a, b) => a.order - b.order)) {
		const chat = chats.get(message.chat);
		if (!chat) continue;
		const fresh = !chat.messages.has(message.id) && !message.deleted;
		message.deleted ? chat.messages.delete(message.id) : chat.messages.set(message.id, message);
		if (message.chat === selected) place(message);
		else if (fresh && !first && !message.silent && message.from === "bot") chat.unread++;
		own ||= fresh && message.chat === selected && message.from !== "bot";
		if (fresh && !first && message.chat === selected && !low && !own) $("newer").hidden = false;
	}
	if (news.messages.length) {
		emptiness();
		list();
		if (low || own || first) toBottom();
	}
	if (!first) news.toasts.forEach(toastNews);
}

function place(message) {
	const log = $("messages");
	const old = log.querySelector(`[data-id="${CSS.escape(message.id)}"]`);
	if (message.deleted) return old?.remove();
	const element = bubble(message);
	if (old) {
		const focused = old.contains(document.activeElement);
		old.replaceWith(element);
		// Whoever steps through a guide by keyboard stays on its buttons.
		if (focused) (element.querySelector(".rows button, .rows a") || log).focus({ preventScroll: true });
		return;
	}
	const next = [...log.children].find((other) => Number(other.dataset.order) > message.order);
	log.insertBefore(element, next || null);
}

function toastNews({ chat, text, press }) {
	settle(press);
	if (text && chat === selected) toast(text);
}

const atBottom = () => $("messages").scrollHeight - $("messages").scrollTop - $("messages").clientHeight < 80;
function toBottom() {
	$("messages").scrollTop = $("messages").scrollHeight;
	$("newer").hidden = true;
}

// --- writing

async function say(text, chat) {
	try {
		await call("/chat/say", { text, chat });
		return true;
	} catch {
		toast(word("failed"));
		return false;
	}
}

$("composer").addEventListener("submit", async (event) => {
	event.preventDefault();
	const text = $("message").value;
	const chat = selected;
	if (!text.trim() || !chat) return;
	$("message").value = "";
	suggest();
	if (!(await say(text, chat)) && selected === chat && !$("message").value) $("message").value = text;
});

let active = -1;
const options = () => [...$("commands").children];

function suggest() {
	const typed = $("message").value;
	const all = chats.has(selected) ? chats.get(selected).info.commands : [];
	const found = /^\/\w*$/.test(typed) ? all.filter(({ name }) => `/${name}`.startsWith(typed.toLowerCase())) : [];
	const plain = found.length === 1 && `/${found[0].name}` === typed;
	$("commands").replaceChildren(...(plain ? [] : found).map(({ name, about }, index) => {
		const option = make("li", { id: `command-${index}`, role: "option" },
			make("b", { textContent: `/${name}` }), " ", make("span", { textContent: about }));
		option.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(option); });
		return option;
	}));
	mark(-1);
}

function mark(index) {
	const shown = options();
	active = index;
	shown.forEach((option, at) => option.ariaSelected = String(at === index));
	$("commands").hidden = !shown.length;
	$("message").ariaExpanded = String(shown.length > 0);
	if (shown[index]) $("message").setAttribute("aria-activedescendant", shown[index].id);
	else $("message").removeAttribute("aria-activedescendant");
	shown[index]?.scrollIntoView({ block: "nearest" });
}

function choose(option) {
	$("message").value = `${option.querySelector("b").textContent} `;
	suggest();
	$("message").focus();
}

$("message").addEventListener("input", suggest);
$("message").addEventListener("keydown", (event) => {
	if (event.isComposing) return;
	const shown = options();
	const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
	if (shown.length && step) mark(active < 0 && step < 0 ? shown.length - 1 : (active + step + shown.length) % shown.length);
	else if (shown.length && event.key === "Tab" && !event.shiftKey) choose(shown[Math.max(active, 0)]);
	else if (shown.length && event.key === "Escape") { $("commands").replaceChildren(); mark(-1); }
	else if (event.key === "Enter" && !event.shiftKey) active < 0 ? $("composer").requestSubmit() : choose(shown[active]);
	else return;
	event.preventDefault();
});

// --- practice

// One box at a time is open, so that many exchanges take little room.
function box(group, practice, notes) {
	const mine = (one) => one.group === group;
	const buttons = practice.filter(mine).map(doing);
	if (!group) return buttons;
	const all = make("details", { name: "exchange", open: mine(practice[0]) });
	all.append(
		make("summary", { textContent: group }),
		make("div", { className: "doing" }, ...buttons),
		make("dl", {}, ...notes.filter(mine).flatMap(note)),
	);
	return [all];
}

function doing({ label, url }) {
	const button = make("button", { type: "button", textContent: label });
	button.addEventListener("click", async () => {
		try {
			const answer = await fetch(url, { method: "POST" });
			toast(answer.ok ? word("done", { label }) : word("failed"));
		} catch {
			toast(word("failed"));
		}
	});
	return button;
}

function note({ text, code }) {
	return [make("dt", { textContent: text }), ...(code ? [make("dd", {}, copyable(code))] : [])];
}

// A button that leads to the person's private chat changes the chat instead of the page.
$("messages").addEventListener("click", ({ target }) => {
	const start = target.closest("[data-start]")?.dataset.start;
	const { user } = chats.get(selected)?.info ?? {};
	const home = [...chats.values()].find(({ info }) => info.private && info.user === user);
	if (start === undefined || !home) return;
	select(home.info.id);
	say(`/start ${start}`.trim(), home.info.id);
});
$("newer").addEventListener("click", toBottom);
$("messages").addEventListener("scroll", () => { if (atBottom()) $("newer").hidden = true; });
addEventListener("hashchange", () => location.hash && signIn());
signIn();
