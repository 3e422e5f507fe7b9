// The clients that others wrote, each used as its README says, the same in Node.js and in a page. Each is
// given the URL of a stream, the types to listen to, and tell, for every event.

const listen = (source, types, tell) => {
  for (const type of types) source.addEventListener(type, e => tell({ type, data: e.data, id: e.lastEventId }));
};

export const clients = {
  async "native EventSource"(...to) {
    listen(new EventSource(to[0]), ...to.slice(1));
  },

  async eventsource(url, ...to) {
    const { EventSource } = await import("eventsource");
    listen(new EventSource(url), ...to);
  },

  async eventsource5(url, ...to) {
    const { EventSource } = await import("eventsource5");
    listen(new EventSource(url), ...to);
  },

  // A parser alone: connecting again and remembering the cursor is its user's work.
  async "eventsource-parser"(url, types, tell) {
    const { createParser } = await import("eventsource-parser");
    let cursor, pause = 1000;
    const read = async () => {
      const parser = createParser({
        onEvent(e) {
          cursor = e.id ?? cursor;
          tell({ type: e.event ?? "message", data: e.data, id: e.id });
        },
        onRetry: ms => (pause = ms),
      });
      const answer = await fetch(url, { headers: { Accept: "text/event-stream", ...(cursor && { "Last-Event-ID": cursor }) } });
      const texts = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part; !(part = await texts.read()).done;) parser.feed(part.value);
    };
    const again = () => setTimeout(() => read().then(again, again), pause);
    read().then(again, again);
  },

  async "eventsource-client"(url, types, tell) {
    const { createEventSource } = await import("eventsource-client");
    createEventSource({ url, onMessage: e => tell({ type: e.event ?? "message", data: e.data, id: e.id }) });
  },

  async undici(url, ...to) {
    const { EventSource } = await import("undici");
    listen(new EventSource(url), ...to);
  },

  // An error that nobody listens to ends the process. In Node.js 20, whose agent has a timeout of its own, five
  // seconds of silence are an error.
  async "launchdarkly-eventsource"(url, ...to) {
    const { EventSource } = (await import("launchdarkly-eventsource")).default;
    const source = new EventSource(url);
    source.onerror = () => {};
    listen(source, ...to);
  },

  // It takes the end of a stream for the end of all, unless told otherwise.
  async "@microsoft/fetch-event-source"(url, types, tell) {
    const { fetchEventSource } = await import("@microsoft/fetch-event-source");
    fetchEventSource(url, {
      onmessage: e => tell({ type: e.event || "message", data: e.data, id: e.id }),
      onclose() { throw new Error("come back"); },
    });
  },

  // It wraps the EventSource that there is.
  async "reconnecting-eventsource"(url, ...to) {
    const { default: ReconnectingEventSource } = await import("reconnecting-eventsource");
    const eventSourceClass = globalThis.EventSource ?? (await import("eventsource")).EventSource;
    listen(new ReconnectingEventSource(url, { eventSourceClass }), ...to);
  },

  async "extended-eventsource"(url, ...to) {
    const { EventSource } = await import("extended-eventsource");
    listen(new EventSource(url), ...to);
  },

  async "event-source-plus"(url, types, tell) {
    const { EventSourcePlus } = await import("event-source-plus");
    new EventSourcePlus(url).listen({ onMessage: e => tell({ type: e.event || "message", data: e.data, id: e.id }) });
  },

  // A script for all kinds of loaders: where there is none, it leaves a global.
  async "event-source-polyfill"(url, ...to) {
    const loaded = await import("event-source-polyfill");
    const EventSourcePolyfill = loaded.default?.EventSourcePolyfill ?? globalThis.EventSourcePolyfill;
    listen(new EventSourcePolyfill(url), ...to);
  },

  async "sse.js"(url, ...to) {
    const { SSE } = await import("sse.js");
    listen(new SSE(url, { autoReconnect: true }), ...to);
  },

  async "htmx-ext-sse"(url, types, tell) {
    const { default: htmx } = await import("htmx.org");
    await import("htmx-ext-sse");
    const box = document.createElement("div");
    box.setAttribute("hx-ext", "sse");
    box.setAttribute("sse-connect", url);
    for (const type of types) {
      const part = document.createElement("div");
      part.setAttribute("sse-swap", type);
      part.addEventListener("htmx:sseMessage", ({ detail: e }) => tell({ type, data: part.textContent, id: e.lastEventId }));
      box.append(part);
    }
    box.addEventListener("htmx:sseError", () => tell({ type: "error" }));
    document.body.append(box);
    htmx.process(box);
  },

  async "stentor-client"(url, ...to) {
    const { Source } = await import("../../js/dist/stentor.js");
    listen(new Source(url), ...to);
  },
};
