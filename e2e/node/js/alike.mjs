// Reads streams from standard input, a line of base64 each, and writes what the client's parser makes of them.
import { createInterface } from "node:readline";
import { Parser } from "../../../js/dist/stentor.js";

for await (const line of createInterface({ input: process.stdin })) {
  const got = { events: [], comments: [], lastEventId: "", retry: -1 };
  const parser = new Parser({
    event: (e) => got.events.push(e),
    comment: (text) => got.comments.push(text),
    retry: (ms) => (got.retry = ms),
  }, 1 << 20);
  const bytes = Buffer.from(line, "base64"), text = new TextDecoder();
  for (let from = 0, size = 1; from < bytes.length; from += size, size = (size % 3) + 1) { // cut somewhere
    parser.push(text.decode(bytes.subarray(from, from + size), { stream: true }));
  }
  got.lastEventId = parser.lastEventId;
  process.stdout.write(JSON.stringify(got) + "\n");
}
