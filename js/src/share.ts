import { without, type Connection } from "./connection.js";
import type { StreamEvent } from "./parser.js";
import { CLOSED, CONNECTING, listen, OPEN, Refusal, type ReadyState } from "./stream.js";

/** One tab, as its share sees it. */
export interface Tab {
  /** The channels that it is on. */
  want: string[];
  /** It has everything up to here; empty: it begins with what is new. */
  cursor: string;
  /** Takes an event, or drops it because the tab has seen it or doesn't want it. */
  take(e: StreamEvent): void;
  change(state: ReadyState, error?: unknown): void;
}

/** What a tab asks of the leader: to be on these channels. Only the last hello of a tab counts. */
interface Hello {
  tab: string;
  n: string; // which one it is; empty: the tab is gone
  channels: string[];
  cursor?: string; // its place; left out by one that has been listening
}

/** What a leader says; nothing: that it is there. */
interface Word {
  from: string; // a leader's reign
  n?: string; // it is for the tab that has said this hello: it is welcome, unless there is an error
  events?: StreamEvent[];
  state?: ReadyState;
  error?: Told | undefined;
}

type Words = Hello | Word | object; // {}: begin anew

type Told = [status: number | undefined, text: string]; // an error

const alive = 15_000; // ms between signs of life of a leader, at most
const lost = 60; // seconds without one, after which another tab takes over
const patient = 50; // of these, when a tab says hello: it waits for 5 to 10 seconds
const gone = 10_000; // ms after which the channels of a tab that is gone are left: it may be loaded again
const together = 100; // ms in which all come over to a new leader

/**
 * One connection for all tabs with one name. The tab that holds the lock of that name is the leader: it has the connection, on what all
 * tabs want together, and says what comes, to itself as to the others.
 *
 * A tab says hello, with its channels and its place, when it comes, when its channels change and when somebody else leads. The leader sees to it that
 * the connection has those channels, begins anew at that place where it can't give what was since then, and says welcome. Each tab drops
 * what it has seen and what it doesn't want; so nothing is lost and nothing comes twice, whoever leads. Each tab holds a lock of its own, by
 * which the leader sees that it is gone.
 */
export class Share {
  #name: string;
  #c: Connection;
  #tab: Tab;
  #life = new AbortController();
  #here = new AbortController(); // while it takes part: it holds its own lock, and waits for that of the leader
  #channel: BroadcastChannel | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;

  #me = ""; // another one each time that it takes part
  #reign = ""; // of the leader that it follows, or is
  #entered = false; // it was welcomed there
  #asked = ""; // the hello that is to be answered
  #changing: { after: string[]; done: () => void; failed: (error: unknown) => void } | undefined;
  #quiet = 0; // seconds since the leader was heard

  #leads = false; // the rest is for one that does
  #careful = false; // the server has refused what all want together: it is asked for each tab
  #tabs = new Map<string, string[]>(); // what each wants
  #asks = new Map<string, Hello>(); // those that aren't answered yet
  #busy = false;
  #opened: StreamEvent | undefined;
  #place = ""; // everything after it is still to come; empty while nobody knows
  #said = 0;

  constructor(name: string, c: Connection, tab: Tab) {
    this.#name = name;
    this.#c = c;
    this.#tab = tab;
    c.hearer = {
      take: (e) => this.#spread(e),
      change: (state, error) => this.#changed(state, error),
      heard: () => this.#alive(),
    };
  }

