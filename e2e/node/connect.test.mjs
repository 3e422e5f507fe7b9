// Connecting, presence, heartbeats, stopping.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ServerEventsClient, base, call, channel, chat, connect, names, stopAll, texts, until, watch } from "./support.mjs";

afterEach(stopAll);

test("onConnect tells who and where", async () => {
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

test("the own onJoin follows onConnect", async () => {
  const c = channel();
  const client = await connect(c);
  await until("the own join comes", () => client.seen.joins.length > 0);
  const [join] = client.seen.joins;
  assert.equal(join.channel, c);
  assert.equal(join.displayName, client.seen.connects[0].displayName);
  assert.equal(join.userId, client.seen.connects[0].userId);
});

test("one onJoin for each channel, in the order of the request", async () => {
  const channels = [channel("b"), channel("a"), channel("c")];
  const client = await connect(channels);
  await until("all joins come", () => client.seen.joins.length === 3);
  assert.deepEqual(client.seen.joins.map(e => e.channel), channels);
});

test("each callback fires once", async () => {
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

test("a heartbeat is answered on the stream", async () => {
  const client = await connect(channel(), { heartbeat: 50 });
  await until("three heartbeats come", () => client.seen.heartbeats.length >= 3);
  assert.deepEqual(client.seen.errors, []);
  assert.equal(client.seen.reconnects, 0);
});

test("a heartbeat for nobody is an HTTP error", async () => {
  for (const method of ["POST", "GET"]) {
    const answer = await fetch(`${base}/event-heartbeat?id=nobody`, { method });
    assert.equal(answer.status, 404, method);
  }
});

test("joins and leaves are told on their own channels", async () => {
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

test("who is on two channels hears of both", async () => {
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

test("the subscribers of channels are listed, without their ids", async () => {
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

test("stop leaves, and start comes back", async () => {
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

test("starting and stopping many times leaves one subscription", async () => {
  const c = channel();
  const stays = await connect(c);
  const client = await connect(c);
  client.start();
  client.start();
  assert.equal((await stays.getChannelSubscribers()).length, 2);
  await Promise.all([client.stop(), client.stop()]);
  await until("it is gone", async () => (await stays.getChannelSubscribers()).length === 1);
});

test("an unreachable server is an exception", async () => {
  const client = watch([channel()], { from: "http://127.0.0.1:1" });
  await until("the exception comes", () => client.seen.errors.length > 0);
  assert.deepEqual(client.seen.connects, []);
});

test("an unknown subscription is an exception", async () => {
  const client = await connect(channel());
  client.connectionInfo.id = "nobody";
  await client.subscribeToChannels(channel());
  assert.equal(client.seen.errors.length, 1);
  assert.equal(client.seen.errors[0].responseStatus.errorCode, "NotFound");
});

test("credentials are sent unless switched off", async () => {
  const client = await connect(channel());
  assert.equal(client.eventSource.withCredentials, true);
  const other = new ServerEventsClient(base, [channel()]);
  other.withCredentials = false;
  other.start();
  assert.equal(other.eventSource.withCredentials, false);
  await other.stop();
});

test("an invalid channel is refused before it is joined", async () => {
  const c = channel();
  const client = await connect(c);
  await assert.rejects(call(client, "UpdateEventSubscriber", { id: client.getSubscriptionId(), subscribeChannels: ["a b"] }),
    e => e.responseStatus.errorCode !== "" && e.responseStatus.message.includes("a b"));
  assert.deepEqual((await client.getChannelSubscribers())[0].channels, [c]);
});
