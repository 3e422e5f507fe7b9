// What is typed: parsing, completion and the memory of earlier inputs. No DOM here.

// A selector is op.target with an optional $css; it holds no space, @ or control character.
const selectorForm = /^[^\s.@$\p{Cc}]+\.[^\s@\p{Cc}]+$/u;

// parseInput takes an input apart:
//   text              {kind: "chat", message}
//   /selector text    {kind: "raw", selector, message}      no text: message is null
//   @name …           the same with to: "name"               @me is oneself
//   //text            {kind: "chat", message: "/text"}
// What can't be sent is {kind: "error", message}; nothing at all is null.
export function parseInput(input) {
  let text = input.trim();
  if (text === "") return null;
  let to;
  const addressed = /^@(\S+)(?:\s+([^]*))?$/u.exec(text);
  if (addressed) {
    to = addressed[1].replace(/[,:;]+$/u, "");
    if (to === "") return { kind: "chat", message: text };
    text = (addressed[2] ?? "").trim();
    if (text === "") return { kind: "error", message: `Write something after @${to}: only they will see it.` };
  }
  const parsed = text.startsWith("/") ? parseCommand(text) : { kind: "chat", message: text };
  return to === undefined || parsed.kind === "error" ? parsed : { ...parsed, to };
}

function parseCommand(text) {
  if (text.startsWith("//")) return { kind: "chat", message: text.slice(1) };
  const [, selector, message] = /^\/(\S*)(?:\s+([^]*))?$/u.exec(text);
  if (!selectorForm.test(selector)) {
    return { kind: "error", message: "A command is /op.target text, as in /cmd.announce Hello. Start with // to say a slash." };
  }
  return { kind: "raw", selector, message: message ? message : null };
}

// handle is a name as it is written after @: without spaces.
export function handle(name) {
  return name.replace(/\s+/gu, "");
}

// findUser finds the user whom a handle names, whatever the letter case. me is
// oneself. Two users may have one name: nobody is guessed at.
export function findUser(name, people, me) {
  const wanted = name.toLowerCase();
  if (wanted === "me") return me ? { person: me } : { error: "Not connected yet." };
  const found = people.filter((p) => handle(p.name).toLowerCase() === wanted);
  const ids = new Set(found.map((p) => p.user));
  if (ids.size === 0) return { error: `Nobody here is called ${name}. Nothing was sent.` };
  if (ids.size > 1) return { error: `Several people here are called ${name}. Nothing was sent.` };
  return { person: found[0] };
}

// candidates are the handles that may complete the @name before the caret, an exact one first,
// with where the name starts; null if there is none.
export function candidates(text, caret, names) {
  const before = /(?:^|\s)@(\S*)$/u.exec(text.slice(0, caret));
  if (!before || /^\S/u.test(text.slice(caret))) return null;
  const prefix = before[1].toLowerCase();
  const handles = [...new Set([...names.map(handle), "me"])].filter((h) => h.toLowerCase().startsWith(prefix));
  handles.sort((a, b) => Number(b.toLowerCase() === prefix) - Number(a.toLowerCase() === prefix));
  return handles.length === 0 ? null : { start: caret - before[1].length, prefix: before[1], handles };
}

// complete puts a handle and a space where a name was begun.
export function complete(text, caret, { start }, chosen) {
  const rest = text.slice(caret).replace(/^ /u, "");
  return { text: `${text.slice(0, start)}${chosen} ${rest}`, caret: start + chosen.length + 1 };
}

// Recall remembers inputs and walks through them as a shell does.
export class Recall {
  #lines = [];
  #at = 0;
  #draft = "";

  constructor(limit = 100) {
    this.limit = limit;
  }

  add(line) {
    if (line !== "" && line !== this.#lines.at(-1)) this.#lines.push(line);
    if (this.#lines.length > this.limit) this.#lines.shift();
    this.#at = this.#lines.length;
  }

  // back gives the input before the one shown, forward the one after it; null when
  // there is none. What was being typed comes last.
  back(shown) {
    if (this.#at === 0) return null;
    if (this.#at === this.#lines.length) this.#draft = shown;
    return this.#lines[--this.#at];
  }

  forward() {
    if (this.#at >= this.#lines.length) return null;
    return ++this.#at === this.#lines.length ? this.#draft : this.#lines[this.#at];
  }
}

// channelName is a channel as the hub takes it, or null: without spaces, commas,
// @ and control characters, at most 255 bytes. A leading # is a habit, not a part.
export function channelName(text) {
  const name = text.trim().replace(/^#/u, "");
  if (name === "" || /[\s,@\p{Cc}]/u.test(name)) return null;
  return new TextEncoder().encode(name).length <= 255 ? name : null;
}

// channelList reads ?channels=a,b: valid names, each once.
export function channelList(text) {
  const names = (text ?? "").split(",").map(channelName);
  return [...new Set(names.filter((n) => n !== null))];
}
