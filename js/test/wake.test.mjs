// A page that wakes, without a page: what the client listens to is an event target, where events of the document come by too.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { Source } from "../dist/stentor.js";
import { script, status, stream, until } from "./support.mjs";

before(() => {
  globalThis.window = new EventTarget();
  globalThis.document = Object.assign(new EventTarget(), { hidden: false, baseURI: "http://127.0.0.1/" });
});
after(() => {
  delete globalThis.window;
  delete globalThis.document;
});

const late = "retry: 3600000\n"; // nobody waits for that

/** A source that has read the first answer. */
async function open(t, ...steps) {
  const s = await script(t, ...steps);
  const source = new Source(s.url);
  t.after(() => source.close());
  const seen = [];
  const ends = []; // after each it waits
  source.onmessage = (e) => seen.push(e.data);
  source.onerror = (e) => ends.push(e.error);
  await until(() => seen.length === 1);
  return { s, source, seen, ends };
}

for (const [name, wake] of [
  ["is looked at again", () => window.dispatchEvent(new Event("visibilitychange"))],
  ["thaws", () => window.dispatchEvent(new Event("resume"))],
  ["is shown again", () => window.dispatchEvent(new Event("pageshow"))],
  ["is online again", () => window.dispatchEvent(new Event("online"))],
]) {
  test(`a page that ${name} doesn't wait`, { timeout: 20_000 }, async (t) => {
    const { s, seen, ends } = await open(t, stream(late + "id: 1\ndata: a\n\n", { end: true }), status(500), stream("data: b\n\n"));
    await until(() => ends.length === 1);
    document.hidden = true; // to be put away is no reason to come back
    window.dispatchEvent(new Event("visibilitychange"));
    document.hidden = false;
    await new Promise((done) => setTimeout(done, 20));
    assert.equal(s.asked.length, 1);
    wake();
    await until(() => ends.length === 2); // it failed
    wake();
    await until(() => seen.length === 2);
    assert.equal(s.asked[2].headers["last-event-id"], "1");
  });
}

test("an open stream is kept when the page is looked at, and not trusted on another network", { timeout: 20_000 }, async (t) => {
  const { s, seen } = await open(t, stream("id: 1\ndata: a\n\n"), stream("data: b\n\n"));
  window.dispatchEvent(new Event("visibilitychange"));
  window.dispatchEvent(new Event("pageshow"));
  await new Promise((done) => setTimeout(done, 20));
  assert.equal(s.asked.length, 1);
  window.dispatchEvent(new Event("online"));
  await until(() => seen.length === 2);
  assert.equal(s.asked[1].headers["last-event-id"], "1");
});

test("a page that is put away gives its connection back, and has it again when it is shown", { timeout: 20_000 }, async (t) => {
  const { s, seen, ends } = await open(t, stream(late + "id: 1\ndata: a\n\n"), stream("data: b\n\n"));
  const page = (type, persisted) => window.dispatchEvent(Object.assign(new Event(type), { persisted }));
  page("pagehide", false); // it ends with the page
  await new Promise((done) => setTimeout(done, 20));
  assert.equal(ends.length, 0);
  page("pagehide", true);
  await until(() => ends.length === 1);
  assert.equal(s.asked.length, 1);
  page("pageshow", true);
  await until(() => seen.length === 2);
  assert.equal(s.asked[1].headers["last-event-id"], "1");
});

test("close listens to nothing any more", { timeout: 20_000 }, async (t) => {
  const { s, source } = await open(t, stream("data: a\n\n"));
  source.close();
  window.dispatchEvent(new Event("online"));
  await new Promise((done) => setTimeout(done, 20));
  assert.equal(s.asked.length, 1);
});
