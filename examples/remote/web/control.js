import { colours } from "./deck.js";

const mostLines = 50; // of the log

/** The controls of the other window: what is pressed is given to send. */
export class Control {
	#el;

	constructor(root, slides, send) {
		const find = (id) => root.querySelector("#" + id);
		this.#el = { controls: find("controls"), preview: find("preview"), there: find("there"), log: find("log"), scroll: find("scroll"), numbers: find("numbers"), colours: find("colours") };
		this.#el.numbers.append(...Array.from({ length: slides }, (_, i) => button(String(i + 1), () => send("slides.go", i + 1), { ariaLabel: "Slide " + (i + 1) })));
		this.#el.colours.append(...colours.map((name) => {
			const b = button("", () => send("page.colour", name), { ariaLabel: name, title: name });
			b.dataset.colour = name;
			return b;
		}));
		root.addEventListener("click", (e) => {
			const type = e.target.closest("[data-command]")?.dataset.command;
			if (type) send(type, null);
		});
		let sliding;
		this.#el.scroll.addEventListener("input", () => { // at most twenty a second, and always the last
			sliding ??= setTimeout(() => {
				sliding = undefined;
				send("page.scroll", +this.#el.scroll.value);
			}, 50);
		});
		find("write").addEventListener("submit", (e) => {
			e.preventDefault();
			send("page.caption", { text: find("text").value.trim() });
			find("text").value = "";
		});
	}

	/** Says if the other window is there. */
	there(is) {
		const { controls, there } = this.#el;
		if (controls.disabled === !is) return;
		controls.disabled = !is;
		there.textContent = is ? "It is there." : "It is gone. What is commanded needs somebody who obeys.";
	}

	/** Shows what the other window shows. It is what another one says, so it is looked at with care. */
	state(s) {
		if (typeof s !== "object" || s === null) return;
		const { preview, numbers, scroll } = this.#el;
		const [title, number, caption] = preview.children;
		title.textContent = short(s.title);
		number.textContent = `Slide ${+s.slide || 1} of ${+s.slides || 1}`;
		caption.textContent = short(s.text);
		if (colours.includes(s.colour)) preview.dataset.colour = s.colour;
		for (const b of this.#el.colours.children) b.ariaPressed = String(b.dataset.colour === s.colour);
		[...numbers.children].forEach((b, i) => (b.ariaPressed = String(i + 1 === s.slide)));
		if (document.activeElement !== scroll && Number.isFinite(s.scroll)) scroll.value = s.scroll;
	}

	/** Notes a command, or what became of one. */
	note(way, text) {
		const { log } = this.#el;
		const line = document.createElement("li");
		line.dataset.way = way;
		const time = document.createElement("time");
		time.textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
		line.append(time, " ", { out: "You: ", in: "The other window: ", trouble: "" }[way] + short(text));
		log.prepend(line);
		while (log.children.length > mostLines) log.lastChild.remove();
	}
}

function button(text, press, properties) {
	const b = Object.assign(document.createElement("button"), { type: "button", textContent: text, ...properties });
	b.addEventListener("click", press);
	return b;
}

function short(text) {
	return String(text ?? "").slice(0, 160);
}
