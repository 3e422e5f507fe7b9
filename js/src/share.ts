import type { StreamEvent } from "./parser.js";
import { CLOSED, CONNECTING, type ReadyState, type Stream, type StreamOptions } from "./stream.js";

/** One tab, as its share sees it. */
export interface Tab {
  /** Makes a stream that goes on after cursor(), and isn't started. */
  open(hooks: Pick<StreamOptions, "take" | "change" | "heard">): Stream;
  cursor(): string;
  /** Takes an event, or drops it because the tab has seen it: false. */
  take(e: StreamEvent): boolean;
  /** Takes the place of the others over, if this tab has none yet. */
  adopt(cursor: string): void;
  change(state: ReadyState, error?: unknown): void;
}

/** What tabs say to one another. Those with `from` are the leader's. */
type Words =
  | { say: "hello"; tab: string; cursor: string } // I am here, and have everything up to cursor
  | { say: "restart" }
  | { say: "lead"; from: string } // I am the leader now, or begin anew at an earlier place: say hello
  | { say: "welcome"; from: string; tab: string; cursor: string; state: ReadyState; events: StreamEvent[] }
  | { say: "event"; from: string; event: StreamEvent }
  | { say: "state"; from: string; state: ReadyState; error?: string }
  | { say: "alive"; from: string };

const alive = 15_000; // ms between signs of life of a leader, at most
const lost = 60_000; // ms without one, after which another tab takes over
const unanswered = 5_000; // ms that a hello may wait, and up to twice that
const mostEvents = 512; // that a tab keeps, to lead with
const mostText = 256 << 10; // characters of them

/**
 * One connection for all tabs with one name. The tab that holds the lock of that name is the leader: it has the
 * stream, and tells the others. A tab says where it is when it comes, and when there is another leader; the leader
 * then gives it what it has kept, or begins anew at that place. All keep what came last, for each may lead next. Each tab drops what it has seen, so nothing is lost and
 * nothing comes twice, whoever leads.
 */
export class Share {
  #name: string;
  #tab: Tab;
  #me = Math.random().toString(36).slice(2) + Date.now().toString(36);
  #channel: BroadcastChannel | undefined; // while this tab takes part
  #asking: AbortController | undefined; // the request for the lock
  #release: (() => void) | undefined; // gives the lock back
  #ticking: ReturnType<typeof setInterval> | undefined;
  #over = false;

  #entered = false; // the leader has said welcome
  #deadline = 0; // when the leader is taken for lost
  #ticked = 0;

  #stream: Stream | undefined; // of a leader
  #floor = ""; // everything after it is in kept
  #kept: StreamEvent[] = [];
  #text = 0;
  #said = 0;

  constructor(name: string, tab: Tab) {
    this.#name = name;
    this.#tab = tab;
  }

