// Who is here: one entry per user, over all their windows.

import { make } from "./text.js";
import { face } from "./picture.js";

const maxShown = 300;

// merge makes of a subscriber list the users of one channel, oneself first and then
// by name, with how many windows each has there.
export function merge(subscribers, channel, me) {
  const users = new Map();
  for (const s of subscribers) {
    if (typeof s.channels !== "string" || !s.channels.split(",").includes(channel)) continue;
    const known = users.get(s.userId);
    if (known) known.windows++;
    else users.set(s.userId, { userId: s.userId, displayName: s.displayName || s.userId, picture: s.profileUrl ?? "", windows: 1 });
  }
  const byName = new Intl.Collator(undefined, { numeric: true });
  return [...users.values()].sort((a, b) => {
    if ((a.userId === me) !== (b.userId === me)) return a.userId === me ? -1 : 1;
    return byName.compare(a.displayName, b.displayName);
  });
}

// follow is a subscriber list after a notice about one subscription on a channel. A
// subscription is known by its user and by when it came: its id is nobody else's.
export function follow(subscribers, { selector, channel, body: who }) {
  const same = (s) => s.userId === who.userId && s.createdAt === who.createdAt;
  const others = subscribers.filter((s) => !same(s));
  const known = subscribers.find(same) ?? who;
  const on = (selector === "cmd.onLeave" ? known : who).channels;
  const channels = typeof on === "string" ? on.split(",").filter((ch) => ch !== "") : [];
  const left = selector === "cmd.onLeave" ? channels.filter((ch) => ch !== channel) : channels;
  return left.length === 0 ? others : [...others, { ...who, channels: left.join(",") }];
}

export class People {
  #list;
  #title;
  #is;
  #subscribers = [];
  #timer;
  #asked = 0;
  #shown = "";

  // is.channels(), is.active() and is.me() say what the page knows; is.pick(user,
  // name) is called for a click on somebody; is.changed() after each change.
  constructor(list, title, is) {
    this.#list = list;
    this.#title = title;
    this.#is = is;
  }

  // of is who is on a channel, as far as known.
  of(channel) {
    return merge(this.#subscribers, channel, this.#is.me());
  }

  // picture is that of somebody who is here, on whichever channel.
  picture(user) {
    return this.#subscribers.find((s) => s.userId === user)?.profileUrl ?? "";
  }

  has(channel, user) {
    return this.of(channel).some((p) => p.userId === user);
  }

  // follow takes in a notice at once: the list that reload asks for comes later.
  follow(frame) {
    this.#subscribers = follow(this.#subscribers, frame);
    this.render();
  }

  // reload asks anew, once for a burst of reasons.
  reload() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#load();
    }, 120);
  }

  async #load() {
    const asked = ++this.#asked;
    try {
      const channels = this.#is.channels().map(encodeURIComponent).join(",");
      const response = await fetch(`/event-subscribers?channels=${channels}`, { cache: "no-store" });
      const list = response.ok ? await response.json() : [];
      if (asked !== this.#asked || !Array.isArray(list)) return;
      this.#subscribers = list;
    } catch {
      return; // the next join, leave or reconnect asks again
    }
    this.render();
    this.#is.changed();
  }

  render() {
    const users = this.of(this.#is.active());
    this.#title.textContent = `${users.length} ${users.length === 1 ? "person" : "people"}`;
    const shown = JSON.stringify([users, this.#is.me()]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = document.activeElement?.closest("[data-user]")?.dataset.user;
    this.#list.replaceChildren(...users.slice(0, maxShown).map((u) => this.#entry(u)));
    if (users.length > maxShown) this.#list.append(make("li", { className: "rest" }, `and ${users.length - maxShown} more`));
    if (focused) [...this.#list.children].find((e) => e.dataset.user === focused)?.querySelector("button").focus();
  }

  #entry(user) {
    const own = user.userId === this.#is.me();
    const button = make("button", { type: "button", title: own ? "This is you" : `Write to ${user.displayName} alone` },
      face(user.picture), make("bdi", { className: "name" }, user.displayName));
    if (own) button.append(make("span", { className: "tag" }, "you"));
    if (user.windows > 1) button.append(make("span", { className: "windows", title: "windows" }, `×${user.windows}`));
    button.addEventListener("click", () => this.#is.pick(user.userId, user.displayName));
    return make("li", { data: { user: user.userId } }, button);
  }
}
