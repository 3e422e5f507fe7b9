// Messages to handlers, receivers and listeners.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ServerEventReceiver, SingletonInstanceResolver } from "@servicestack/client";
import { call, channel, chat, connect, object, publish, raw, stopAll, texts, until, watch } from "./support.mjs";

afterEach(stopAll);

test("16.1 Does_receive_messages: everyone on a channel gets a chat message once", async () => {
  const c = channel();
  const one = await connect(c);
  const two = await connect(c);
  const answer = await chat(one, c, "hello from one");
  await chat(two, c, "hello from two");
  for (const client of [one, two]) {
    await until("both come", () => client.seen.chats.length === 2);
    const [m] = client.seen.chats;
    assert.equal(m.message, "hello from one");
    assert.equal(m.selector, "cmd.chat");
    assert.equal(m.channel, c);
    assert.equal(m.private, false);
    assert.equal(m.fromUserId, one.seen.connects[0].userId);
    assert.equal(m.fromName, one.seen.connects[0].displayName);
    assert.ok(m.id > 0);
    assert.equal(m.id, answer.id);
    assert.ok(Number.isSafeInteger(m.eventId) && m.eventId > 0);
    assert.equal(client.seen.messages.length, 2);
    assert.deepEqual(client.seen.ids, [...client.seen.ids].sort((a, b) => a - b));
  }
  assert.equal(one.seen.chats[0].eventId, two.seen.chats[0].eventId);
});

test("S-32: a private message reaches its user alone, and the sender", async () => {
  const c = channel();
  const [from, to, other] = [await connect(c), await connect(c), await connect(c)];
  await chat(from, c, "for you", { toUserId: to.seen.connects[0].userId });
  await chat(from, c, "for all");
  for (const client of [from, to, other]) {
    await until("the public one comes", () => texts(client).includes("for all"));
  }
  assert.deepEqual(texts(to), ["for you", "for all"]);
  assert.equal(to.seen.chats[0].private, true);
  assert.deepEqual(texts(other), ["for all"]);
  assert.equal(texts(from).length, 2);
});

test("16.1 Does_send_message_to_Handler, S-10: by its selector, and by the name of its type", async () => {
  const c = channel();
  const got = [];
  const client = await connect(c, { handlers: { CustomType: (body, message) => got.push([body, message.selector]) } });
  await object(client, c, { customType: { id: 1, name: "one" }, selector: "cmd.CustomType" });
  await object(client, c, { customType: { id: 2, name: "two" } }); // the selector of its type
  await until("both come", () => got.length === 2);
  assert.deepEqual(got, [[{ id: 1, name: "one" }, "cmd.CustomType"], [{ id: 2, name: "two" }, "cmd.CustomType"]]);
});

test("16.2 Does send string to Handler, S-04: it arrives as it was sent", async () => {
  const c = channel();
  const got = [];
  const client = await connect(c, { handlers: { say: body => got.push(body) } });
  const sent = ["plain", "{\"not\":\"an object\"}", "two\nlines\r\nand \u2028 more", "quote \" back \\ tick ' <b>&amp;</b>", "id: 7\n\ndata: cmd.say 1", "🙂 ünï"];
  for (const text of sent) await raw(client, c, "cmd.say", text);
  await until("all come", () => got.length === sent.length);
  assert.deepEqual(got, sent);
});

test("16.1 Does_send_raw_string_messages, S-10: text, nothing, and selectors with their parts", async () => {
  const c = channel();
  const client = await connect(c);
  await raw(client, c, "cmd.showPopup", null);
  await raw(client, c, "cmd.toggle$#channels", null);
  await raw(client, c, "cmd.announce", "This is your captain speaking ...");
  await raw(client, c, "css.background-image$#top", "url(/logo.png)");
  await raw(client, c, "cmd.hide$div%20.im,#top", null);
  await until("all come", () => client.seen.messages.length === 5);
  const [popup, toggle, announce, css, hide] = client.seen.messages;
  assert.equal(announce.body, "This is your captain speaking ...");
  assert.deepEqual([css.op, css.target, css.cssSelector, css.body], ["css", "background-image", "#top", "url(/logo.png)"]);
  assert.deepEqual([hide.target, hide.cssSelector], ["hide", "div .im,#top"]);
  for (const m of client.seen.messages) assert.equal(m.channel, c);
  assert.equal(popup.body, null);
  assert.equal(popup.op, "cmd");
  assert.equal(popup.target, "showPopup");
  assert.equal(toggle.target, "toggle");
  assert.equal(toggle.cssSelector, "#channels");
  assert.equal(toggle.body, null);
});

