// One of several tabs, whose leader is this test: it says what no leader would say in time.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { connect, Refusal } from "../dist/stentor.js";
import { until } from "./support.mjs";

let name; // of the leader's lock, and of the channel
before(() => {
  globalThis.window = new EventTarget();
  globalThis.document = Object.assign(new EventTarget(), { hidden: false, baseURI: "http://127.0.0.1/" });
  // Each tab has its own lock, which is named for the leader's and the tab; somebody else holds the leader's.
  const locks = {
    request: async (asked, how, f) => {
      const own = asked.match(/^(.*\])[0-9a-f-]{36}$/);
      return own ? ((name = own[1]), f()) : new Promise(() => {});
    },
  };
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
});
after(() => {
  delete globalThis.window;
  delete globalThis.document;
  delete globalThis.navigator;
});

const patience = { timeout: 20_000 };

/** A follower that has everything up to a position, and its leader. */
async function follow(t, lastEventId, options) {
  const states = [];
  const c = connect("/events", { channels: ["a"], share: t.name, lastEventId, change: (...now) => states.push(now), ...options });
  const got = [], told = [], heard = [];
  c.on("*", (data) => got.push(data));
  c.on("gap", (gap) => told.push(gap.reason));
  await until(() => name?.includes(t.name));
  const channel = new BroadcastChannel(name);
  channel.onmessage = (e) => e.data.tab && heard.push(e.data);
  t.after(() => {
    c.close();
    channel.close();
  });
  const say = (words, from = "leader") => channel.postMessage({ from, ...words });
  const event = (id, more) => ({ id, type: "", channel: "a", data: id, ...more });
  /** Gives what the follower says next, when something was done. */
  const asked = async (what) => {
    heard.length = 0;
    what();
    await until(() => heard.length > 0);
    return heard.at(-1);
  };
  const open = (id) => ({ id, type: "stentor.open", channel: "", data: '{"subscription":"s","member":{"user":"ada"}}' });
  /** Welcomes the follower to a reign. */
  const lead = async (from = "leader", place = lastEventId) => {
    const hello = await asked(() => say({}, from));
    say({ n: hello.n, state: 1, events: [open(place)] }, from);
    await until(() => c.readyState === 1);
    return hello;
  };
  return { c, got, told, states, say, event, asked, open, lead };
}

test("with each leader it says where it is, and takes nothing until it is welcome", patience, async (t) => {
  const { c, got, say, event, asked, open } = await follow(t, "5");
  for (const [from, at, ...ids] of [["one", "5", "6", "8"], ["two", "8", "10", "12"]]) {
    const hello = await asked(() => say({}, from));
    assert.deepEqual([hello.cursor, hello.channels], [at, ["a"]]);
    say({ events: [event("99")] }, from); // before it is welcome
    say({ n: "another tab's", state: 1, events: [open("99"), event("99")] }, from);
    say({ n: hello.n, state: 1, events: [open(at)] }, from);
    for (const id of ["1", at, ...ids, ids[0]]) say({ events: [event(id)] }, from); // some again
    await until(() => c.lastEventId === ids[1]);
  }
  assert.deepEqual(got, [6, 8, 10, 12]);
  assert.equal(c.readyState, 1);
});

test("one that doesn't know yet that it was deposed confuses nobody", patience, async (t) => {
  const { c, got, say, event, asked, open, lead } = await follow(t, "5");
  await lead("old");
  await lead("new");
  // What the old one says is ahead of what the new one has said: to take it would be to miss the rest.
  const hello = await asked(() => say({ events: [event("9")] }, "old"));
  assert.equal(hello.cursor, "5");
  say({ events: [event("6")] }, "new");
  const again = await asked(() => {});
  say({ n: again.n, state: 1, events: [open("5")] }, "new");
  for (const id of ["6", "7", "9"]) say({ events: [event(id)] }, "new");
  await until(() => c.lastEventId === "9");
  assert.deepEqual(got, [6, 7, 9]);
});

test("one that is new begins where the leader is, and knows who it is", patience, async (t) => {
  const { c, got, say, event, lead } = await follow(t);
  const opened = [];
  c.on("stentor.open", (data, e) => opened.push([data.subscription, e.id]));
  const hello = await lead("leader", "7");
  assert.equal(hello.cursor, "");
  for (const id of ["7", "8"]) say({ events: [event(id)] });
  await until(() => c.lastEventId === "8");
  assert.deepEqual([got, opened, c.me], [[8], [["s", "7"]], { user: "ada" }]);
});

