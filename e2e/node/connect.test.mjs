// Connecting, presence, heartbeats, stopping.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ServerEventsClient, base, call, channel, chat, connect, names, publish, stopAll, texts, until, watch } from "./support.mjs";

afterEach(stopAll);

test("16.1 Can_connect_to_ServerEventsStream, S-06: onConnect tells who and where", async () => {
  const c = channel();
  const client = await connect(c);
  const [info] = client.seen.connects;
  assert.equal(info.channels, c);
  assert.ok(info.id && info.userId && info.displayName);
  for (const url of [info.heartbeatUrl, info.unRegisterUrl, info.updateSubscriberUrl]) {
    assert.ok(url.startsWith(base), url);
    assert.ok(url.includes(info.id), url);
  }
  assert.ok(info.heartbeatIntervalMs > 0);
  assert.equal(info.idleTimeoutMs, 30_000);
  assert.equal(info.isAuthenticated, "false");
  assert.equal(client.hasConnected(), true);
  assert.equal(client.getSubscriptionId(), info.id);
  assert.deepEqual(client.channels, [c]);
});

test("16.1 Does_fire_onJoin_events: the own onJoin follows onConnect", async () => {
  const c = channel();
  const client = await connect(c);
  await until("the own join comes", () => client.seen.joins.length > 0);
  const [join] = client.seen.joins;
  assert.equal(join.channel, c);
  assert.equal(join.displayName, client.seen.connects[0].displayName);
  assert.equal(join.userId, client.seen.connects[0].userId);
});

test("16.1 Does_fire_onJoin_events_for_multiple_Channels, S-05: one for each, in the order of the request", async () => {
  const channels = [channel("b"), channel("a"), channel("c")];
  const client = await connect(channels);
  await until("all joins come", () => client.seen.joins.length === 3);
  assert.deepEqual(client.seen.joins.map(e => e.channel), channels);
});

test("16.1 Does_fire_all_callbacks, S-13: each once", async () => {
  const c = channel();
  const one = await connect(c);
  await until("the own join comes", () => one.seen.commands.length > 0);
  const two = await connect(c);
  await until("the other's join comes", () => one.seen.joins.length === 2);
  const left = await fetch(two.seen.connects[0].unRegisterUrl); // GET, as the client for Java
  assert.equal(left.status, 200);
  assert.equal((await left.json()).userId, two.seen.connects[0].userId);
  await until("the leave comes", () => one.seen.leaves.length > 0);
  assert.deepEqual(names(one.seen.leaves), names(two.seen.connects));
  assert.equal(one.seen.connects.length, 1);
  assert.deepEqual(one.seen.commands.map(e => e.selector), ["cmd.onJoin", "cmd.onJoin", "cmd.onLeave"]);
  assert.deepEqual(one.seen.messages, []);
  assert.deepEqual(one.seen.errors, []);
});

test("16.1 Does_send_multiple_heartbeats, S-12: each is answered on the stream", async () => {
  const client = await connect(channel(), { heartbeat: 50 });
  await until("three heartbeats come", () => client.seen.heartbeats.length >= 3);
  assert.deepEqual(client.seen.errors, []);
  assert.equal(client.seen.reconnects, 0);
});

test("16.1 GetStringFromUrlAsync_does_throw_error, S-12: a heartbeat for nobody", async () => {
  for (const method of ["POST", "GET"]) {
    const answer = await fetch(`${base}/event-heartbeat?id=nobody`, { method });
    assert.equal(answer.status, 404, method);
  }
});

test("16.1 Does_receive_all_join_and_leave_messages: on the channels of each", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const onA = await connect(a);
  const onB = await connect(b);
  const both = await connect([a, b]);
  await until("the joins come", () => onA.seen.joins.length === 2 && onB.seen.joins.length === 2 && both.seen.joins.length === 2);

  assert.equal((await onA.getChannelSubscribers()).length, 2);
  assert.equal((await onB.getChannelSubscribers()).length, 2);
  assert.equal((await both.getChannelSubscribers()).length, 3);

  await both.stop();
  await until("the leaves come", () => onA.seen.leaves.length === 1 && onB.seen.leaves.length === 1);
  assert.deepEqual(onA.seen.leaves.map(e => e.channel), [a]);
  assert.deepEqual(onB.seen.leaves.map(e => e.channel), [b]);
  assert.deepEqual(both.seen.leaves, []);
});

test("16.1 MultiChannel_Does_receive_all_join_and_leave_messages: who is on two channels hears of both", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const both = await connect([a, b]);
  const onA = await connect(a);
  const onB = await connect(b);
  await until("the joins come", () => both.seen.joins.length === 4);
  await Promise.all([onA.stop(), onB.stop()]);
  await until("the leaves come", () => both.seen.leaves.length === 2);
  assert.deepEqual(both.seen.leaves.map(e => e.channel).sort(), [a, b].sort());
  assert.deepEqual([...onA.seen.leaves, ...onB.seen.leaves], []);
});