  start(): void {
    window.addEventListener("pagehide", this.#leave);
    document.addEventListener("freeze", this.#leave);
    window.addEventListener("pageshow", this.#enter);
    document.addEventListener("resume", this.#enter);
    document.addEventListener("visibilitychange", this.#look);
    this.#enter();
  }

  stop(): void {
    this.#over = true;
    window.removeEventListener("pagehide", this.#leave);
    document.removeEventListener("freeze", this.#leave);
    window.removeEventListener("pageshow", this.#enter);
    document.removeEventListener("resume", this.#enter);
    document.removeEventListener("visibilitychange", this.#look);
    this.#leave();
  }

  restart(): void {
    if (this.#stream) this.#stream.restart();
    else this.#post({ say: "restart" });
  }

  /** Takes part: as a leader when the lock is free, else as one of the others. */
  #enter = (): void => {
    if (this.#over || this.#channel) return;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = (e: MessageEvent<Words>) => this.#hear(e.data);
    this.#ticking = setInterval(this.#tick, 1_000);
    this.#tab.change(CONNECTING);
    this.#queue(false);
    this.#hello();
  };

  /** Takes no part any more. A page that is frozen or put away can't lead. */
  #leave = (): void => {
    this.#asking?.abort();
    this.#asking = undefined;
    this.#resign();
    clearInterval(this.#ticking);
    this.#channel?.close();
    this.#channel = undefined;
  };

  /** Waits for the lock, or takes it from one that doesn't answer. */
  #queue(steal: boolean): void {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    navigator.locks.request(this.#name, steal ? { steal } : { signal: asking.signal }, () => {
      if (this.#asking !== asking) return;
      return new Promise<void>((release) => {
        this.#release = release;
        this.#lead();
      });
    }).catch(() => {
      if (this.#asking !== asking || this.#over) return; // given up by this tab
      this.#resign(); // stolen
      this.#queue(false);
      this.#hello();
    });
  }

  #lead(): void {
    this.#entered = true;
    this.#begin();
    this.#stream = this.#tab.open({
      take: (e) => this.#spread(e),
      change: (state, error) => this.#changed(state, error),
      heard: () => this.#alive(),
    });
    this.#post({ say: "lead", from: this.#me });
    this.#stream.start();
  }

  #resign(): void {
    this.#stream?.stop();
    this.#stream = undefined;
    this.#entered = false;
    this.#release?.();
    this.#release = undefined;
  }

  /** Gives an event to all tabs, and keeps it for those that come late. */
  #spread(e: StreamEvent): void {
    this.#keep(e);
    this.#post({ say: "event", from: this.#me, event: e });
    this.#tab.take(e);
  }

  #keep(e: StreamEvent): void {
    if (e.type === "stentor.open") {
      this.#floor ||= e.id;
    } else if (e.id) {
      if (this.#kept.length && +e.id < +this.#kept.at(-1)!.id) this.#forget(e.id); // the server didn't know our place
      this.#kept.push(e);
      this.#text += e.data.length;
      while (this.#kept.length > mostEvents || this.#text > mostText) {
        const gone = this.#kept.shift()!;
        this.#text -= gone.data.length;
        this.#floor = gone.id;
      }
    }
  }

  #forget(floor: string): void {
    this.#floor = floor;
    this.#kept = [];
    this.#text = 0;
  }

  /** Keeps from here on, if nothing is kept yet. */
  #begin(): void {
    if (!this.#kept.length) this.#floor = this.#tab.cursor();
  }

  #changed(state: ReadyState, error?: unknown): void {
    this.#post({ say: "state", from: this.#me, state, ...(error !== undefined && { error: String(error) }) });
    if (state === CLOSED) this.stop();
    this.#tab.change(state, error);
  }

  #hear(w: Words): void {
    if ("from" in w) return this.#follow(w);
    const stream = this.#stream;
    if (!stream) return;
    if (w.say === "restart") return stream.restart();
    if (w.cursor && (!this.#floor || +w.cursor < +this.#floor)) { // it misses what isn't kept
      this.#forget(w.cursor);
      stream.cursor = w.cursor;
      stream.restart();
    }
    this.#post({
      say: "welcome", from: this.#me, tab: w.tab, cursor: stream.cursor, state: stream.state,
      events: w.cursor ? this.#kept.filter((e) => +e.id > +w.cursor) : [],
    });
  }

  /** Hears what a leader says. */
  #follow(w: Extract<Words, { from: string }>): void {
    if (this.#stream) return; // one that doesn't know yet that its lock was taken
    this.#deadline = Date.now() + lost;
    if (w.say === "lead") {
      this.#entered = false;
      this.#hello();
    } else if (w.say === "welcome" && w.tab === this.#me) {
      this.#entered = true;
      this.#tab.adopt(w.cursor);
      this.#begin();
      w.events.forEach((e) => this.#take(e));
      this.#tab.change(w.state);
    } else if (w.say === "event" && this.#entered) {
      this.#take(w.event);
    } else if (w.say === "state" && this.#entered) {
      if (w.state === CLOSED) this.stop();
      this.#tab.change(w.state, w.error === undefined ? undefined : new Error(w.error));
    }
  }

  #take(e: StreamEvent): void {
    if (this.#tab.take(e)) this.#keep(e);
  }

  #hello(): void {
    this.#deadline = Date.now() + unanswered * (1 + Math.random());
    this.#ticked = Date.now();
    this.#post({ say: "hello", tab: this.#me, cursor: this.#tab.cursor() });
  }

  /** A tab that is looked at again makes sure of its leader. */
  #look = (): void => {
    if (document.visibilityState === "visible" && !this.#stream && this.#channel) this.#hello();
  };

  #tick = (): void => {
    const now = Date.now();
    const slept = now - this.#ticked > alive;
    this.#ticked = now;
    if (this.#stream) {
      this.#alive();
    } else if (slept) {
      this.#hello(); // what the leader said meanwhile is still to be heard
    } else if (now > this.#deadline) {
      this.#deadline = now + lost;
      this.#queue(true);
    }
  };

  #alive(): void {
    if (Date.now() - this.#said > alive) this.#post({ say: "alive", from: this.#me });
  }

  #post(w: Words): void {
    this.#said = Date.now();
    this.#channel?.postMessage(w);
  }
}
