// One of several tabs, whose leader is this test: it says what no leader would say in time.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { connect } from "../dist/stentor.js";
import { until } from "./support.mjs";

let name; // of the lock, and of the channel
before(() => {
  globalThis.window = new EventTarget();
  globalThis.document = Object.assign(new EventTarget(), { visibilityState: "visible", baseURI: "http://127.0.0.1/" });
  const locks = { request: (asked) => ((name = asked), new Promise(() => {})) }; // somebody else holds it
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
});
after(() => {
  delete globalThis.window;
  delete globalThis.document;
  delete globalThis.navigator;
});

/** A follower that has everything up to a position, and its leader. */
async function follow(t, lastEventId) {
  const c = connect("/events", { channels: ["a"], share: t.name, lastEventId });
  const got = [], told = [], heard = [];
  c.on("*", (data) => got.push(data));
  c.on("gap", (gap) => told.push(gap.reason));
  await until(() => name?.includes(t.name));
  const channel = new BroadcastChannel(name);
  channel.onmessage = (e) => heard.push(e.data);
  t.after(() => {
    c.close();
    channel.close();
  });
  const say = (words) => channel.postMessage({ from: "leader", ...words });
  const event = (id, type = "", data = id) => ({ id, type, data });
  /** Becomes the leader, and gives what the follower says then. */
  const lead = async () => {
    heard.length = 0;
    say({ say: "lead" });
    await until(() => heard.length > 0);
    return heard[0];
  };
  return { c, got, told, say, event, lead };
}

test("with each leader it says where it is, and takes nothing until it is answered", { timeout: 20_000 }, async (t) => {
  const { c, got, say, event, lead } = await follow(t, "5");
  for (const [at, behind, live] of [["5", ["6", "8"], "9"], ["9", ["10", "12"], "13"]]) {
    const hello = await lead();
    assert.deepEqual([hello.say, hello.cursor], ["hello", at]);
    say({ say: "event", event: event(behind[1]) }); // before it knows what is in between
    say({ say: "welcome", tab: "another", cursor: "99", state: 1, events: [event("99")] });
    say({ say: "welcome", tab: hello.tab, cursor: behind[1], state: 1, events: behind.map((id) => event(id)) });
    say({ say: "event", event: event(behind[1]) }); // again
    say({ say: "event", event: event(live) });
    await until(() => c.lastEventId === live);
  }
  assert.deepEqual(got, [6, 8, 9, 10, 12, 13]);
  assert.equal(c.readyState, 1);
});

test("one that is new begins where the leader is", { timeout: 20_000 }, async (t) => {
  const { c, got, say, event, lead } = await follow(t);
  const hello = await lead();
  assert.equal(hello.cursor, "");
  say({ say: "welcome", tab: hello.tab, cursor: "7", state: 1, events: [] });
  say({ say: "event", event: event("7") });
  say({ say: "event", event: event("8") });
  await until(() => c.lastEventId === "8");
  assert.deepEqual(got, [8]);
});

test("a gap is for those who miss something, and a position that the server doesn't know is given up", { timeout: 20_000 }, async (t) => {
  const { c, got, told, say, event, lead } = await follow(t, "50");
  const hello = await lead();
  const gap = (id, reason) => ({ say: "event", event: event(id, "stentor.gap", JSON.stringify({ reason })) });
  say({ say: "welcome", tab: hello.tab, cursor: "50", state: 1, events: [] });
  say(gap("40", "expired")); // another tab's
  say(gap("60", "expired"));
  say({ say: "event", event: event("61") });
  say(gap("20", "ahead"));
  say({ say: "event", event: event("21") });
  await until(() => c.lastEventId === "21");
  assert.deepEqual([told, got], [["expired", "ahead"], [61, 21]]);
});

test("when the leader's stream ends for good, it is over", { timeout: 20_000 }, async (t) => {
  const { c, say, lead } = await follow(t, "5");
  const hello = await lead();
  say({ say: "welcome", tab: hello.tab, cursor: "5", state: 1, events: [] });
  await until(() => c.readyState === 1);
  say({ say: "state", state: 2, error: "dismissed" });
  await until(() => c.readyState === 2);
});
