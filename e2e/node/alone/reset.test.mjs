// What nobody else may be connected for.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { call, channel, chat, connect, stopAll, texts, until } from "../support.mjs";

afterEach(stopAll);

test("after a reset of the server the client connects again", async () => {
  const c = channel();
  const one = await connect(c, { heartbeat: 50 });
  const two = await connect(c, { heartbeat: 50 });
  await call(one, "ResetServerEvents", {});
  await until("both are back", () => [one, two].every(client => client.seen.reconnects === 1 && client.seen.connects.length === 2));
  await chat(two, c, "back");
  await until("the message comes", () => texts(one).includes("back"));
  assert.deepEqual(texts(one), ["back"]);
  assert.ok([one, two].every(client => client.seen.leaves.length === 0));
});
