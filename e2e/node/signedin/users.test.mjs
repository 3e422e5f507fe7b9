// A server that takes signed-in users alone: who has the cookie "who" is that user.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { browserLike, channel, chat, connect, control, names, proxied, stopAll, texts, until, watch } from "../support.mjs";

afterEach(stopAll);
afterEach(() => control("mend"));

const as = user => ({ EventSource: browserLike({ who: user }) });
const never = 3_600_000;

// signIn gives the client's own HTTP client the cookie as well.
async function signIn(user, channels, options = {}) {
  const client = await connect(channels, { ...as(user), ...options });
  client.serviceClient.cookies.who = { name: "who", value: user };
  return client;
}

test("16.1 AuthMemoryServerEventsTests, S-19 LimitToAuthenticatedUsers: who has not signed in gets an exception and no stream", async () => {
  const client = watch([channel()]);
  await until("the exception comes", () => client.seen.errors.length > 0);
  assert.equal(client.seen.errors[0].code, 401);
  assert.equal(client.eventSource.readyState, EventSource.CLOSED);
  assert.deepEqual(client.seen.connects, []);
});

test("16.1 AuthMemoryServerEventsTests, S-24: onConnect and onJoin say who it is", async () => {
  const c = channel();
  const client = await signIn("ada", c);
  assert.equal(client.seen.connects[0].isAuthenticated, "true");
  assert.equal(client.seen.connects[0].userId, "ada");
  assert.equal(client.seen.connects[0].displayName, "Ada");
  await until("the own join comes", () => client.seen.joins.length > 0);
  assert.equal(client.seen.joins[0].userId, "ada");
  assert.equal(client.seen.joins[0].isAuthenticated, "true");
});

test("16.1 AuthMemoryServerEventsTests: they send, receive and send heartbeats", async () => {
  const c = channel();
  const [ada, bob] = [await signIn("ada", c, { heartbeat: 50 }), await signIn("bob", c)];
  await chat(ada, c, "hello");
  await until("it comes", () => texts(bob).length > 0);
  assert.equal(bob.seen.chats[0].fromUserId, "ada");
  assert.equal(bob.seen.chats[0].fromName, "Ada");
  await chat(bob, c, "for ada", { toUserId: "ada" });
  await until("it comes", () => texts(ada).includes("for ada"));
  await until("heartbeats come", () => ada.seen.heartbeats.length >= 2);
  assert.deepEqual(ada.seen.errors, []);
});

test("S-24: a private message reaches every window of its user", async () => {
  const c = channel();
  const [one, two, bob, eve] = [await signIn("ada", c), await signIn("ada", c), await signIn("bob", c), await signIn("eve", c)];
  await chat(bob, c, "for ada", { toUserId: "ada" });
  await chat(bob, c, "for all");
  for (const client of [one, two, bob, eve]) await until("the public one comes", () => texts(client).includes("for all"));
  for (const client of [one, two]) assert.deepEqual(texts(client), ["for ada", "for all"]);
  assert.deepEqual(texts(eve), ["for all"]);
});

test("16.1 AuthMemoryServerEventsTests.Channels_updated_after_Restart: what was joined is still there", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const bob = await signIn("bob", [a, b]);
  const ada = await signIn("ada", a, { from: proxied, heartbeat: never });
  await ada.subscribeToChannels(b);
  await control("cut");
  await until("it notices", () => ada.seen.errors.length > 0);
  await chat(bob, b, "meanwhile");
  await control("mend");
  await until("it is connected again", () => ada.seen.connects.length === 2);
  await chat(bob, b, "after");
  await until("both come", () => texts(ada).length === 2);
  assert.deepEqual(texts(ada), ["meanwhile", "after"]);
  assert.deepEqual(ada.channels, [a, b]);
  assert.deepEqual(bob.seen.leaves, []);
});

test("S-14: who has not signed in sees no list", async () => {
  const c = channel();
  const ada = await signIn("ada", c);
  assert.deepEqual(names(await ada.getChannelSubscribers()), ["Ada"]);
  ada.serviceClient.cookies = {};
  assert.deepEqual(await ada.getChannelSubscribers(), []);
  assert.equal(ada.seen.errors.length, 1);
});