  start(): void {
    const { signal } = this.#life;
    listen("pagehide freeze", this.#leave, signal);
    listen("pageshow resume", this.#enter, signal);
    this.#enter();
  }

  stop(): void {
    this.#life.abort();
    this.#leave();
    this.#changing?.failed(this.#life.signal.reason);
  }

  restart(): void {
    this.#post({});
  }

  /** Resolves when the connection has these channels for this tab. */
  change(after: string[]): Promise<void> {
    return new Promise((done, failed) => {
      this.#life.signal.throwIfAborted();
      this.#changing = { after, done, failed };
      this.#hello();
    });
  }

  /** Takes part, and waits for the leader's lock, or steals it. */
  #enter = (_?: Event, how?: LockOptions): void => {
    if (this.#channel) return;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = (e: MessageEvent<Words>) => this.#hear(e.data);
    this.#ticking = setInterval(this.#tick, 1_000);
    this.#tab.change(CONNECTING);
    const me = crypto.randomUUID();
    const { signal } = (this.#here = new AbortController());
    hold(this.#name + me, signal, () => {
      this.#me = me;
      this.#hello();
      hold(this.#name, signal, () => this.#lead(), how).catch(() => {
        if (signal.aborted) return; // it has left
        this.#leave(); // the lock was stolen
        this.#enter();
      });
    }).catch(() => {}); // it has left
  };

  /** Takes no part any more. A page that is frozen or put away can't lead. */
  #leave = (): void => {
    this.#resign();
    this.#here.abort();
    this.#me = "";
    clearInterval(this.#ticking);
    this.#channel?.close();
    this.#channel = undefined;
  };

  #lead(careful = false): void {
    const known = this.#entered && !careful; // the others are about to say where they are
    this.#resign();
    const reign = crypto.randomUUID();
    this.#leads = true;
    this.#careful = careful;
    this.#tabs.clear();
    this.#follow({ from: reign });
    const c = this.#c;
    c.want = this.#tab.want;
    c.cursor = this.#tab.cursor;
    setTimeout(() => {
      if (reign !== this.#reign) return;
      if (!careful) {
        for (const w of this.#asks.values()) this.#tabs.set(w.tab, w.channels);
        c.want = this.#wanted();
      }
      this.#back();
      c.start();
    }, known ? together : 0);
  }

  #resign(): void {
    this.#c.stop();
    this.#asks.clear();
    this.#entered = this.#leads = false;
    this.#reign = "";
  }

  /** Says an event to all tabs. */
  #spread(event: StreamEvent): void {
    if (event.type === "stentor.open") {
      this.#opened = event;
      this.#place = this.#c.after || event.id;
    } else if (event.id) {
      this.#place = event.id;
    }
    this.#say({ events: [event] });
    void this.#answer();
  }

  #changed(state: ReadyState, error?: unknown): void {
    if (state === CLOSED && forbidden(error)) {
      // Nobody knows whose channels it is about: its own, or those of others.
      if (this.#careful || this.#c.want.length <= this.#tab.want.length) this.#end(error);
      else this.#lead(true);
    } else if (error || state) { // to begin anew for somebody is nothing to the others
      this.#say({ state, error: error ? tell(error) : undefined });
    }
  }

