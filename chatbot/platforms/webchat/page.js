// What the scripts of the page share: elements, words, calls to the server, the line of state, the toast.
export const $ = (id) => document.getElementById(id);
export const word = (id, values = {}) => $("words").dataset[id].replace(/{(\w+)}/g, (_, key) => values[key]);
export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
export const language = document.documentElement.lang;

export function make(tag, properties = {}, ...children) {
	const { data, ...rest } = properties;
	const element = Object.assign(document.createElement(tag), rest);
	Object.assign(element.dataset, data);
	element.append(...children);
	return element;
}

export async function call(path, body, headers = {}) {
	const post = { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) };
	const answer = await fetch(path, body ? post : { headers });
	if (answer.status === 401) state("out");
	if (!answer.ok) throw Object.assign(new Error(), { status: answer.status });
	return answer.status === 204 ? {} : answer.json();
}

export function state(name) {
	$("state").dataset.state = name;
	$("state").textContent = name && word(name);
}

let fading;
export function toast(text) {
	$("toast").textContent = text;
	$("toast").classList.add("shown");
	clearTimeout(fading);
	fading = setTimeout(() => $("toast").classList.remove("shown"), Math.max(3500, text.length * 70));
}
