import { keep, take } from "./pair.js";

const slides = [
	["Two windows", "Each of the two windows is a remote control for the other one.", "What you press on the right happens over there; what is pressed over there happens here.", "Open the other window beside this one, on another screen, or send the link to somebody whom you trust with your slides."],
	["One channel", "The pair has a channel of its own, and its name is the code in the link.", "A command goes to the channel and to one user of it, the other window: conditions of a target combine.", "The server takes commands of a few kinds, and nothing else."],
	["Receivers", "A message of type slides.next calls the method next of the receiver “slides”.", "So a remote control is an object, and a type is a method of it.", "What every object has, like toString, is no method that a message can call."],
	["Nothing is lost", "Commands have a place in the history.", "Cut the network, press next three times over there, and mend it: the three come, in their order, once.", "Only scrolling and the small picture of the other window are as fleeting as they look, so they aren't kept."],
	["Who is there", "Each window knows if the other one is there: presence.", "A window that loses its connection has ten seconds to come back before it counts as gone.", "A third window isn't let in, even with the code."],
	["Applause", "A trigger is an event of the page, that comes from somewhere else.", "Press the button.", "Then write a caption, choose a colour, and scroll this text from over there. It is long enough for that on a phone held sideways, if you read it slowly."],
];

/** The slides of this window. Whoever changes them, changed is called after it. */
export class Deck {
	#at = 0;
	#el;

	constructor(root, changed) {
		const find = (id) => root.querySelector("#" + id);
		this.#el = { root, slide: find("slide"), words: find("words"), caption: find("caption"), number: find("number"), applause: find("applause") };
		this.changed = () => {};
		this.#restore();
		this.changed = changed;
		addEventListener("pagehide", () => keep("deck", JSON.stringify(this.state())));
		let told = 0;
		this.#el.slide.addEventListener("scroll", () => {
			clearTimeout(told);
			told = setTimeout(() => this.changed(), 150); // once for a movement
		}, { passive: true });
	}

	get length() {
		return slides.length;
	}

	/** All there is to see, for the other window. */
	state() {
		const { root, caption } = this.#el;
		return {
			slide: this.#at + 1, slides: slides.length, title: slides[this.#at][0],
			colour: root.dataset.colour, text: caption.textContent, scroll: this.#scrolled(),
		};
	}

	next() {
		this.go(this.#at + 2);
	}

	previous() {
		this.go(this.#at);
	}

	/** Shows a slide by its number, or the nearest there is. */
	go(number) {
		if (!Number.isFinite(number)) return;
		this.#at = Math.min(Math.max(Math.round(number), 1), slides.length) - 1;
		const [title, ...words] = slides[this.#at];
		const { slide, number: at } = this.#el;
		slide.querySelector("h3").textContent = title;
		this.#el.words.replaceChildren(...words.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
		slide.scrollTop = 0;
		at.textContent = `${this.#at + 1} of ${slides.length}`;
		this.changed();
	}

	colour(name) {
		if (!colours.includes(name)) return;
		this.#el.root.dataset.colour = name;
		this.changed();
	}

	/** Scrolls to a part of the way: 0 is the top, 1 the end. */
	scroll(part) {
		const { slide } = this.#el;
		if (Number.isFinite(part)) slide.scrollTop = part * (slide.scrollHeight - slide.clientHeight);
	}

	caption(text) {
		this.#el.caption.textContent = String(text).slice(0, 120);
		this.changed();
	}

	applaud() {
		const { applause } = this.#el;
		applause.textContent = "Bravo!";
		applause.getAnimations().forEach((a) => a.cancel());
		applause.animate([{ opacity: 0 }, { opacity: 1, offset: 0.1 }, { opacity: 1, offset: 0.8 }, { opacity: 0 }], 2_500)
			.finished.then(() => (applause.textContent = ""), () => {}); // or another round has begun
	}

	#scrolled() {
		const { scrollTop, scrollHeight, clientHeight } = this.#el.slide;
		return scrollHeight > clientHeight ? Math.min(Math.max(scrollTop / (scrollHeight - clientHeight), 0), 1) : 0;
	}

	#restore() {
		let kept = {};
		try {
			kept = JSON.parse(take("deck") ?? "{}");
		} catch { /* somebody wrote something else there */ }
		this.go(kept.slide ?? 1);
		this.colour(kept.colour);
		if (kept.text) this.caption(kept.text);
	}
}

export const colours = ["indigo", "teal", "plum", "brick", "olive", "slate"];
