// stentor-client in Node.js, against the real server through a proxy that can be cut.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";
import { connect, OPEN, Refusal, Source } from "../../../js/dist/stentor.js";
import { control, until } from "./support.mjs";

const base = process.env.E2E_URL, proxied = process.env.E2E_PROXY;
const patience = { timeout: 60_000 };

/** A channel that no other test uses, and a client of it that is open. */
async function open(t, options = {}, from = base) {
  const channel = randomUUID();
  const c = connect(`${from}/events`, { channels: [channel], ...options });
  t.after(() => c.close());
  const got = [];
  c.on("*", (data) => got.push(data));
  await until("it is open", () => c.readyState === OPEN && c.lastEventId);
  return { c, got, channel, say: (data, more) => c.publish({ channel, data, ...more }) };
}

test("handlers, receivers and data", patience, async (t) => {
  const { c, got, say } = await open(t);
  const seen = [];
  const off = c.on("greet", (data, event) => seen.push(["greet", data, event.id !== ""]));
  c.on("tv.*", (data, event) => seen.push([event.type, data]));
  class Lamp {
    on(level) { seen.push(["lamp", level]); }
  }
  c.receive("lamp", new Lamp());
  await say({ text: "hello" }, { type: "greet" });
  await say("7 am", { type: "greet" });
  await say(5, { type: "tv.watch" });
  await say(80, { type: "lamp.on" });
  await say(81, { type: "lamp.constructor" });
  await say(82, { type: "lamp.__proto__" });
  off();
  await say("last", { type: "greet" });
  await until("all come", () => got.at(-1) === "last");
  assert.deepEqual(seen, [["greet", { text: "hello" }, true], ["greet", "7 am", true], ["tv.watch", 5], ["lamp", 80]]);
  assert.deepEqual(got, [81, 82, "last"]);
});

test("a handler that throws stops nothing", patience, async (t) => {
  const errors = [];
  const { c, got, say } = await open(t, { error: (e) => errors.push(e.message) });
  c.on("a", () => { throw new Error("mine"); });
  const seen = [];
  c.on("a", (data) => seen.push(data));
  await say(1, { type: "a" });
  await say("end");
  await until("all come", () => got.length === 1);
  assert.deepEqual([seen, errors], [[1], ["mine"]]);
});

test("after a cut it goes on where it was, with the channels it has joined", patience, async (t) => {
  const gaps = [];
  const states = [];
  const { c, got, say } = await open(t, { change: (state) => states.push(state) }, proxied);
  c.on("gap", (gap) => gaps.push(gap));
  const other = randomUUID();
  const direct = connect(`${base}/events`, { channels: [other] });
  t.after(() => direct.close());
  await Promise.all([c.join(other), say(1)]);
  await until("it comes", () => got.length === 1);
  await control("cut");
  await until("it notices", () => c.readyState !== OPEN);
  for (let n = 2; n <= 20; n++) await direct.publish({ channel: n % 2 ? other : c.channels[0], data: n });
  await control("mend");
  await until("the rest comes", () => got.length >= 20);
  assert.deepEqual(got, Array.from({ length: 20 }, (_, n) => n + 1));
  assert.deepEqual(gaps, []);
  assert.deepEqual([states[0], states.at(-1), new Set(states).size], [1, 1, 2]);
});

test("a channel that is left while the stream is away is left", patience, async (t) => {
  const { c, got, channel, say } = await open(t, {}, proxied);
  const other = randomUUID();
  await c.join(other);
  const direct = connect(`${base}/events`, { channels: [other] });
  t.after(() => direct.close());
  await control("cut");
  await until("it notices", () => c.readyState !== OPEN);
  await c.leave(other);
  await control("mend");
  await until("it is back", () => c.readyState === OPEN);
  await until("the server knows", async () => {
    await direct.publish({ channel: other, data: "not for it" });
    got.length = 0;
    await say("end");
    await until("it has come", () => got.includes("end"));
    return !got.includes("not for it");
  });
  assert.deepEqual(c.channels, [channel]);
});

test("a change that is refused changes nothing", patience, async (t) => {
  const { c, channel } = await open(t);
  await assert.rejects(c.join("ho,me"), (e) => e instanceof Refusal && e.status === 400 && /leave out/.test(e.detail));
  assert.deepEqual(c.channels, [channel]);
  await Promise.all([c.join("x"), c.leave("x"), c.join("y")]); // one after the other
  assert.deepEqual(c.channels, [channel, "y"]);
});

test("it goes on after a position, and says what is missing", patience, async (t) => {
  const { channel, say } = await open(t);
  for (let n = 1; n <= 3; n++) await say(n);
  const again = connect(`${base}/events`, { channels: [channel], lastEventId: "0" });
  t.after(() => again.close());
  const got = [];
  again.on("*", (data) => got.push(data));
  await until("all come", () => got.length === 3);
  const strange = connect(`${base}/events`, { channels: [channel], lastEventId: "9007199254740991" });
  t.after(() => strange.close());
  const told = [];
  strange.on("gap", (gap) => told.push(gap.reason));
  strange.on("*", (data) => told.push(data));
  await until("the gap comes", () => told.length === 1);
  await say(4);
  await until("and what follows", () => told.length === 2);
  assert.deepEqual(told, ["ahead", 4]);
});

test("who is there", patience, async (t) => {
  const { c, channel } = await open(t, { presence: true, user: "ada" });
  const bob = connect(`${base}/events`, { channels: [channel], user: "bob" });
  t.after(() => bob.close());
  await until("both are", () => c.members(channel).map((m) => m.user).join() === "ada,bob");
});

test("EventSource, over the same", patience, async (t) => {
  const { channel, say } = await open(t);
  const source = new Source(`${base}/events?channel=${channel}`);
  t.after(() => source.close());
  const seen = [];
  source.addEventListener("stentor.open", (e) => seen.push(e.type));
  source.addEventListener("greet", (e) => seen.push(e.data));
  await until("it is open", () => seen.length === 1);
  await say("hello", { type: "greet" });
  await until("it comes", () => seen.length === 2);
  assert.deepEqual(seen, ["stentor.open", "hello"]);
});
