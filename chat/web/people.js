// Who is here: one entry per user, over all their windows.

import { make } from "./text.js";
import { face } from "./picture.js";

const maxShown = 300;

// sorted puts oneself first and the others in the order of their names.
export function sorted(members, me) {
  const byName = new Intl.Collator(undefined, { numeric: true });
  return members
    .map((m) => ({ user: m.user, name: m.name || m.user, picture: m.meta.profileUrl ?? "" }))
    .sort((a, b) => (b.user === me) - (a.user === me) || byName.compare(a.name, b.name));
}

export class People {
  #list;
  #title;
  #is;
  #shown = "";
  #timer;

  // is.channels(), is.active(), is.members(channel) and is.me() say what the page knows; is.pick(name) is
  // called for a click on somebody.
  constructor(list, title, is) {
    this.#list = list;
    this.#title = title;
    this.#is = is;
  }

  // of is who is on a channel, as far as known.
  of(channel) {
    return sorted(this.#is.members(channel), this.#is.me());
  }

  // picture is that of somebody who is here, on whichever channel.
  picture(user) {
    for (const channel of this.#is.channels()) {
      const found = this.#is.members(channel).find((m) => m.user === user);
      if (found) return found.meta.profileUrl ?? "";
    }
    return "";
  }

  // changed shows what has become of the list soon, once for all of a crowd that comes or goes.
  changed() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.render();
    }, 120);
  }

  render() {
    const all = this.of(this.#is.active());
    const users = all.slice(0, maxShown);
    this.#title.textContent = `${all.length} ${all.length === 1 ? "person" : "people"}`;
    const shown = JSON.stringify([users, all.length, this.#is.me()]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = document.activeElement?.closest("[data-user]")?.dataset.user;
    this.#list.replaceChildren(...users.map((u) => this.#entry(u)));
    if (all.length > users.length) this.#list.append(make("li", { className: "rest" }, `and ${all.length - users.length} more`));
    if (focused) [...this.#list.children].find((e) => e.dataset.user === focused)?.querySelector("button").focus();
  }

  #entry({ user, name, picture }) {
    const own = user === this.#is.me();
    const button = make("button", { type: "button", title: own ? "This is you" : `Write to ${name} alone` },
      face(picture), make("bdi", { className: "name" }, name));
    if (own) button.append(make("span", { className: "tag" }, "you"));
    button.addEventListener("click", () => this.#is.pick(name));
    return make("li", { data: { user } }, button);
  }
}
