// A server that dies and begins again, and one that is replaced.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { browserLike, channel, chat, connect, control, proxied, reaches, stopAll, texts, until } from "../support.mjs";

afterEach(stopAll);

test("16.1 ServerEventIntegrationTests.Does_reconnect_when_remote_AppServer_restarts: killed, and begun again at the same address", async () => {
  const c = channel();
  const one = await connect(c, { heartbeat: 100 }); // its heartbeats fail first
  const two = await connect(c); // its EventSource comes back by itself
  await chat(one, c, "before");
  await until("it comes", () => texts(two).length === 1);
  await control("restart");
  await until("both are back", () => [one, two].every(client => client.seen.connects.length >= 2));
  assert.notEqual(two.seen.connects[1].id, two.seen.connects[0].id);
  assert.ok(one.seen.reconnects > 0);
  await reaches([one, two], { channel: c, data: "after" });
  assert.ok(one.hasConnected() && two.hasConnected());
  const beats = two.seen.heartbeats.length;
  assert.equal((await fetch(two.connectionInfo.heartbeatUrl, { method: "POST" })).status, 200);
  await until("its heartbeat is answered on the new stream", () => two.seen.heartbeats.length > beats);
});

test("S-28: a deploy answers no stream with an error, and every client comes over", async () => {
  const c = channel();
  const clients = [];
  for (let i = 0; i < 10; i++) {
    clients.push(await connect(c, { from: proxied, ...(i % 2 && { heartbeat: 100 }), ...(i % 3 && { EventSource: browserLike() }) }));
  }
  await control("deploy");
  await until("all are back", () => clients.every(client => client.seen.connects.length >= 2));
  await reaches(clients, { channel: c, data: "after the deploy" }, proxied);
  for (const client of clients) {
    assert.notEqual(client.eventSource.readyState, EventSource.CLOSED);
    for (const e of client.seen.errors) assert.ok(!(e.code >= 400), `an EventSource was answered ${e.code}`);
  }
});
