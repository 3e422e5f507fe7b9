// Tabs that share a connection, as clients in one process: against the real server, through a proxy that can be cut.
import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import test, { after, before } from "node:test";
import { connect, OPEN } from "../../../js/dist/stentor.js";
import { control, until } from "./support.mjs";

const base = process.env.E2E_URL, proxied = process.env.E2E_PROXY;

/** Locks as a browser has them. */
class Locks {
  #held = new Map();
  #waiting = [];

  request(name, { signal, steal }, f) {
    return new Promise((resolve, reject) => {
      const ask = { name, f, resolve, reject };
      if (steal) {
        this.#held.get(name)?.reject(new DOMException("stolen", "AbortError"));
        this.#grant(ask);
        return;
      }
      signal?.throwIfAborted();
      signal?.addEventListener("abort", () => {
        if (!this.#waiting.includes(ask)) return;
        this.#waiting = this.#waiting.filter((other) => other !== ask);
        reject(signal.reason);
      });
      this.#waiting.push(ask);
      this.#next(name);
    });
  }

  #next(name) {
    const first = this.#waiting.find((ask) => ask.name === name);
    if (!first || this.#held.has(name)) return;
    this.#waiting = this.#waiting.filter((ask) => ask !== first);
    this.#grant(first);
  }

  #grant(ask) {
    this.#held.set(ask.name, ask);
    queueMicrotask(async () => {
      ask.resolve(await ask.f());
      if (this.#held.get(ask.name) !== ask) return; // stolen
      this.#held.delete(ask.name);
      this.#next(ask.name);
    });
  }

  /** Takes the lock of whoever has it, as a tab does that gets no answer. */
  steal(part) {
    for (const name of this.#held.keys()) if (name.includes(part) && name.endsWith("]")) return this.request(name, { steal: true }, () => {});
  }
}

const locks = new Locks();
before(() => {
  globalThis.window = new EventTarget();
  globalThis.document = Object.assign(new EventTarget(), { hidden: false, baseURI: base });
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
});
after(() => {
  delete globalThis.window;
  delete globalThis.document;
  delete globalThis.navigator;
});

/** A tab, and what it has to have got. */
class Tab {
  got = [];
  must = new Map(); // their channels
  ever = new Set();
  sure = new Set(); // channels that it is on for certain
  closed = false;
  busy = true; // until it is open

  constructor(share, channels) {
    this.c = connect(`${proxied}/events`, { share, channels, change: (state, error) => state === 2 && !this.closed && (this.why = error) });
    channels.forEach((name) => this.ever.add(name));
    this.c.on("*", (n, event) => {
      assert.ok(this.ever.has(event.channel), `a message of ${event.channel}`);
      this.got.push(n);
    });
    this.c.on("gap", (gap) => this.got.push("gap " + gap.reason));
    this.open = until("a tab is open", () => this.closed || this.c.readyState === OPEN && this.c.lastEventId).then(() => {
      this.busy = false;
      if (!this.closed) this.c.channels.forEach((name) => this.sure.add(name));
    });
  }

  /** Joins or leaves a channel, one after the other. */
  async change(name, join) {
    if (this.busy || this.closed || !join && this.c.channels.length < 2) return; // who wants nothing gets no stream
    this.busy = true;
    this.ever.add(name);
    if (!join) {
      this.sure.delete(name);
      for (const [n, channel] of this.must) if (channel === name && !this.got.includes(n)) this.must.delete(n); // it may still come
    }
    try {
      await this.c[join ? "join" : "leave"](name);
      if (join && !this.closed) this.sure.add(name);
    } catch (error) {
      assert.ok(this.closed, `${error}: ${this.why}`);
    }
    this.busy = false;
  }

  close() {
    this.closed = true;
    this.sure.clear();
    this.c.close();
  }
}

test("whatever tabs do, each gets what it is to get, once, in order", { timeout: 120_000 }, async (t) => {
  const share = randomUUID();
  const names = ["a", "b", "c", "d"].map((name) => name + share);
  const some = () => names.filter(() => randomInt(2)).concat(names[randomInt(4)]);
  const all = [], doing = [];
  const add = () => {
    const tab = new Tab(share, [...new Set(some())]);
    all.push(tab);
    doing.push(tab.open);
  };
  t.after(() => all.forEach((tab) => tab.close()));
  const publisher = connect(`${base}/events`, { channels: [share] });
  t.after(() => publisher.close());
  for (let i = 0; i < 5; i++) add();
  await Promise.all(doing);

  let down = false;
  for (let n = 1; n <= 600; n++) {
    const live = all.filter((tab) => !tab.closed);
    const tab = live[randomInt(live.length)], name = names[randomInt(4)];
    switch (randomInt(40)) {
      case 0:
        if (live.length < 12) add();
        break;
      case 1:
        if (live.length > 3) tab.close();
        break;
      case 2: case 3: case 4: case 5: case 6: case 7:
        doing.push(tab.change(name, randomInt(2) > 0));
        break;
      case 8:
        await control((down = !down) ? "cut" : "mend");
        break;
      case 9:
        locks.steal(share)?.catch(() => {});
        break;
      case 10:
        tab.c.restart();
    }
    const channel = names[randomInt(4)];
    for (const other of all) if (other.sure.has(channel)) other.must.set(n, channel);
    const before = new Map(all.map((other) => [other, other.sure.has(channel)]));
    await publisher.publish({ channel, data: n });
    for (const [other, was] of before) if (was && !other.sure.has(channel)) other.must.delete(n); // it has left meanwhile
  }
  await control("mend");
  window.dispatchEvent(new Event("online"));
  await Promise.all(doing);
  for (const name of names) await publisher.publish({ channel: name, data: 1000 });
  for (const tab of all.filter((tab) => !tab.closed)) {
    await until("the last comes", () => !tab.sure.size || tab.got.filter((n) => n === 1000).length >= tab.sure.size);
    const got = tab.got.filter((n) => n !== 1000);
    assert.deepEqual([...tab.must.keys()].filter((n) => !got.includes(n)), [], "what is missing");
    assert.deepEqual(got, [...new Set(got)].sort((a, b) => a - b), "order, and nothing twice");
  }
});
