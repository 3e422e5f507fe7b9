// The stream of the ServiceStack face: frames, heartbeats, reconnecting.

// parseFrame takes the data of a frame apart: [channel@]op.target[$css] json. The
// split is at the first @, the first dot and the first $. What is no frame is null.
export function parseFrame(data) {
  const space = data.indexOf(" ");
  const token = space < 0 ? data : data.slice(0, space);
  const json = space < 0 ? "" : data.slice(space + 1);
  const at = token.indexOf("@");
  const selector = token.slice(at + 1);
  const dot = selector.indexOf(".");
  if (dot < 1 || dot === selector.length - 1) return null;
  const rest = selector.slice(dot + 1).replaceAll("%20", " ");
  const dollar = rest.indexOf("$");
  let body = null;
  if (json !== "") {
    try {
      body = JSON.parse(json);
    } catch {
      return null;
    }
  }
  return {
    channel: at < 0 ? null : token.slice(0, at),
    selector,
    op: selector.slice(0, dot),
    target: dollar < 0 ? rest : rest.slice(0, dollar),
    css: dollar < 0 ? null : rest.slice(dollar + 1),
    body,
  };
}

// backOff is how long to wait before an attempt, in ms: 0.5 s doubled each time up to
// 30 s, of which a random half, so that the clients of one server don't return together.
export function backOff(attempt, random = Math.random) {
  const most = Math.min(500 * 2 ** attempt, 30_000);
  return Math.round(most / 2 + (most / 2) * random());
}

// Stream keeps one subscription open. The handlers are
//   state(name, ms)    connecting, open, waiting (for ms), closed
//   connect(info, {first, missed})  missed: channels that were not resumed
//   frame(frame)       all but onConnect, onHeartbeat and onEnd
//   ended(reason)      the server ended it for good
// Every frame with a position is handed over once: the browser resumes by
// Last-Event-ID, and a stream that is opened anew says where it was.
export class Stream {
  info = null;
  #handlers;
  #wanted;
  #source = null;
  #opened = ""; // the channels in the address of the source
  #cursor = "";
  #attempt = 0;
  #connects = 0;
  #retry;
  #clock;
  #interval = 10_000;
  #seen = 0;
  #beating = false;
  #failures = 0;
  #stopped = false; // until open is called