test("S-14, S-16: the subscribers of channels are listed, without their ids", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const one = await connect([a, b]);
  const two = await connect(b);
  const on = async client => (await client.getChannelSubscribers()).map(u => u.userId).sort();
  const users = [one, two].map(client => client.seen.connects[0].userId);
  assert.deepEqual(await on(one), [...users].sort());
  assert.deepEqual(await on(two), [...users].sort());
  const [first] = (await one.getChannelSubscribers()).filter(u => u.userId === users[0]);
  assert.deepEqual(first.channels, [a, b]);
  assert.equal(first.displayName, one.seen.connects[0].displayName);
  assert.ok(first.profileUrl);
  assert.ok(!JSON.stringify(await one.getChannelSubscribers()).includes(one.getSubscriptionId()));
});

test("S-28: stop leaves, and start comes back", async () => {
  const c = channel();
  const stays = await connect(c);
  const client = await connect(c);
  await until("the join comes", () => stays.seen.joins.length === 2);
  await client.stop();
  await until("the leave comes", () => stays.seen.leaves.length === 1);
  assert.equal((await stays.getChannelSubscribers()).length, 1);
  client.start();
  await until("it is connected again", () => client.seen.connects.length === 2);
  assert.notEqual(client.seen.connects[1].id, client.seen.connects[0].id);
  await chat(stays, c, "again");
  await until("the message comes", () => texts(client).length > 0);
  assert.deepEqual(texts(client), ["again"]);
});

test("16.1 Does_not_fire_UnobservedTaskException: stopping leaves no stray errors, and nothing comes any more", async () => {
  const c = channel();
  const stays = await connect(c);
  const client = await connect(c, { heartbeat: 20 });
  await until("heartbeats are under way", () => client.seen.heartbeats.length > 0);
  await client.stop(); // an error that nobody handles would fail this test
  const seen = JSON.stringify(client.seen.ids);
  await chat(stays, c, "too late");
  await until("it comes to the other", () => texts(stays).length === 1);
  assert.equal(JSON.stringify(client.seen.ids), seen);
  assert.deepEqual([client.seen.errors, client.seen.reconnects], [[], 0]);
  assert.equal(client.hasConnected(), false);
});

test("S-28: what its options do reaches the server or does not matter to it", async () => {
  const c = channel();
  const got = [];
  let ticks = 0;
  const client = await connect(c, {
    onTick: () => ticks++,
    resolveStreamUrl: url => `${url}&ss-tok=a.b.c&unknown=%zz`,
    validate: m => m.target !== "unwanted",
    handlers: { greet: body => got.push(body), unwanted: body => got.push(body) },
  });
  assert.ok(client.eventSource.url.includes("&ss-tok=a.b.c"));
  for (const [type, data] of [["unwanted", 1], ["greet", 2]]) await publish({ channel: c, type, data });
  await until("it comes", () => got.length > 0);
  assert.deepEqual(got, [2]);
  assert.ok(ticks >= 3, `${ticks} ticks`); // onConnect, onJoin, greet
});

test("16.1 Only_allows_one_Thread_through_at_a_time: starting and stopping many times", async () => {
  const c = channel();
  const stays = await connect(c);
  const client = await connect(c);
  client.start();
  client.start();
  assert.equal((await stays.getChannelSubscribers()).length, 2);
  await Promise.all([client.stop(), client.stop()]);
  await until("it is gone", async () => (await stays.getChannelSubscribers()).length === 1);
});

test("16.2 Does raise Error Messages: an unreachable host", async () => {
  const client = watch([channel()], { from: "http://127.0.0.1:1" });
  await until("the exception comes", () => client.seen.errors.length > 0);
  assert.deepEqual(client.seen.connects, []);
});

test("16.2 Does raise Error Messages: a lost subscription", async () => {
  const client = await connect(channel());
  client.connectionInfo.id = "nobody";
  await client.subscribeToChannels(channel());
  assert.equal(client.seen.errors.length, 1);
  assert.equal(client.seen.errors[0].responseStatus.errorCode, "NotFound");
});

test("16.2 Does create EventSource instance withCredentials: unless switched off", async () => {
  const client = await connect(channel());
  assert.equal(client.eventSource.withCredentials, true);
  const other = new ServerEventsClient(base, [channel()]);
  other.withCredentials = false;
  other.start();
  assert.equal(other.eventSource.withCredentials, false);
  await other.stop();
});

test("S-09, S-17: an invalid channel is refused before it is joined", async () => {
  const c = channel();
  const client = await connect(c);
  await assert.rejects(call(client, "UpdateEventSubscriber", { id: client.getSubscriptionId(), subscribeChannels: ["a b"] }),
    e => e.responseStatus.errorCode !== "" && e.responseStatus.message.includes("a b"));
  assert.deepEqual((await client.getChannelSubscribers())[0].channels, [c]);
});
