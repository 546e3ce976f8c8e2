// Grades answers of our own server with Mozilla's Observatory and Google's CSP evaluator, without a network.
// Reads {"page", "preflight"} on stdin, each {"status", "headers", "body"}; writes what both graders say.
import fs from "node:fs";
import { createRequire } from "node:module";
import { AxiosHeaders } from "axios";

// The list of preloaded hosts is downloaded by an install script that we do not run; our host is on no list.
const read = fs.readFileSync;
fs.readFileSync = (path, ...rest) => (String(path).endsWith("hsts-preload.json") ? "{}" : read(path, ...rest));

const { ALL_TESTS } = await import("@mdn/mdn-http-observatory/src/constants.js");
const { Requests } = await import("@mdn/mdn-http-observatory/src/types.js");
const { Session } = await import("@mdn/mdn-http-observatory/src/retriever/session.js");
const { parseHttpEquivHeaders } = await import("@mdn/mdn-http-observatory/src/retriever/utils.js");
const { MINIMUM_SCORE_FOR_EXTRA_CREDIT } = await import("@mdn/mdn-http-observatory/src/grader/charts.js");
const { getGradeForScore, getScoreModifier } = await import(
	"@mdn/mdn-http-observatory/src/grader/grader.js"
);
const require = createRequire(import.meta.url);
const { CspEvaluator } = require("csp_evaluator");
const { CspParser } = require("csp_evaluator/dist/parser.js");

const { page, preflight } = JSON.parse(fs.readFileSync(0, "utf8"));
const https = new URL("https://keyherald.example/key");
const http = new URL("http://keyherald.example/key");

function answer({ status, headers, body }) {
	const request = { headers: new AxiosHeaders() };
	return { status, headers: new AxiosHeaders(headers), data: body, request, verified: true, config: request };
}

// A proxy in front redirects to https, as the documentation asks for.
function visit() {
	const seen = new Requests(https.hostname);
	seen.session = new Session(https);
	seen.resources.path = page.body;
	for (const name of ["auto", "http", "https"]) seen.responses[name] = answer(page);
	seen.responses.cors = answer(preflight);
	seen.responses.httpRedirects = [http, https].map((url, at) => ({ url, status: at ? 200 : 301 }));
	seen.responses.httpsRedirects = [{ url: https, status: 200 }];
	seen.responses.auto.httpEquiv = parseHttpEquivHeaders(page.body, https.href);
	return seen;
}

function observatory() {
	const results = ALL_TESTS.map((test) => test(visit()));
	const modifiers = results.map(({ result }) => getScoreModifier(result));
	const lost = modifiers.filter((modifier) => modifier < 0).reduce((sum, modifier) => sum + modifier, 100);
	const all = modifiers.reduce((sum, modifier) => sum + modifier, 100);
	const { grade, score } = getGradeForScore(lost >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? all : lost);
	const failed = results.filter(({ pass }) => !pass).map(({ result }) => result);
	return { grade, score, failed };
}

function evaluator() {
	const { csp } = new CspParser(page.headers["content-security-policy"]);
	return new CspEvaluator(csp).evaluate().map(({ description }) => description);
}

process.stdout.write(JSON.stringify({ observatory: observatory(), findings: evaluator() }));