test("16.1 Does_send_message_to_named_receiver, Does_set_properties_on_named_receiver: by method, setter and property", async () => {
  const c = channel();
  const client = await connect(c);
  const seen = [];
  class Receiver {
    AnyNamedProperty = null;
    FooMethod(body) { seen.push(["foo", body]); }
    set Setter(body) { seen.push(["set", body]); }
    noSuchMethod(target, message) { seen.push(["none", target, message.body]); }
  }
  const receiver = new Receiver();
  client.registerNamedReceiver("test", receiver);
  await object(client, c, { customType: { id: 1, name: "foo" }, selector: "test.FooMethod" });
  await object(client, c, { setterType: { id: 2, name: "set" }, selector: "test.Setter" });
  await object(client, c, { customType: { id: 3, name: "any" }, selector: "test.AnyNamedProperty" });
  await raw(client, c, "test.missing", "nobody home");
  await until("all come", () => seen.length === 3 && receiver.AnyNamedProperty);
  assert.deepEqual(seen, [
    ["foo", { id: 1, name: "foo" }], ["set", { id: 2, name: "set" }], ["none", "missing", "nobody home"],
  ]);
  assert.deepEqual(receiver.AnyNamedProperty, { id: 3, name: "any" });
  client.unregisterReceiver("test");
  await raw(client, c, "test.FooMethod", "late");
  await until("it comes", () => client.seen.messages.length === 5);
  assert.equal(seen.length, 3);
});

test("16.1 Does_send_message_to_global_receiver: and what it does not have", async () => {
  const c = channel();
  const client = await connect(c);
  const seen = [];
  client.registerReceiver({
    CustomType(body) { seen.push(body); },
    noSuchMethod(target, message) { seen.push([target, message.body]); },
  });
  await object(client, c, { customType: { id: 1, name: "global" } });
  await raw(client, c, "cmd.unknownHere", "text");
  await until("both come", () => client.seen.messages.length === 2);
  // This client calls the global receiver twice, also as the receiver named cmd.
  assert.deepEqual(seen.filter((_, i) => i % 2 === 0), [{ id: 1, name: "global" }, ["unknownHere", "text"]]);
  assert.equal(seen.length, 4);
});

test("16.1 Does_set_properties_on_global_receiver: and a receiver that is reused keeps them", async () => {
  const c = channel();
  class Receiver extends ServerEventReceiver {
    AnyNamedProperty = null;
    count = 0;
    CustomType() { this.count++; }
  }
  const client = await connect(c, { resolver: new SingletonInstanceResolver() });
  client.registerReceiver(Receiver).registerNamedReceiver("test", Receiver); // 16.1 Can_reuse_same_instance
  await object(client, c, { customType: { id: 1, name: "any" }, selector: "cmd.AnyNamedProperty" });
  for (const selector of [undefined, "test.CustomType", "test.customtype"]) {
    await object(client, c, { customType: { id: 2, name: "counted" }, selector });
  }
  await until("all come", () => client.seen.messages.length === 4);
  const receiver = client.resolver.tryResolve(Receiver);
  assert.deepEqual(receiver.AnyNamedProperty, { id: 1, name: "any" });
  assert.equal(receiver.count, 4); // the first one twice, see above; any case will do for a member
});

test("16.1 GrpcServerEventsTests, S-21: onConnect, onJoin and chat come in this order", async () => {
  const c = channel();
  const order = [];
  const note = name => () => { order.push(name); };
  const client = watch([c], { handlers: { onConnect: note("onConnect"), onJoin: note("onJoin"), chat: note("chat") } });
  for (let i = 0; order.length < 3; i++) { // from before it is connected
    await publish({ channel: c, type: "chat", data: { id: i } });
    await new Promise(setImmediate);
  }
  assert.deepEqual(order.slice(0, 2), ["onConnect", "onJoin"]);
  assert.deepEqual([...new Set(order)], ["onConnect", "onJoin", "chat"]);
  assert.deepEqual(client.seen.errors, []);
});

