// The page's subscription: a client of the hub, made anew when its user listens again.

import { CLOSED, CONNECTING, connect } from "./stentor.js";

// Live is one subscription to channels, with who is on them. is has
//   hear(client)             to add handlers to each new client
//   state(name)              connecting, open or closed
//   connected(who, first)    the stream is open, and who one is on it: {user, name, meta}
//   listed()                 who is on a channel may have changed
//   ended(reason, error)     the server wants no more of it
// Nothing is missed, and nothing comes twice, from the first open on: who listens again goes on where
// it stopped.
export class Live {
  #is;
  #channels;
  #client = null;
  #stopped = true;
  #id = "";
  #opens = 0;
  #place = "";
  #failures = new WeakSet(); // of requests

  constructor(channels, is) {
    this.#channels = channels;
    this.#is = is;
    // A page that is kept for the way back would go on listening, unseen. One that is loaded anew is
    // taken for who it was.
    let away = false;
    addEventListener("pagehide", (event) => {
      away = event.persisted && !this.#stopped;
      if (away) this.stop();
    });
    addEventListener("pageshow", () => away && this.open());
  }

  // id is the subscription's, which only this page knows; "" for none.
  get id() {
    return this.#id;
  }

  get stopped() {
    return this.#stopped;
  }

  // members are the users on a channel: {user, name, meta}.
  members(channel) {
    return this.#client?.members(channel) ?? [];
  }

  open() {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#is.state("connecting");
    let reason = "";
    const c = connect("/events", {
      channels: this.#client?.channels ?? this.#channels,
      presence: true,
      lastEventId: this.#place,
      forget: true, // what was said is in the history, and what was done to a page is not done to the next
      fetch: (url, init) => this.#fetch(url, init),
      change: (state, error) => c === this.#client && this.#changed(state, error, reason),
      error: (error) => this.#failures.has(error) || reportError(error),
    });
    this.#client = c;
    c.on("stentor.end", (end) => (reason = end.reason));
    c.on("stentor.open", ({ subscription, member }) => {
      this.#id = subscription;
      this.#is.state("open");
      this.#is.connected(member, this.#opens++ === 0);
    });
    for (const type of ["members", "join", "leave", "update"]) c.on(`stentor.${type}`, () => this.#is.listed());
    this.#is.hear(c);
  }

  // renew opens another stream in place of one whose subscription the server doesn't know.
  renew() {
    if (!this.#stopped) this.#client.restart();
  }

  // stop ends the subscription, until it is opened again.
  stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#place = this.#client.lastEventId;
    this.#client.close();
    this.end();
    this.#is.state("closed");
  }

  // end has others see at once that one is gone. Who just goes away is taken for one who comes back,
  // as it is when a page is loaded anew, and is missed after a while.
  async end() {
    const id = this.#id;
    this.#id = "";
    if (id) await fetch(`/subscriptions/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
  }

  // join and leave change the channels, of this stream and of each that follows; or nothing, with an error.
  join(channel) {
    return this.#client.join(channel);
  }

  leave(channel) {
    return this.#client.leave(channel);
  }

  #changed(state, error, reason) {
    if (this.#stopped) return;
    if (state === CONNECTING) {
      this.#is.state("connecting"); // the subscription lingers, and may still speak
    } else if (state === CLOSED) {
      this.#stopped = true;
      this.#place = this.#client.lastEventId;
      this.#id = "";
      this.#is.state("closed");
      this.#is.ended(reason, error);
    }
  }

  // What fails of a request is made again after the next reconnect, and nothing that is wrong with the page.
  #fetch(url, init) {
    return fetch(url, init).catch((error) => {
      this.#failures.add(error);
      throw error;
    });
  }
}
