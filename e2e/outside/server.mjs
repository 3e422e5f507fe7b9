// A server made with better-sse, and a history of its own. It prints its address, and ends when its standard
// input does.
import { createServer } from "node:http";
import { createSession } from "better-sse";

const history = []; // of { data, type, id }
const open = new Map(); // of session to response

async function stream(request, response) {
  const session = await createSession(request, response, { retry: 50, keepAlive: null });
  open.set(session, response);
  session.on("disconnected", () => open.delete(session));
  const cursor = Number(session.lastId || history.length);
  session.push("welcome", "welcome", String(cursor));
  for (const e of history.slice(cursor)) session.push(e.data, e.type, e.id);
}

async function publish(request, response) {
  let body = "";
  for await (const part of request) body += part;
  const { data, type, end } = JSON.parse(body);
  if (end) { // of all streams
    for (const stream of open.values()) stream.end();
  } else {
    const e = { data, type: type || "message", id: String(history.length + 1) };
    history.push(e);
    for (const session of open.keys()) session.push(e.data, e.type, e.id);
  }
  response.end();
}

const server = createServer((request, response) => {
  switch (new URL(request.url, "http://localhost").pathname) {
    case "/events": return stream(request, response);
    case "/publish": return publish(request, response);
  }
  response.writeHead(404).end();
});

server.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${server.address().port}`));
process.stdin.on("end", () => process.exit()).resume();
