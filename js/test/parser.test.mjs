import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Parser, TooLargeError } from "../dist/stentor.js";

/** Reads pieces of bytes as a stream is read. */
export function read(pieces, limit = 1 << 24) {
  const got = { events: [], comments: [], lastEventId: "", retry: -1 };
  const text = new TextDecoder();
  const parser = new Parser({
    event: (e) => got.events.push(e),
    retry: (ms) => (got.retry = ms),
    comment: (c) => got.comments.push(c),
  }, limit);
  for (const piece of pieces) parser.push(text.decode(piece, { stream: true }));
  got.lastEventId = parser.lastEventId;
  return got;
}

// The cases of the web-platform-tests and LaunchDarkly's contract tests; the Go decoder passes the same file.
for (const c of JSON.parse(readFileSync(new URL("../testdata/streams.json", import.meta.url)))) {
  test(c.name, () => {
    const input = Buffer.from(c.input, "base64");
    const want = { events: c.events.map((e) => ({ channel: "", ...e })), comments: c.comments, lastEventId: c.lastEventId, retry: c.retry };
    // Comments are told when their line ends, and so are whole lines of the rest: no cut changes anything.
    assert.deepEqual(read([input]), want, "whole");
    assert.deepEqual(read([...input].map((b) => Buffer.of(b))), want, "byte by byte");
    for (let i = 0; i < Math.min(input.length, 300); i++) {
      assert.deepEqual(read([input.subarray(0, i), input.subarray(i)]), want, `cut at ${i}`);
    }
  });
}

test("an event is told with the byte that ends it", () => {
  for (const end of ["\r\r", "\n\n", "\n\r", "\r\n\r"]) {
    assert.equal(read([Buffer.from("data: x" + end)]).events.length, 1, JSON.stringify(end));
  }
});

test("an event that is larger than the limit is refused, however it is made", () => {
  for (const input of ["data: " + "x".repeat(200), "data\n".repeat(200), "id:" + "x".repeat(101) + "\n", "x".repeat(101)]) {
    assert.throws(() => read([Buffer.from(input)], 100), TooLargeError, input.slice(0, 20));
    assert.throws(() => read([...Buffer.from(input)].map((b) => Buffer.of(b)), 100), TooLargeError, input.slice(0, 20));
  }
});

test("what isn't kept doesn't count towards the limit", () => {
  const line = ":" + "x".repeat(50) + "\nid: 7\nevent: y\nretry: 1\nother: z\n";
  assert.equal(read([Buffer.from(line.repeat(100) + "data: a\n\n")], 100).events.length, 1);
});
