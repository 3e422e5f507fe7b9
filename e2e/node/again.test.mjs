// Coming back, after whatever broke the stream.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { browserLike, channel, chat, connect, control, names, proxied, publish, reaches, stopAll, texts, until } from "./support.mjs";

afterEach(stopAll);
afterEach(() => control("mend"));

test("S-28: a subscription that was ended elsewhere comes back by itself", async () => {
  const c = channel();
  const client = await connect(c, { heartbeat: 100 });
  await fetch(client.seen.connects[0].unRegisterUrl, { method: "POST" });
  await until("it is connected again", () => client.seen.connects.length >= 2);
  await reaches([client], { channel: c, data: "welcome back" });
});

test("S-26: a connection that was cut resumes without loss or repeat", async () => {
  const c = channel();
  const client = await connect(c, { from: proxied, heartbeat: never });
  await resume(client, [c]);
});

test("S-28: the EventSource's own retry keeps channels that were joined live", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const client = await connect(a, { from: proxied, heartbeat: never, EventSource: browserLike() });
  await client.subscribeToChannels(b);
  await resume(client, [a, b]); // the URL that it comes back with names the first alone
  assert.deepEqual(client.channels, [a, b]);
});

test("S-25: with cookies, a reconnect is no leave", async () => {
  const c = channel();
  const stays = await connect(c);
  const client = await connect(c, { from: proxied, heartbeat: never, EventSource: browserLike() });
  await until("its join comes", () => stays.seen.joins.length === 2);
  await control("cut");
  await until("it notices", () => client.seen.errors.length > 0);
  await control("mend");
  await until("it is connected again", () => client.seen.connects.length === 2);
  await chat(stays, c, "still here");
  await until("the message comes", () => texts(client).length > 0);
  assert.equal(client.seen.connects[1].userId, client.seen.connects[0].userId);
  assert.equal((await stays.getChannelSubscribers()).length, 2);
  assert.deepEqual(stays.seen.leaves, []);
  assert.equal(stays.seen.joins.length, 2);
});

test("S-28: heartbeats over a dead network connect again", async () => {
  const c = channel();
  const stays = await connect(c);
  const client = await connect(c, { from: proxied, heartbeat: 50, EventSource: browserLike() });
  await publish({ channel: c, data: "before" });
  await until("it comes, and a heartbeat after it", () => client.seen.messages.length === 1 && client.seen.heartbeats.length > 0);
  await control("cut");
  await until("heartbeats fail again and again", () => client.seen.reconnects >= 3); // each at once, without a pause
  await publish({ channel: c, data: "meanwhile" });
  await control("mend");
  await until("it is connected again", () => client.seen.connects.length >= 2);
  for (let n = 0; !client.seen.messages.some(m => m.body.startsWith("after")); n++) { // it may be between two tries
    await publish({ channel: c, data: `after ${n}` });
    await new Promise(resolve => setTimeout(resolve, 50));
    assert.ok(n < 300, "nothing comes after it was mended");
  }
  // It presents no cursor, and may come back before the server has seen it go: then what was
  // said meanwhile is not its any more.
  assert.equal(client.seen.messages[0].body, "before");
  assert.deepEqual(stays.seen.leaves, []);
  await until("it is there once", async () => (await stays.getChannelSubscribers()).length === 2);
});

test("S-24, S-25: whoever comes back without a cookie is somebody new", async () => {
  const c = channel();
  const client = await connect(c);
  client.reconnectServerEvents();
  await until("it is connected again", () => client.seen.connects.length === 2);
  const [first, second] = client.seen.connects;
  assert.notEqual(second.id, first.id);
  assert.notEqual(second.userId, first.userId);
  assert.equal((await fetch(first.heartbeatUrl, { method: "POST" })).status, 200); // it lingers
  assert.equal((await fetch(first.unRegisterUrl, { method: "POST" })).status, 200); // and leaves when it says so
  assert.equal((await fetch(first.heartbeatUrl, { method: "POST" })).status, 404);
  await until("its leave comes", () => client.seen.leaves.length === 1);
  assert.deepEqual(names(client.seen.leaves), [first.displayName]);
});

// Heartbeats would open a new EventSource on their own, without a cursor.
const never = 3_600_000;

// resume cuts the connection of a client, publishes to its channels before,
// meanwhile and after, and looks at what has come in the end.
async function resume(client, channels) {
  const sent = [];
  const say = async when => {
    for (const [i, channel] of channels.entries()) {
      sent.push(`${when} ${i}`);
      await publish({ channel, data: `${when} ${i}` });
    }
  };
  await say("before");
  await until("what was said before comes", () => client.seen.messages.length === sent.length);
  await control("cut");
  await until("it notices", () => client.seen.errors.length > 0);
  await say("meanwhile");
  await control("mend");
  await until("it is connected again", () => client.seen.connects.length === 2);
  await say("after");
  await until("all comes", () => client.seen.messages.length >= sent.length);
  assert.deepEqual(client.seen.messages.map(m => m.body), sent);
  const positions = client.seen.messages.map(m => m.eventId);
  assert.deepEqual(positions, [...new Set(positions)].sort((x, y) => x - y));
}