  constructor(channels, handlers) {
    this.#wanted = [...channels];
    this.#handlers = handlers;
    this.#clock = newClock(() => this.#tick());
    addEventListener("pagehide", () => this.#leavePage());
    addEventListener("pageshow", (event) => event.persisted && !this.#stopped && this.open());
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
  }

  get channels() {
    return [...this.#wanted];
  }

  get stopped() {
    return this.#stopped;
  }

  open() {
    this.#stopped = false;
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#opened = this.#wanted.join(",");
    let url = `/event-stream?channels=${this.#wanted.map(encodeURIComponent).join(",")}`;
    if (this.#cursor !== "") url += `&lastEventId=${encodeURIComponent(this.#cursor)}`;
    this.#handlers.state("connecting");
    const source = new EventSource(url);
    source.onmessage = (event) => source === this.#source && this.#receive(event);
    source.onerror = () => source === this.#source && this.#broken();
    this.#source = source;
  }

  // renew opens a new stream in place of one whose subscription is gone.
  renew() {
    if (!this.#stopped) this.#reopen(this.#attempt === 0 ? Math.random() * 500 : backOff(this.#attempt));
  }

  // stop ends the subscription, until it is opened again.
  stop() {
    this.#stopped = true;
    this.#leavePage();
  }

  // join and leave change the live subscription. They hold for every later one, and
  // resolve when they hold for this one.
  async join(channels) {
    this.#wanted = [...new Set([...this.#wanted, ...channels])];
    await this.#update({ SubscribeChannels: channels.join(",") });
  }

  async leave(channels) {
    this.#wanted = this.#wanted.filter((ch) => !channels.includes(ch));
    await this.#update({ UnsubscribeChannels: channels.join(",") });
  }

  // drop takes back a join that was refused.
  drop(channel) {
    this.#wanted = this.#wanted.filter((ch) => ch !== channel);
  }

  async #update(fields) {
    if (!this.info) return; // the next connection asks for what is wanted
    const response = await fetch(here(this.info.updateSubscriberUrl), {
      method: "POST",
      body: new URLSearchParams(fields),
    });
    if (response.status === 404) this.renew();
    else if (!response.ok) throw new Error(await problemText(response));
  }

  #receive(event) {
    this.#seen = Date.now();
    const frame = parseFrame(event.data);
    if (!frame) return;
    const selector = frame.selector;
    const placed = event.lastEventId !== "" && event.lastEventId !== this.#cursor;
    // Only these two may set the cursor back, to where a new log is.
    if (selector !== "cmd.onConnect" && selector !== "cmd.onGap") {
      if (placed && Number(event.lastEventId) < Number(this.#cursor)) return;
    }
    if (placed) this.#cursor = event.lastEventId;
    if (selector === "cmd.onConnect") this.#connected(frame.body);
    else if (selector === "cmd.onEnd") this.#over(frame.body?.reason);
    else if (selector !== "cmd.onHeartbeat") this.#handlers.frame(frame);
  }

  #connected(info) {
    this.info = info;
    this.#attempt = this.#failures = 0;
    this.#interval = Math.max(Number(info.heartbeatIntervalMs) || 10_000, 1000);
    this.#clock(info.heartbeatUrl ? this.#interval : 0);
    this.#handlers.state("open");
    const on = new Set(info.channels.split(","));
    const missed = this.#wanted.filter((ch) => !on.has(ch));
    const surplus = [...on].filter((ch) => ch !== "" && !this.#wanted.includes(ch));
    // Failing here is failing to reach the server: the heartbeat notices.
    if (missed.length > 0) this.join(missed).catch(() => {});
    if (surplus.length > 0) this.leave(surplus).catch(() => {});
    this.#handlers.connect(info, { first: this.#connects++ === 0, missed });
  }

  // over: whoever comes back after this one would be turned away, or turn another one away.
  #over(reason) {
    this.info = null; // which is gone
    this.stop();
    this.#handlers.ended(reason);
  }

  // broken: the browser reconnects by itself and presents its last id, unless it gave
  // up, or the address names other channels than those wanted now.
  #broken() {
    this.#clock(0);
    if (this.#source.readyState === EventSource.CLOSED) this.#reopen(backOff(this.#attempt));
    else if (this.#opened !== this.#wanted.join(",")) this.#reopen(Math.random() * 500);
    else this.#handlers.state("connecting");
  }

  #reopen(delay) {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    this.#clock(0);
    this.#attempt++;
    this.#handlers.state("waiting", delay);
    this.#retry = setTimeout(() => this.open(), delay);
  }

  // tick: a heartbeat, unless the stream has been silent for so long that it is dead:
  // each heartbeat is answered on it.
  #tick() {
    if (Date.now() - this.#seen > 3.5 * this.#interval) this.renew();
    else this.#beat();
  }

  async #beat() {
    if (this.#beating || !this.info?.heartbeatUrl) return;
    this.#beating = true;
    const beaten = this.info;
    try {
      const response = await fetch(here(beaten.heartbeatUrl), {
        method: "POST",
        signal: AbortSignal.timeout(this.#interval),
      });
      this.#failures = 0;
      if (!response.ok && beaten === this.info) this.renew();
    } catch {
      if (++this.#failures >= 2 && beaten === this.info) this.renew();
    } finally {
      this.#beating = false;
    }
  }

  // wake: the network or the page is back. Whoever waits need not; whoever is connected
  // makes sure.
  #wake() {
    if (this.#stopped) return;
    if (!this.#source || this.#source.readyState === EventSource.CLOSED) this.open();
    else if (this.#source.readyState === EventSource.OPEN) this.#tick();
  }

  #leavePage() {
    clearTimeout(this.#retry);
    this.#clock(0);
    this.#source?.close();
    this.#source = null;
    this.#handlers.state("closed");
    if (this.info?.unRegisterUrl) navigator.sendBeacon(here(this.info.unRegisterUrl));
    this.info = null;
  }
}

// newClock gives a function that sets how often tick is called, in ms; 0 stops it.
function newClock(tick) {
  let timer;
  const plain = (ms) => {
    clearInterval(timer);
    if (ms > 0) timer = setInterval(tick, ms);
  };
  try {
    let url = new URL("clock.js", import.meta.url).href;
    const policy = globalThis.trustedTypes?.createPolicy("stentor-clock", { createScriptURL: () => url });
    if (policy) url = policy.createScriptURL("");
    const worker = new Worker(url);
    let every = 0;
    let run = (ms) => worker.postMessage(ms);
    worker.onmessage = () => every > 0 && tick();
    worker.onerror = () => {
      run = plain;
      run(every);
    };
    return (ms) => run((every = ms));
  } catch {
    return plain;
  }
}

// here is a URL of the server as this page may reach it: the server may know itself
// under another name.
function here(url) {
  const u = new URL(url, location.href);
  return u.origin === location.origin ? u.href : u.pathname + u.search;
}

// problemText is what a refusal says to a person.
export async function problemText(response) {
  try {
    const body = await response.json();
    return body.responseStatus?.message ?? body.detail ?? response.statusText;
  } catch {
    return `The server answered ${response.status}.`;
  }
}
