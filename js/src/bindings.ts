import type { Client } from "./client.js";

/**
 * Binds the elements under a root to a client, those that come later included, and returns what ends it.
 *
 *     <b data-on="price" data-text="amount"></b>                    the text becomes data.amount
 *     <meter data-on="load" data-prop="value:cpu"></meter>          a property becomes data.cpu
 *     <a data-on="news" data-attr="title:headline"></a>             an attribute becomes data.headline
 *     <li data-on="build" data-class="failed:broken"></li>          has a class where data.broken is true
 *     <ul data-on="chat" data-append="100"><template>               adds a filled template, and keeps the last 100
 *       <li data-text="text"></li></template></ul>
 *     <button data-click="vote:yes">                                calls handlers.vote("yes", event)
 *
 * A path leads into the data: "a.b" is data.a.b, "." the whole. Several are separated by spaces. Everything is put in as text, never
 * as markup. A message of type "trigger.saved" is dispatched on the root as the CustomEvent "saved", with the data as its detail.
 */
export function bind(c: Client, root: Document | Element = document, handlers: Record<string, (arg: string, e: Event) => void> = {}): () => void {
  const ends: (() => void)[] = [];
  const types = new Map<string, () => void>();

  // Elements are looked up with each message, so that the page may change as it likes.
  const listen = () => {
    for (const el of elements(root, "[data-on]")) {
      for (const type of words(el.dataset.on)) {
        if (!types.has(type)) types.set(type, c.on(type, (data) => show(type, data)));
      }
    }
  };
  const show = (type: string, data: unknown) => {
    for (const el of elements(root, "[data-on]")) if (words(el.dataset.on).includes(type)) fill(el, data);
  };
  const observer = new MutationObserver(listen);
  observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-on"] });
  listen();

  for (const kind of ["click", "change", "submit"]) {
    const hear = (e: Event) => {
      const el = (e.target as Element).closest<HTMLElement>(`[data-${kind}]`);
      if (!el || !root.contains(el)) return;
      for (const word of words(el.dataset[kind])) {
        const [name, arg] = halves(word);
        if (!Object.hasOwn(handlers, name)) continue;
        if (kind === "submit") e.preventDefault();
        handlers[name]!(arg, e);
      }
    };
    root.addEventListener(kind, hear);
    ends.push(() => root.removeEventListener(kind, hear));
  }
  ends.push(c.on("trigger.*", (detail, e) => {
    root.dispatchEvent(new CustomEvent(e.type.slice("trigger.".length), { detail, bubbles: true }));
  }));

  return () => {
    observer.disconnect();
    for (const end of [...ends, ...types.values()]) end();
  };
}

/** Puts data into an element. */
function fill(el: HTMLElement, data: unknown): void {
  const { text, attr, prop, append } = el.dataset;
  if (append !== undefined) return add(el, data, +append || 1000);
  if (text !== undefined) el.textContent = string(at(data, text));
  for (const [name, path] of words(attr).map(halves)) {
    if (dangerous(name)) continue;
    const value = at(data, path);
    if (value === null || value === undefined || value === false) el.removeAttribute(name);
    else if (!runs(name, value)) el.setAttribute(name, value === true ? "" : string(value));
  }
  for (const [name, path] of words(prop).map(halves)) {
    const value = at(data, path);
    if (/^(value|checked|disabled|hidden|open|selected|max|min)$/.test(name)) (el as unknown as Record<string, unknown>)[name] = value;
  }
  for (const [name, path] of words(el.dataset.class).map(halves)) el.classList.toggle(name, !!at(data, path));
}

/** Adds what the element's template makes of data, and takes the oldest away. */
function add(el: HTMLElement, data: unknown, most: number): void {
  const template = el.querySelector<HTMLTemplateElement>(":scope > template");
  if (!template) return;
  const copy = template.content.cloneNode(true) as DocumentFragment;
  for (const part of copy.querySelectorAll<HTMLElement>("[data-text], [data-attr], [data-prop], [data-class]")) fill(part, data);
  el.append(copy);
  while (el.children.length > most + 1) [...el.children].find((child) => child !== template)!.remove();
}

/** The value that a path leads to; only what the data has of its own. */
function at(data: unknown, path: string): unknown {
  let value = data;
  for (const name of path.split(".")) {
    if (!name) continue;
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function string(value: unknown): string {
  return value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Attributes that hold markup or script are for the page alone. */
function dangerous(name: string): boolean {
  return /^(on.*|style|srcdoc|data-.*)$/i.test(name);
}

/** A URL that would run as a script, where URLs are followed. */
function runs(name: string, value: unknown): boolean {
  // Browsers leave out control characters and spaces.
  return /^((xlink:)?href|src|action|formaction|data)$/i.test(name) && /^(javascript|data|vbscript):/i.test(string(value).replace(/[\u0000-\u0020]/g, ""));
}

function elements(root: Document | Element, selector: string): HTMLElement[] {
  const all = [...root.querySelectorAll<HTMLElement>(selector)];
  if (root instanceof HTMLElement && root.matches(selector)) all.unshift(root);
  return all;
}

function words(text = ""): string[] {
  return text.split(/\s+/).filter(Boolean);
}

/** "a:b" in two, at the first colon. */
function halves(word: string): [string, string] {
  const colon = word.indexOf(":");
  return colon < 0 ? [word, ""] : [word.slice(0, colon), word.slice(colon + 1)];
}
