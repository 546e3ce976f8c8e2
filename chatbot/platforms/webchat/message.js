// One message as the page shows it. Every text goes in as text, so nothing in it can act as markup.
import { call, language, make, toast, word } from "./page.js";

export function bubble(message) {
	const { id, chat, from, order, at, body, buttons, image, file, edited } = message;
	const own = from !== "bot";
	const words = make("div", { className: "bubble" });
	if (image) words.append(picture(image));
	const end = foot(at, edited);
	const kept = file ? [make("p", {}, make("a", { href: file.url, download: file.name, textContent: file.name }))] : [];
	words.append(...body.map((part) => part.table ? table(part.table) : line(part)), ...kept, end);
	if (end.previousSibling?.className === "note") end.prepend(end.previousSibling);
	const who = make("span", { className: "who", textContent: `${own ? from : word("bot")}: ` });
	const element = make("article", { className: own ? "own" : image ? "wide" : "", data: { id, chat, from, order } }, who, words);
	if (buttons.length) element.append(make("div", { className: "rows" }, ...buttons.map(row)));
	return element;
}

function foot(at, edited) {
	const moment = new Date(at);
	const today = moment.toDateString() === new Date().toDateString();
	const short = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
	const time = make("time", {
		dateTime: at, title: moment.toLocaleString(language), textContent: moment.toLocaleString(language, short),
	});
	return make("footer", {}, ...(edited ? [make("i", { textContent: word("edited") }), " "] : []), time);
}

function line({ line: pieces, note }) {
	return make("p", { className: note ? "note" : "" }, ...pieces.map(([text, look, url]) => {
		if (look === "bold") return make("b", { textContent: text });
		if (look === "code") return copyable(text);
		if (look === "link" && web(url)) return outward(text, url);
		return text;
	}));
}

const web = (url) => /^https?:\/\//i.test(url);
const outward = (text, url) => make("a", { href: url, target: "_blank", rel: "noopener noreferrer", textContent: text });

export function copyable(text) {
	const button = make("button", { type: "button", className: "code", title: word("copy"), textContent: text });
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(text);
			toast(word("copied"));
		} catch {
			getSelection().selectAllChildren(button);
		}
	});
	return button;
}

function table([head, ...rows]) {
	const heading = make("tr", {}, ...head.map((cell) => make("th", { scope: "col", textContent: cell })));
	const lines = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", { textContent: cell }))));
	const whole = make("table", {}, make("thead", {}, heading), make("tbody", {}, ...lines));
	return make("div", { className: "table", tabIndex: 0 }, whole);
}

function picture({ url, alt, width, height }) {
	return make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, make("img", { src: url, alt, width, height }));
}

function row(buttons) {
	return make("div", {}, ...buttons.map((button) => {
		if (button.start !== undefined) return make("button", { type: "button", textContent: button.text, data: { start: button.start } });
		if (button.url) return web(button.url) ? outward(button.text, button.url) : make("span", { textContent: button.text });
		return pressable(button);
	}));
}

function pressable({ text, id }) {
	const button = make("button", { type: "button", textContent: text });
	button.addEventListener("click", async () => {
		if (button.ariaBusy === "true") return;
		button.ariaBusy = "true";
		try {
			const press = (await call("/chat/press", { button: id })).id;
			if (answered.has(press)) return idle(button);
			button.dataset.press = press;
			setTimeout(idle, 10000, button);
		} catch ({ status }) {
			idle(button);
			toast(word(status === 404 ? "over" : "failed"));
		}
	});
	return button;
}

// The news of an answer may overtake the call that asked.
const answered = new Set();

export function settle(press) {
	answered.add(press);
	document.querySelectorAll("[data-press]").forEach((button) => {
		if (button.dataset.press === press) idle(button);
	});
}

function idle(button) {
	button.ariaBusy = null;
	delete button.dataset.press;
}
