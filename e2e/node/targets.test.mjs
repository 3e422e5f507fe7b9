// Whom a message is for, and what its token says of that.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ServerEventsClient } from "@servicestack/client";
import { browserLike, channel, connect, publish, stopAll, until } from "./support.mjs";

afterEach(stopAll);

const bodies = client => client.seen.messages.map(m => m.body);

// sent publishes and waits for those who should get it.
async function sent(fields, data, ...to) {
  await publish({ ...fields, type: "notify", data });
  for (const client of to) await until(`${data} comes`, () => bodies(client).includes(data));
}

test("S-03, S-23: each Notify with its channel filter, and the prefix of channels alone", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const id = await import("node:crypto").then(m => m.randomBytes(16).toString("hex"));
  const one = await connect([a], { EventSource: browserLike() });
  const two = await connect([a, b], { EventSource: browserLike() });
  const user = two.seen.connects[0].userId;
  const subscription = two.getSubscriptionId();

  await sent({ channel: a }, "NotifyChannel", one, two);
  await sent({ user }, "NotifyUserId", two);
  await sent({ user, channel: b }, "NotifyUserId on b", two);
  await publish({ user, channel: id, type: "notify", data: "NotifyUserId where it is not" });
  await sent({ subscription }, "NotifySubscription", two);
  await sent({ subscription, channel: a }, "NotifySubscription on a", two);
  await publish({ subscription, channel: id, type: "notify", data: "NotifySubscription where it is not" });
  await sent({ all: true }, "NotifyAll", one, two);
  await sent({ all: true, channel: b }, "NotifyAll on b", two);
  await sent({ channel: a }, "end", one, two);

  assert.deepEqual(bodies(one), ["NotifyChannel", "NotifyAll", "end"]);
  assert.deepEqual(bodies(two), ["NotifyChannel", "NotifyUserId", "NotifyUserId on b", "NotifySubscription",
    "NotifySubscription on a", "NotifyAll", "NotifyAll on b", "end"]);
  for (const m of two.seen.messages) {
    assert.equal(m.channel, ["NotifyChannel", "end"].includes(m.body) ? a : null, m.body);
    assert.equal(m.selector, "cmd.notify");
  }
});

test("S-23 NotifySession: to every window of one session", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const session = "QRSTUVWXYZABCDEFGHIJKLMNOP"; // as the server makes them
  const own = () => ({ EventSource: browserLike({ "ss-id": session }) });
  const [one, two, other] = [await connect(a, own()), await connect(b, own()), await connect(a)];
  await sent({ session }, "both", one, two);
  await sent({ session, channel: b }, "one", two);
  await sent({ channel: a }, "end", one, other);
  assert.deepEqual(bodies(one), ["both", "end"]);
  assert.deepEqual(bodies(two), ["both", "one"]);
  assert.deepEqual(bodies(other), ["end"]);
});

test("S-10: who names no channel is on one called *, which is no wildcard", async () => {
  const [star, other] = [await connect("*"), await connect(channel())];
  assert.deepEqual(star.channels, [ServerEventsClient.UnknownChannel]);
  await publish({ channel: other.channels[0], data: "elsewhere" });
  await publish({ channel: "*", data: "to *" });
  await until("it comes", () => star.seen.messages.length > 0);
  assert.deepEqual(bodies(star), ["to *"]);
  assert.throws(() => new ServerEventsClient("http://127.0.0.1:1", []), e => /channel/.test(e));
});

test("S-28: channel names are not escaped by the client, and need not be ASCII", async () => {
  const names = ["größe", "频道", "a.b/c?d", "🙂", "quote'\"\\"].map(name => channel(name)).filter(name => !name.includes("?"));
  const client = await connect(names);
  assert.deepEqual(client.channels, names);
  await until("all joins come", () => client.seen.joins.length === names.length);
  assert.deepEqual(client.seen.joins.map(e => e.channel), names);
  for (const name of names) await sent({ channel: name }, `on ${name}`, client);
  assert.deepEqual(client.seen.messages.map(m => m.channel), names);
});

test("S-02, S-26: many publishers at once, one order for all, ids that increase", async () => {
  const [a, b] = [channel("a"), channel("b")];
  const clients = [await connect([a, b]), await connect([b, a])];
  await Promise.all(Array.from({ length: 100 }, (_, i) => publish({ channel: i % 2 ? a : b, data: `message ${i}` })));
  for (const client of clients) await until("all come", () => client.seen.messages.length === 100);
  assert.deepEqual(bodies(clients[0]), bodies(clients[1]));
  for (const client of clients) {
    const ids = client.seen.messages.map(m => m.eventId);
    assert.deepEqual(ids, [...new Set(ids)].sort((x, y) => x - y));
    assert.equal(new Set(bodies(client)).size, 100);
  }
});
