// The tabs of the channels, with what is unread on each.

import { make } from "./text.js";

export class Channels {
  #list;
  #tabs = new Map(); // name → {tab, badge, unread, mentioned}
  #active = null;
  #show;

  // show is called with a channel when it is chosen.
  constructor(list, show) {
    this.#list = list;
    this.#show = show;
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  get names() {
    return [...this.#tabs.keys()];
  }

  get active() {
    return this.#active;
  }

  // unread is how many messages nobody has looked at, over all channels.
  get unread() {
    return [...this.#tabs.values()].reduce((sum, t) => sum + t.unread, 0);
  }

  add(name, panel) {
    if (this.#tabs.has(name)) return;
    const badge = make("span", { className: "badge", hidden: true });
    const tab = make("button", { type: "button", data: { channel: name },
      attr: { role: "tab", "aria-selected": "false", "aria-controls": panel, tabindex: "-1" } },
    make("span", { className: "hash", attr: { "aria-hidden": "true" } }, "#"), make("bdi", { className: "name" }, name), badge);
    tab.addEventListener("click", () => this.choose(name));
    this.#tabs.set(name, { tab, badge, unread: 0, mentioned: false });
    this.#list.append(tab);
  }

  remove(name) {
    const names = this.names;
    const at = names.indexOf(name);
    if (at < 0) return;
    this.#tabs.get(name).tab.remove();
    this.#tabs.delete(name);
    if (name === this.#active) this.choose(names[at + 1] ?? names[at - 1]);
  }

  choose(name) {
    if (!this.#tabs.has(name)) return;
    this.#active = name;
    for (const [other, { tab }] of this.#tabs) {
      tab.setAttribute("aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
    }
    this.#tabs.get(name).tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.read();
    this.#show(name);
  }

  // note counts a message that nobody looks at.
  note(name, mentioned) {
    const t = this.#tabs.get(name);
    if (!t) return;
    t.unread++;
    t.mentioned ||= mentioned;
    this.#badge(t);
  }

  // read says that the active channel is being looked at.
  read() {
    const t = this.#tabs.get(this.#active);
    if (!t || document.hidden) return;
    t.unread = 0;
    t.mentioned = false;
    this.#badge(t);
  }

  #badge({ tab, badge, unread, mentioned }) {
    badge.hidden = unread === 0;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    badge.classList.toggle("mentioned", mentioned);
    badge.title = `${unread} unread`;
    tab.dataset.unread = String(unread);
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const names = this.names;
    const at = names.indexOf(this.#active);
    const to = { Home: 0, End: names.length - 1 }[event.key] ?? (step ? (at + step + names.length) % names.length : -1);
    if (to < 0) return;
    event.preventDefault();
    this.choose(names[to]);
    this.#tabs.get(names[to]).tab.focus();
  }
}
