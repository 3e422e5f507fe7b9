// Joining and leaving channels live, and coming back.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { browserLike, channel, chat, connect, control, proxied, publish, stopAll, texts, until } from "./support.mjs";

afterEach(stopAll);
afterEach(() => control("mend"));

test("a channel is joined while connected", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const other = await connect([a, b]);
  const client = await connect(a);
  await chat(other, b, "before");
  await client.subscribeToChannels(b);
  await chat(other, b, "after");
  await until("the second comes", () => texts(client).length > 0);
  assert.deepEqual(texts(client), ["after"]);
  assert.deepEqual(client.channels, [a, b]);
  assert.ok(client.eventStreamUri.includes(`channels=${a},${b}`), client.eventStreamUri);
  await until("the others are told", () => other.seen.updates.length > 0);
  for (const update of other.seen.updates) {
    assert.equal(update.userId, client.seen.connects[0].userId);
    assert.equal(update.channels, `${a},${b}`);
  }
  await until("it is told itself", () => client.seen.updates.length > 0);
});

test("a channel is left while connected", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const other = await connect([a, b]);
  const client = await connect([a, b]);
  await client.unsubscribeFromChannels(b);
  await chat(other, b, "not any more");
  await chat(other, a, "still");
  await until("the second comes", () => texts(client).length > 0);
  assert.deepEqual(texts(client), ["still"]);
  assert.deepEqual(client.channels, [a]);
  await until("those who were left are told", () => other.seen.updates.some(e => e.channel === b));
  assert.deepEqual((await other.getChannelSubscribers()).find(u => u.userId === client.seen.connects[0].userId).channels, [a]);
});

test("both at once", async () => {
  const [a, b, c] = [channel("a"), channel("b"), channel("c")];
  const client = await connect([a, b]);
  await client.updateSubscriber({
    subscribeChannels: [c], unsubscribeChannels: [a],
    getTypeName: () => "UpdateEventSubscriber", createResponse: () => ({}),
  });
  assert.deepEqual(client.channels, [b, c]);
  for (const [to, text] of [[a, "left"], [b, "stayed"], [c, "joined"]]) await publish({ channel: to, data: text });
  await until("two come", () => client.seen.messages.length === 2);
  assert.deepEqual(client.seen.messages.map(m => m.body), ["stayed", "joined"]);
});

test("a subscription that was ended elsewhere comes back by itself", async () => {
  const c = channel();
  const other = await connect(c);
  const client = await connect(c, { heartbeat: 100 });
  await fetch(client.seen.connects[0].unRegisterUrl, { method: "POST" });
  await until("it is connected again", () => client.seen.connects.length === 2);
  await chat(other, c, "welcome back");
  await until("the message comes", () => texts(client).length > 0);
  assert.deepEqual(texts(client), ["welcome back"]);
});

test("a connection that was cut resumes without loss or repeat", async () => {
  const c = channel();
  const client = await connect(c, { from: proxied, heartbeat: never });
  await resume(client, [c]);
});

test("with cookies, channels that were joined live are resumed too", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const client = await connect(a, { from: proxied, heartbeat: never, EventSource: browserLike() });
  await client.subscribeToChannels(b);
  await resume(client, [a, b]); // the URL that it comes back with names the first alone
  assert.deepEqual(client.channels, [a, b]);
});

test("with cookies, a reconnect is no leave", async () => {
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