test("16.1 Does_fire_multiple_listeners_for_custom_trigger: and none that was removed", async () => {
  const c = channel();
  const client = await connect(c);
  const [first, second] = [[], []];
  const listener = message => first.push(message.body);
  client.addListener("customEvent", listener).addListener("customEvent", message => second.push(message.body));
  await raw(client, c, "trigger.customEvent", "one");
  await until("both hear it", () => first.length === 1 && second.length === 1);
  client.removeListener("customEvent", listener);
  await raw(client, c, "trigger.customEvent", "two");
  await until("the other hears it", () => second.length === 2);
  assert.deepEqual(first, ["one"]);
  assert.deepEqual(second, ["one", "two"]);
});

test("16.1 Can_consume_messages_in_async_handler_with_BlockingCollection: all of many, in their order", async () => {
  const c = channel();
  const client = await connect(c);
  const sent = Array.from({ length: 100 }, (_, i) => `message ${i}`);
  for (const text of sent) await chat(client, c, text);
  await until("all come", () => client.seen.chats.length === sent.length);
  assert.deepEqual(texts(client), sent);
});

test("16.1 Does_receive_messages_on_to_clients_subscribed_on_multiple_channels: each those of its own, twice", async () => {
  const all = [channel("a"), channel("b"), channel("c"), channel("d")];
  const clients = [];
  for (let n = 1; n <= 4; n++) clients.push(await connect(all.slice(0, n)));
  for (const round of [1, 2]) {
    for (const c of all) await chat(clients[3], c, `${round} to ${c}`);
    for (const [i, client] of clients.entries()) {
      await until(`round ${round} comes`, () => client.seen.chats.length === (i + 1) * round);
    }
  }
  for (const [i, client] of clients.entries()) {
    assert.deepEqual([...new Set(client.seen.chats.map(m => m.channel))], all.slice(0, i + 1));
  }
  assert.equal((await clients[0].getChannelSubscribers()).length, 4);
});

test("S-03, S-10: what curl publishes arrives here", async () => {
  const c = channel();
  const got = [];
  const client = await connect(c, { handlers: { greet: (body, m) => got.push([body, m.selector, m.channel]) } });
  const receipt = await publish({ channel: c, type: "greet", data: { text: "hello" } });
  await publish({ channel: c, type: "greet", data: "two\nlines" });
  await publish({ channel: c, data: "no type" });
  await until("all come", () => client.seen.messages.length === 3);
  assert.deepEqual(got, [[{ text: "hello" }, "cmd.greet", c], ["two\nlines", "cmd.greet", c]]);
  assert.equal(client.seen.messages[2].selector, "cmd.message");
  assert.equal(client.seen.messages[2].body, "no type");
  assert.deepEqual(receipt.matched, 1);
  assert.equal(String(client.seen.messages[0].eventId), receipt.id);
});

test("S-10, S-17: nobody speaks for another, nor as the server", async () => {
  const c = channel();
  const [client, other] = [await connect(c), await connect(c)];
  const refused = async (status, fields, name = "PostChatToChannel") => {
    await assert.rejects(call(client, name, { channel: c, message: "x", ...fields }),
      e => e.responseStatus.errorCode !== undefined, JSON.stringify(fields));
  };
  await refused(404, { from: "nobody" });
  await refused(404, { from: other.seen.connects[0].userId });
  await refused(400, { from: client.getSubscriptionId(), channel: "a b" });
  for (const selector of ["cmd.onConnect", "cmd.onjoin", "cmd.chat\ndata: x", "home@cmd.chat", "nodot", "stentor.gap"]) {
    await refused(400, { from: client.getSubscriptionId(), selector }, "PostRawToChannel");
  }
  await chat(client, c, "end");
  await until("the end comes", () => texts(other).length === 1);
  assert.deepEqual(other.seen.messages.map(m => m.selector), ["cmd.chat"]);
  assert.equal(other.seen.connects.length, 1);
});