  /** Answers those who have asked, one after the other, while the stream is open. */
  async #answer(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const c = this.#c;
    // While the state of channels comes, nobody knows the place.
    for (let w; c.id && (w = [...this.#asks.values()].find(({ cursor }) => this.#place || !cursor)); ) {
      const { tab, n, channels, cursor } = w;
      const before = this.#tabs.get(tab);
      const along = cursor ? [] : channels.filter((name) => c.want.includes(name) && !before?.includes(name));
      if (n) this.#tabs.set(tab, channels);
      else this.#tabs.delete(tab);
      const change = c.change(this.#wanted()); // if it is none, what comes next is for this tab too
      const error = change && (await change.then(() => {}, (e: unknown) => e));
      if (w !== this.#asks.get(tab)) {
        this.#tabs.delete(tab);
        continue; // it has asked again, and isn't answered yet
      }
      if (error && (this.#careful || forbidden(error))) {
        if (before) this.#tabs.set(tab, before);
        else this.#tabs.delete(tab);
        this.#asks.delete(tab); // whoever hears the answer may ask again
        this.#say({ n, error: tell(error) });
      } else if (error) {
        c.want = this.#wanted();
        c.restart(); // with these too
        continue;
      } else {
        if (cursor && c.id && (+cursor < +this.#place || without(channels, c.asked).length)) {
          this.#back();
          c.restart();
        }
        if (!c.id) continue; // it is answered when the next stream is open
        this.#asks.delete(tab);
        this.#say({ n, state: OPEN, events: cursor === undefined ? [] : [{ ...this.#opened!, id: this.#place }] });
        // Who reads along is told the state of these too, as who joins them.
        if (along.length) c.call("POST", "subscriptions/" + c.id, { state: along }).catch(() => {});
      }
    }
    this.#busy = false;
  }

  /** What all tabs want together. */
  #wanted(): string[] {
    return [...new Set([...this.#tabs.values()].flat())];
  }

  /** Goes back to the earliest place of those who have asked. */
  #back(): void {
    for (const { cursor } of this.#asks.values()) if (cursor && +cursor < +this.#c.cursor) this.#c.cursor = cursor;
  }

  #hear(w: Words): void {
    if ("from" in w) {
      if (!this.#leads || w.from === this.#reign) this.#follow(w); // else it doesn't know yet that it was deposed, or this one doesn't
    } else if (this.#leads) {
      this.#say({});
      if (!("tab" in w)) return this.#c.restart();
      const { tab } = w;
      if (!this.#tabs.has(tab) && !this.#asks.has(tab)) {
        navigator.locks.request(this.#name + tab, { signal: this.#here.signal }, () => {
          setTimeout(() => this.#hear({ tab, n: "", channels: [] }), gone);
        }).catch(() => {}); // this tab doesn't lead any more
      }
      this.#asks.set(tab, w);
      void this.#answer();
    }
  }

  /** Hears what a leader says. */
  #follow({ from, n, events, state, error }: Word): void {
    this.#quiet = 0;
    if (n !== undefined && n !== this.#asked) return;
    if (from !== this.#reign) {
      this.#reign = from;
      this.#entered = false;
      if (!n) {
        this.#tab.change(CONNECTING);
        return this.#hello();
      }
    }
    const why = error && untold(error);
    const changing = n ? this.#changing : undefined;
    if (state === CLOSED || n && why && !changing) return this.#end(why);
    if (n) {
      this.#changing = undefined;
      if (why) {
        changing!.failed(why);
        return this.#hello(); // without that
      }
      this.#entered = true;
    }
    if (this.#entered) events?.forEach((e) => this.#tab.take(e));
    if (state === CONNECTING || this.#entered && state) this.#tab.change(state, why);
    changing?.done();
  }

  /** It is over for this tab. */
  #end(error: unknown): void {
    this.stop();
    this.#tab.change(CLOSED, error);
  }

  #hello(): void {
    if (!this.#me) return; // its lock comes first
    this.#quiet = patient + 5 * Math.random();
    this.#asked = crypto.randomUUID();
    this.#post({
      tab: this.#me, n: this.#asked, channels: this.#changing?.after ?? this.#tab.want,
      ...(!this.#entered && { cursor: this.#tab.cursor }),
    });
  }

  /** It counts seconds that the page has seen: while a laptop sleeps, nobody is lost. */
  #tick = (): void => {
    if (this.#leads) this.#alive();
    else if (++this.#quiet > lost) {
      this.#leave();
      this.#enter(undefined, { steal: true });
    }
  };

  #alive(): void {
    if (Date.now() - this.#said > alive) this.#say({});
  }

  #say(w: Omit<Word, "from">): void {
    this.#post({ ...w, from: this.#reign });
  }

  /** Says something to all tabs; a leader hears itself. */
  #post(w: Words): void {
    this.#said = Date.now();
    this.#channel?.postMessage(w);
    if (this.#leads) this.#hear(w);
  }
}

/** Has a lock from when f is called until the signal. */
function hold(name: string, signal: AbortSignal, f: () => void, how: LockOptions = { signal }): Promise<unknown> {
  return navigator.locks.request(name, how, () => new Promise<void>((free) => {
    signal.addEventListener("abort", () => free());
    if (signal.aborted) free();
    else f();
  }));
}

/** It is about channels, and the same request would be refused again. */
function forbidden(error: unknown): boolean {
  return /^40[03]$/.test("" + (error as Refusal).status);
}

function tell(error: unknown): Told {
  const { status, detail, message } = error as Refusal;
  return [status, detail ?? message];
}

function untold([status, text]: Told): Error {
  return status ? new Refusal(status, text) : new Error(text);
}
