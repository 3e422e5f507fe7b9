// The server forgets everybody.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { call, channel, connect, reaches, stopAll, until } from "./support.mjs";

afterEach(stopAll);

test("16.1 Does_reconnect_on_lost_connection, S-23 Reset: the server forgets, the clients connect again", async () => {
  const c = channel();
  const one = await connect(c, { heartbeat: 50 });
  const two = await connect(c, { heartbeat: 50 });
  await call(one, "ResetServerEvents", {});
  await until("both are back", () => [one, two].every(client => client.seen.reconnects > 0 && client.seen.connects.length >= 2));
  for (const client of [one, two]) assert.match(client.seen.errors[0].message, /^404/); // S-28: what a heartbeat is answered
  await reaches([one, two], { channel: c, data: "back" });
  assert.ok([one, two].every(client => client.seen.leaves.length === 0));
});
