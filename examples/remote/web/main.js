import { connect } from "/stentor.js";
import { Control } from "./control.js";
import { Deck } from "./deck.js";
import * as pair from "./pair.js";

const code = pair.code();
const me = pair.id();
const c = connect("/events", {
	channels: [code], user: me, presence: true,
	change: (state, error) => {
		tell(state, error);
		if (state === 1) look();
	},
	error: (error) => console.warn(error), // a list of members that can't be had is asked for again
});

const deck = new Deck(document.querySelector("#deck"), () => show());
const control = new Control(document.querySelector("#remote"), deck.length, send);

// What the other window commands: each type calls a method of a receiver.
c.receive("slides", obeying("slides", { next: () => deck.next(), previous: () => deck.previous(), go: (n) => deck.go(n) }));
c.receive("page", obeying("page", {
	colour: (name) => deck.colour(name),
	scroll: (part) => deck.scroll(part),
	caption: (data) => deck.caption(data?.text ?? ""),
}));
c.receive("other", { state: (s) => control.state(s) });
// A trigger is an event of the page.
c.on("trigger.*", (detail, event) => {
	control.note("in", describe(event.type));
	document.dispatchEvent(new CustomEvent(event.type.slice("trigger.".length), { detail }));
});
document.addEventListener("applause", () => deck.applaud());
c.on("gap", () => control.note("trouble", "Commands may be missing here."));

/** The same methods, which note that they were called. */
function obeying(name, methods) {
	return Object.fromEntries(Object.entries(methods).map(([method, f]) => [method, (data) => {
		if (method !== "scroll") control.note("in", describe(name + "." + method, data)); // not each pixel
		f(data);
	}]));
}

// Who is there: the one other user of the channel.
let other = "";
function look() {
	const found = c.members(code).find((m) => m.user !== me)?.user ?? "";
	if (found !== other) {
		other = found;
		control.there(other !== "");
		show();
	}
}
for (const type of ["stentor.members", "stentor.join", "stentor.leave", "stentor.update"]) {
	c.on(type, (m) => {
		look();
		if (type === "stentor.join" && m.user === other) show(); // it has come, and knows nothing yet
	});
}

/** Commands the other window. */
function send(type, data) {
	if (!other) return;
	c.publish({ channel: code, user: other, type, data }).then(() => {
		if (type !== "page.scroll") control.note("out", describe(type, data));
	}, (error) => control.note("trouble", `Not sent: ${describe(type, data)}. ${error.detail || error.message}`));
}

/** Shows the other window how this one looks; the last state alone is of use, so one is on its way at a time. */
let showing = false, again = false;
function show() {
	if (!other || c.readyState !== 1) return;
	again = showing;
	if (showing) return;
	showing = true;
	c.publish({ channel: code, user: other, type: "other.state", data: deck.state() }).catch(() => {}).finally(() => {
		showing = false;
		if (again) show();
	});
}

/** A command in words. */
function describe(type, data) {
	const words = { "slides.next": "next slide", "slides.previous": "previous slide", "slides.go": "slide " + data, "page.colour": "colour " + data };
	if (type === "page.caption") return data?.text ? `caption “${data.text}”` : "no caption";
	return words[type] ?? type.slice(type.indexOf(".") + 1);
}

function tell(state, error) {
	const el = document.querySelector("#state");
	el.dataset.state = state;
	el.textContent = state === 1 ? "Connected" : state === 0 ? "Connecting…" : error?.detail || "The connection is over. Load the page again.";
}

// The head of the page.
document.querySelector("#code").textContent = code.slice(0, 4) + "…" + code.slice(-4);
document.querySelector("#open").href = location.href;
const copy = document.querySelector("#copy");
copy.addEventListener("click", async () => {
	try {
		await navigator.clipboard.writeText(location.href);
		copy.textContent = "Copied";
	} catch {
		copy.textContent = "Copy it from the address bar";
	}
	setTimeout(() => (copy.textContent = "Copy the link"), 2_000);
});
document.querySelector("#back").addEventListener("click", () => deck.previous());
document.querySelector("#on").addEventListener("click", () => deck.next());
document.addEventListener("keydown", (e) => { // this window by its arrows, the other one with Shift
	if (e.target.closest("input, textarea") || e.altKey || e.ctrlKey || e.metaKey) return;
	const way = { ArrowRight: "next", ArrowLeft: "previous" }[e.key];
	if (!way) return;
	e.preventDefault();
	if (e.shiftKey) send("slides." + way, null);
	else deck[way]();
});