test("it takes messages of its channels and those without one, and its place moves with all", patience, async (t) => {
  const { c, got, say, event, lead } = await follow(t, "5", { presence: true, fetch: async () => Response.json({ members: [] }) });
  const joined = [];
  c.on("stentor.join", (m) => joined.push(m.user));
  await lead();
  const join = (channel, user) => ({ id: "", type: "stentor.join", channel: "", data: JSON.stringify({ channel, user }) });
  say({ events: [event("6", { channel: "b" }), event("7"), event("8", { channel: "" }), join("b", "bob"), join("a", "eve")] });
  say({ events: [event("9", { channel: "b" })] });
  await until(() => c.lastEventId === "9");
  assert.deepEqual([got, joined, c.members("b")], [[7, 8], ["eve"], []]);
});

test("a gap is for those who miss something, and a position that the server doesn't know is given up", patience, async (t) => {
  const { c, got, told, say, event, lead } = await follow(t, "50");
  await lead();
  const gap = (id, reason) => say({ events: [{ id, type: "stentor.gap", channel: "", data: JSON.stringify({ reason }) }] });
  gap("40", "expired"); // another tab's
  gap("60", "expired");
  say({ events: [event("61")] });
  gap("20", "ahead");
  say({ events: [event("21")] });
  await until(() => c.lastEventId === "21");
  assert.deepEqual([told, got], [["expired", "ahead"], [61, 21]]);
});

test("a join holds when the leader says so, and what comes meanwhile is taken", patience, async (t) => {
  const { c, got, say, event, asked, lead } = await follow(t, "5");
  await lead();
  let held = false;
  const hello = await asked(() => void c.join("b").then(() => (held = true)));
  assert.deepEqual([hello.channels, hello.cursor], [["a", "b"], undefined]);
  say({ events: [event("6", { channel: "b" })] });
  await until(() => c.lastEventId === "6");
  assert.deepEqual([held, c.channels], [false, ["a"]]);
  say({ n: hello.n, state: 1, events: [] });
  await until(() => held);
  const leaves = await asked(() => void c.leave("a"));
  say({ n: leaves.n, state: 1, events: [] });
  await until(() => c.channels.length === 1);
  say({ events: [event("7"), event("8", { channel: "b" })] });
  await until(() => c.lastEventId === "8");
  assert.deepEqual(got, [6, 8]);
});

test("a join that is refused changes nothing", patience, async (t) => {
  const { c, say, asked, lead } = await follow(t, "5");
  await lead();
  let why;
  const hello = await asked(() => void c.join("b").catch((error) => (why = error)));
  say({ n: hello.n, error: [403, "ask first"] });
  await until(() => why);
  assert.ok(why instanceof Refusal && why.status === 403 && why.detail === "ask first", String(why));
  assert.deepEqual([c.channels, c.readyState], [["a"], 1]);
});

test("a leader that goes in the middle of a join leaves it to the next one", patience, async (t) => {
  const { c, say, asked, open, lead } = await follow(t, "5");
  await lead("old");
  let held = false;
  await asked(() => void c.join("b").then(() => (held = true)));
  const hello = await asked(() => say({}, "new"));
  assert.deepEqual([hello.channels, hello.cursor], [["a", "b"], "5"]);
  say({ n: hello.n, state: 1, events: [open("5")] }, "new");
  await until(() => held);
});

test("a refusal in the middle of a change of leaders is that of the join", patience, async (t) => {
  const { c, say, asked, open, lead } = await follow(t, "5");
  await lead("old");
  let why;
  await asked(() => void c.join("b").catch((error) => (why = error)));
  const hello = await asked(() => say({}, "new"));
  const without = await asked(() => say({ n: hello.n, error: [400, "no"] }, "new"));
  assert.deepEqual([without.channels, without.cursor, why.status], [["a"], "5", 400]);
  say({ n: without.n, state: 1, events: [open("5")] }, "new");
  await until(() => c.readyState === 1);
});

test("a tab that is refused is over, and says why", patience, async (t) => {
  const { c, states, say, asked } = await follow(t);
  const hello = await asked(() => say({}));
  say({ n: hello.n, error: [403, "ask first"] });
  await until(() => c.readyState === 2);
  assert.equal(states.at(-1)[1].detail, "ask first");
});

test("when the leader's stream ends for good, it is over", patience, async (t) => {
  const { c, states, say, lead } = await follow(t, "5");
  await lead();
  await until(() => c.readyState === 1);
  say({ state: 0, error: [undefined, "cut"] });
  await until(() => c.readyState === 0);
  say({ state: 1 });
  await until(() => c.readyState === 1);
  let why;
  c.join("b").catch((error) => (why = error));
  say({ state: 2, error: [204, ""] });
  await until(() => c.readyState === 2 && why);
  assert.deepEqual([states.at(-1)[1].status, why.name], [204, "AbortError"]);
});
