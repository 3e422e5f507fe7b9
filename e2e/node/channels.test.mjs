// Joining and leaving channels live.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { channel, chat, connect, publish, stopAll, texts, until } from "./support.mjs";

afterEach(stopAll);

test("16.1 Can_subscribe_to_channels_whilst_connected: what is sent before does not come, what is sent after does", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const other = await connect([a, b]);
  const client = await connect(a);
  for (const c of [a, b]) await chat(other, c, `before on ${c}`);
  await until("what is said on its own comes", () => texts(client).length === 1);
  const url = client.eventStreamUri;
  await client.subscribeToChannels(b);
  for (const c of [a, b]) await chat(other, c, `after on ${c}`);
  await until("both come", () => texts(client).length === 3);
  assert.deepEqual(texts(client), [`before on ${a}`, `after on ${a}`, `after on ${b}`]);
  await until("the other hears all", () => texts(other).length === 4);
  assert.deepEqual(client.channels, [a, b]);
  assert.ok(!url.includes(b), url);
  assert.ok(client.eventStreamUri.includes(`channels=${a},${b}`), client.eventStreamUri);
  await until("the others are told", () => other.seen.updates.length > 0);
  for (const update of other.seen.updates) {
    assert.equal(update.userId, client.seen.connects[0].userId);
    assert.equal(update.channels, `${a},${b}`);
  }
  await until("it is told itself", () => client.seen.updates.length > 0);
});

test("16.1 Can_unsubscribe_from_channels_whilst_connected: what is sent before comes, what is sent after does not", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const other = await connect([a, b]);
  const client = await connect([a, b]);
  for (const c of [a, b]) await chat(other, c, `before on ${c}`);
  await until("both come", () => texts(client).length === 2);
  await client.unsubscribeFromChannels(b);
  await chat(other, b, "not any more");
  await chat(other, a, "still");
  await until("the second comes", () => texts(client).length > 2);
  assert.deepEqual(texts(client), [`before on ${a}`, `before on ${b}`, "still"]);
  await until("the other hears all", () => texts(other).length === 4);
  assert.deepEqual(client.channels, [a]);
  assert.ok(!client.eventStreamUri.includes(b), client.eventStreamUri);
  await until("those who were left are told", () => other.seen.updates.some(e => e.channel === b));
  assert.deepEqual((await other.getChannelSubscribers()).find(u => u.userId === client.seen.connects[0].userId).channels, [a]);
});

test("S-15: joining and leaving at once", async () => {
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

test("S-05, S-15: an empty change is none, and nobody is told of one", async () => {
  const c = channel();
  const [other, client] = [await connect(c), await connect(c)];
  await client.subscribeToChannels();
  await client.subscribeToChannels(c); // it has it
  await client.unsubscribeFromChannels(channel()); // it never had it
  await chat(client, c, "end");
  await until("the end comes", () => texts(other).length > 0);
  assert.deepEqual([...other.seen.updates, ...client.seen.updates], []);
  assert.deepEqual(client.seen.errors, []);
});

test("S-15: who leaves every channel stays connected", async () => {
  const c = channel();
  const [other, client] = [await connect(c), await connect(c, { heartbeat: 50 })];
  await client.unsubscribeFromChannels(c);
  await until("the others are told", () => other.seen.updates.length > 0);
  assert.equal(other.seen.updates[0].channels, "");
  await chat(other, c, "not for it");
  await publish({ user: client.seen.connects[0].userId, data: "for it" });
  await until("its own comes", () => client.seen.messages.length > 0);
  assert.deepEqual(client.seen.messages.map(m => m.body), ["for it"]);
  await until("heartbeats go on", () => client.seen.heartbeats.length >= 2);
  assert.deepEqual(client.seen.errors, []);
});
