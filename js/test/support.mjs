import http from "node:http";

/**
 * Serves a script: the n-th stream request is answered by the n-th step, and the last step goes on answering. A
 * step is called with the answer and the request.
 */
export async function script(t, ...steps) {
  const asked = [];
  const server = http.createServer((req, res) => {
    const step = steps[Math.min(asked.length, steps.length - 1)];
    asked.push({ url: req.url, headers: req.headers });
    step(res, req);
  });
  const url = await listen(t, server);
  return { url: url + "/events", asked };
}

export async function listen(t, server) {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** A step that writes pieces, and then ends or stays open. */
export function stream(text, { end = false, header = {} } = {}) {
  return (res) => {
    res.writeHead(200, { "Content-Type": "text/event-stream", ...header });
    res.flushHeaders();
    if (text) res.write(text);
    if (end) res.end();
  };
}

export function status(code, header = {}, body = "") {
  return (res) => res.writeHead(code, header).end(body);
}

/** Cuts the connection, after some bytes perhaps. */
export function cut(text = "") {
  return (res) => {
    if (!text) return res.socket.destroy();
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    res.write(text, () => setImmediate(() => res.socket.destroy()));
  };
}

/** Waits for something to be so. Whatever never happens fails with the test's own timeout. */
export async function until(what) {
  while (!what()) await new Promise((done) => setTimeout(done, 5));
}
