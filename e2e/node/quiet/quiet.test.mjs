// A server that tells nobody of others, forgets at once who is gone, and keeps silent
// streams warm all the time. Its application fails once for each channel "fails-…",
// refuses "refused-…", and takes "key-…" for a key.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { base, channel, chat, connect, control, publish, stopAll, texts, until, watch } from "../support.mjs";

afterEach(stopAll);

test("S-19 NotifyChannelOfSubscriptions=false: no join, leave or update is told", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const stays = await connect(a);
  const other = await connect(a);
  await other.subscribeToChannels(b);
  await other.stop();
  await publish({ channel: a, data: "end" });
  await until("the end comes", () => stays.seen.messages.length > 0);
  for (const client of [stays, other]) assert.deepEqual(client.seen.commands, []);
  assert.equal((await stays.getChannelSubscribers()).length, 1);
});

test("16.1 RedisServerEventsStatefulTests.Does_clean_up_sse_id_subscriptions_regardless_of_config: of eleven that came, ten go and one is left", async () => {
  const c = channel();
  const clients = await Promise.all(Array.from({ length: 11 }, () => connect(c)));
  const [stays, ...go] = clients;
  assert.equal((await stays.getChannelSubscribers()).length, 11);
  await Promise.all(go.map(client => client.stop()));
  await publish({ channel: c, type: "trigger.cleanUp", data: "x" });
  assert.deepEqual((await stays.getChannelSubscribers()).map(u => u.userId), [stays.seen.connects[0].userId]);
});

test("S-08, S-09: empty lines between messages disturb nobody", async () => {
  const c = channel();
  const client = await connect(c, { heartbeat: 30 });
  const end = new AbortController();
  const raw = await fetch(`${base}/event-stream?channels=${c}`, { signal: end.signal });
  let text = "";
  for await (const chunk of raw.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.split("\n\n\n").length > 3) break; // three empty lines of their own, and the client got as many
    if (text.length > 10_000) assert.fail(text);
  }
  end.abort();
  assert.ok(!/^:|^retry|^event/m.test(text), text);
  await publish({ channel: c, data: "between" });
  await until("the message and heartbeats come", () => client.seen.messages.length === 1 && client.seen.heartbeats.length > 2);
  assert.deepEqual([client.seen.errors, client.seen.reconnects, client.seen.connects.length], [[], 0, 1]);
});

test("16.1 ServerEventsErrorHandlingTests, S-28: the application fails, nothing is held, and the client comes back", async () => {
  const c = channel("fails");
  const client = watch([c]);
  await until("it notices", () => client.seen.errors.length > 0);
  assert.ok(!client.seen.errors[0].code, `answered with ${client.seen.errors[0].code}, from which no EventSource comes back`);
  await until("it is connected at its second try", () => client.seen.connects.length === 1);
  assert.equal((await client.getChannelSubscribers()).length, 1);
});

test("S-20 OnInit: what the application refuses has its status and is final", async () => {
  const client = watch([channel("refused")]);
  await until("it notices", () => client.seen.errors.length > 0);
  assert.equal(client.seen.errors[0].code, 403);
  assert.equal(client.eventSource.readyState, EventSource.CLOSED);
});

test("16.1 Only_allows_one_Thread_through_at_a_time: a storm of restarts leaves one subscription", async () => {
  const c = channel();
  const stays = await connect(c);
  const client = await connect(c);
  for (let i = 0; i < 10; i++) client.reconnectServerEvents();
  await until("the last of them is connected", () => client.seen.connects.length > 1 && client.eventSource.readyState === EventSource.OPEN);
  await until("one is left of it", async () => (await stays.getChannelSubscribers()).length === 2);
  await chat(stays, c, "once");
  await chat(stays, c, "twice");
  await until("both come", () => texts(client).length === 2);
  assert.deepEqual(texts(client), ["once", "twice"]);
  await client.stop();
  await until("it is gone", async () => (await stays.getChannelSubscribers()).length === 1);
});

test("S-24: who is replaced is told, and may stop instead of coming back", async () => {
  const c = channel("key");
  const ends = [];
  const handlers = { onEnd(end) { ends.push(end); client.stop(); } };
  const client = await connect(c, { handlers });
  const newer = await connect(c);
  await until("it is told", () => ends.length > 0);
  await publish({ channel: c, data: "for the newer" });
  await until("it comes", () => newer.seen.messages.length > 0);
  assert.deepEqual(ends, [{ reason: "replaced" }]);
  assert.equal(client.eventSource.readyState, EventSource.CLOSED);
  assert.equal(newer.seen.connects.length, 1);
});

test("L-14: who is dismissed is told, answered 204 when it comes back, and stops for good", async () => {
  const c = channel("key");
  const ends = [];
  const client = await connect(c, { handlers: { onEnd: end => ends.push(end) } });
  await control(`dismiss?key=${c}`);
  await until("it is sent away", () => client.eventSource.readyState === EventSource.CLOSED);
  assert.deepEqual(ends, [{ reason: "dismissed" }]);
  assert.equal(client.seen.errors.at(-1).code, 204);
  assert.equal(client.seen.connects.length, 1);
});
