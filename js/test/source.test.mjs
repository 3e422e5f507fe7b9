import assert from "node:assert/strict";
import test from "node:test";
import { Refusal, Source, TooLargeError } from "../dist/stentor.js";
import { cut, script, status, stream, until } from "./support.mjs";

const soon = "retry: 10\n";

/** Opens a source and records what it does. */
function open(t, url, o) {
  const source = new Source(url, { idleTimeout: -1, ...o });
  t.after(() => source.close());
  const got = { source, seen: [], errors: [], opened: 0 };
  source.onopen = () => got.opened++;
  source.onmessage = (e) => got.seen.push(e.data);
  source.onerror = (e) => got.errors.push(e.error);
  return got;
}

test("it has the events, states and fields of EventSource", { timeout: 20_000 }, async (t) => {
  const s = await script(t, stream("id: 7\ndata: a\n\nevent: tick\ndata: b\n\n"));
  const source = new Source(s.url);
  t.after(() => source.close());
  assert.equal(source.readyState, Source.CONNECTING);
  const seen = [];
  source.addEventListener("open", () => seen.push(`open ${source.readyState}`));
  source.addEventListener("message", (e) => seen.push(`${e.type} ${e.data} ${e.lastEventId} ${e.origin}`));
  source.addEventListener("tick", (e) => seen.push(`${e.type} ${e.data} ${e.lastEventId}`));
  await until(() => seen.length === 3);
  assert.deepEqual(seen, ["open 1", `message a 7 ${new URL(s.url).origin}`, "tick b 7"]);
  source.close();
  assert.equal(source.readyState, Source.CLOSED);
});

test("it comes back after a clean end and after a cut, and says where it was", { timeout: 20_000 }, async (t) => {
  const s = await script(t,
    stream(soon + "id: 1\ndata: a\n\n", { end: true }),
    cut("id: 2\ndata: b\n\nid: 3\ndata: half"),
    cut(), status(500), status(503, { "Retry-After": "0" }), status(429), status(408),
    stream("data: c\n\n"));
  const got = open(t, s.url);
  await until(() => got.seen.length === 3);
  assert.deepEqual(got.seen, ["a", "b", "c"]);
  assert.deepEqual(s.asked.map((a) => a.headers["last-event-id"]), [undefined, "1", "2", "2", "2", "2", "2", "2"]);
  assert.equal(got.opened, 3);
});

for (const [name, step, check] of [
  ["204", status(204), (e) => e instanceof Refusal && e.status === 204],
  ["403 with a problem document", status(403, { "Content-Type": "application/problem+json" }, '{"detail":"ask first"}'), (e) => e.detail === "ask first"],
  ["401, where nothing gives another token", status(401), (e) => e.status === 401],
  ["another type", status(200, { "Content-Type": "text/html" }), (e) => /text\/html/.test(e.message)],
  ["a type that only begins alike", status(200, { "Content-Type": "text/event-streams" }), (e) => /event-streams/.test(e.message)],
  ["an event that is too large", stream("data: " + "x".repeat(200)), (e) => e instanceof TooLargeError],
]) {
  test(`it ends for good with ${name}`, { timeout: 20_000 }, async (t) => {
    const s = await script(t, step);
    const got = open(t, s.url, { maxEventSize: 100 });
    await until(() => got.source.readyState === Source.CLOSED);
    assert.equal(got.errors.length, 1);
    assert.ok(check(got.errors[0]), String(got.errors[0]));
    assert.equal(s.asked.length, 1);
  });
}

test("headers are made anew for each attempt, and a 401 is tried once with new ones", { timeout: 20_000 }, async (t) => {
  const s = await script(t, stream(soon, { end: true }), status(401), stream("data: a\n\n", { end: true }), status(401), status(401));
  let n = 0;
  const got = open(t, s.url, { headers: async () => ({ Authorization: `Bearer ${++n}` }) });
  await until(() => got.source.readyState === Source.CLOSED);
  assert.deepEqual(s.asked.map((a) => a.headers.authorization), ["Bearer 1", "Bearer 2", "Bearer 3", "Bearer 4", "Bearer 5"]);
  assert.deepEqual(got.seen, ["a"]);
});

test("a connection that is silent, and one that never answers, are given up", { timeout: 20_000 }, async (t) => {
  const s = await script(t, () => {}, stream(soon + "data: a\n\n"), stream("data: b\n\n"));
  const got = open(t, s.url, { idleTimeout: 200 });
  await until(() => got.seen.length === 2);
  assert.match(String(got.errors[0]), /silent/);
});

test("keepalives keep it open", { timeout: 20_000 }, async (t) => {
  const s = await script(t, (res) => {
    stream("data: a\n\n")(res);
    let n = 0;
    const timer = setInterval(() => {
      res.write(++n < 20 ? ":\n\n" : "data: b\n\n");
    }, 30);
    res.on("close", () => clearInterval(timer));
  });
  const got = open(t, s.url, { idleTimeout: 400 });
  await until(() => got.seen.includes("b"));
  assert.equal(s.asked.length, 1);
});

test("hostile retry values make it neither spin nor wait for ever", { timeout: 20_000 }, async (t) => {
  const s = await script(t, stream("retry: 0\ndata: a\n\n", { end: true }), stream("retry: 99999999999999999999\ndata: b\n\n"));
  const got = open(t, s.url);
  await until(() => got.seen.length === 2);
  assert.deepEqual(got.seen, ["a", "b"]);
});

test("nothing is told after close, which a handler may call", { timeout: 20_000 }, async (t) => {
  const s = await script(t, stream("data: a\n\ndata: b\n\n"));
  const got = open(t, s.url);
  got.source.onmessage = (e) => {
    got.seen.push(e.data);
    got.source.close();
  };
  await until(() => got.seen.length > 0);
  await new Promise((done) => setTimeout(done, 50));
  assert.deepEqual([got.seen, got.errors, s.asked.length], [["a"], [], 1]);
});

test("an id goes back as the bytes it came in", { timeout: 20_000 }, async (t) => {
  const s = await script(t, stream(soon + "id: …\ndata: a\n\n", { end: true }), stream(""));
  open(t, s.url);
  await until(() => s.asked.length === 2);
  assert.equal(Buffer.from(s.asked[1].headers["last-event-id"], "latin1").toString(), "…");
});
