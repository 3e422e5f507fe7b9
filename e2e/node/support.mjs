// What the tests of @servicestack/client share.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { EventSource } from "eventsource";
import { ServerEventsClient } from "@servicestack/client";

// The client reads EventSource.CLOSED of the global one.
globalThis.EventSource = EventSource;

export const base = process.env.E2E_URL;
export const proxied = process.env.E2E_PROXY;
export { ServerEventsClient };

// channel is a channel that no other test uses.
export function channel(name = "c") {
  return `${name}-${randomUUID()}`;
}

// until waits for something to become true.
export async function until(what, check, patience = 20_000) {
  for (const end = Date.now() + patience; ;) {
    if (await check()) return;
    if (Date.now() > end) assert.fail(`it never happened that ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

// browserLike makes an EventSource that keeps the cookies of its server, as those of
// browsers do and that of npm does not; it has some already.
export function browserLike(cookies = {}) {
  const jar = new Map(Object.entries(cookies));
  return class extends EventSource {
    constructor(url, init) {
      super(url, { ...init, fetch: (input, request) => withCookies(jar, input, request) });
    }
  };
}

async function withCookies(jar, input, request) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const answer = await fetch(input, { ...request, headers: { ...request.headers, ...(cookie && { Cookie: cookie }) } });
  for (const line of answer.headers.getSetCookie()) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
    jar.set(name, value);
  }
  return answer;
}

const open = new Set();

// connect starts a client and waits for onConnect. What the client sees is in its
// seen: connects, joins, leaves, updates, heartbeats, commands, messages, errors,
// reconnects; messages are also there as chats.
export async function connect(channels, options = {}) {
  const client = watch([].concat(channels), options);
  await until("onConnect comes", () => client.seen.connects.length > 0);
  return client;
}

export function watch(channels, { from = base, heartbeat, EventSource, validate = () => true, handlers = {}, ...options } = {}) {
  const seen = {
    connects: [], joins: [], leaves: [], updates: [], heartbeats: [],
    commands: [], messages: [], errors: [], reconnects: 0, ids: [], chats: [],
  };
  const client = new ServerEventsClient(from, channels, {
    ...options,
    onException: e => seen.errors.push(e),
    onReconnect: () => seen.reconnects++,
    validate: m => {
      if (!Number.isNaN(m.eventId)) seen.ids.push(m.eventId);
      return validate(m);
    },
    handlers: {
      onConnect(info, message) {
        if (heartbeat) info.heartbeatIntervalMs = heartbeat;
        seen.connects.push({ ...info, message });
      },
      onJoin: e => seen.joins.push(e),
      onLeave: e => seen.leaves.push(e),
      onUpdate: e => seen.updates.push(e),
      onHeartbeat: (e, message) => seen.heartbeats.push(message),
      onCommand: e => seen.commands.push(e),
      onMessage: e => seen.messages.push(e),
      chat: (chat, message) => seen.chats.push({ ...chat, selector: message.selector, eventId: message.eventId }),
      ...handlers,
    },
  });
  client.seen = seen;
  if (EventSource) client.EventSource = EventSource;
  open.add(client);
  return client.start();
}

// stopAll ends what a test has opened.
export async function stopAll() {
  await Promise.all([...open].map(client => client.stop()));
  open.clear();
}

// call posts to one of the services by name, with the client's own HTTP client.
export function call(client, name, fields) {
  const request = { ...fields };
  Object.defineProperty(request, "getTypeName", { value: () => name });
  Object.defineProperty(request, "createResponse", { value: () => ({}) });
  return client.serviceClient.post(request);
}

export function chat(client, channel, message, more = {}) {
  const from = client.getSubscriptionId();
  return call(client, "PostChatToChannel", { from, channel, message, selector: "cmd.chat", ...more });
}

export function raw(client, channel, selector, message, more = {}) {
  const from = client.getSubscriptionId();
  return call(client, "PostRawToChannel", { from, channel, message, selector, ...more });
}

export function object(client, channel, fields) {
  const from = client.getSubscriptionId();
  return call(client, "PostObjectToChannel", { from, channel, ...fields });
}

// publish goes through the plain face.
export async function publish(fields, at = base) {
  const answer = await fetch(`${at}/publish`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

// reaches publishes until it has come to all clients. One whose heartbeats fail may
// open several EventSources in turn, without a cursor, and miss what falls between.
export async function reaches(clients, fields, at = base) {
  await until(`${fields.data} comes to all`, async () => {
    await publish(fields, at);
    return clients.every(client => client.seen.messages.some(m => m.body === fields.data));
  });
}

export async function control(what) {
  const answer = await fetch(`${process.env.E2E_CONTROL}/${what}`, { method: "POST" });
  assert.equal(answer.status, 200);
}

// names are the display names of joins and the like.
export const names = events => events.map(e => e.displayName);

// texts are the messages of chats.
export const texts = client => client.seen.chats.map(c => c.message);
