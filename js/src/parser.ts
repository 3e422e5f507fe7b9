/** An event of a stream, as it was read. */
export interface StreamEvent {
  /** The id that stood in the event itself; empty where there was none. */
  id: string;
  /** The type; empty where there was none. */
  type: string;
  /** The channel that a Stentor server says the message was published to; empty for none. */
  channel: string;
  /** The text, lines joined with LF. */
  data: string;
}

/** What a parser tells. */
export interface Told {
  event(e: StreamEvent): void;
  retry?(ms: number): void;
  comment?(text: string): void;
}

/** An event or line that is larger than the limit. */
export class TooLargeError extends Error {
  override name = "TooLargeError";
}

/**
 * Reads the event stream format of the HTML Standard (§9.2.6) from decoded text, however it is
 * cut. It holds one event at most, of `limit` UTF-16 code units.
 */
export class Parser {
  /** The last event id of the standard: it stays until another comes. */
  lastEventId: string;

  #told: Told;
  #limit: number;
  #begun: string[] = []; // pieces of the line that has not ended
  #afterCR = false; // the next LF belongs to the line before
  #size = 0; // of all that is held
  #id: string | undefined;
  #buffer: string; // the standard's last event id buffer
  #said = { event: "", channel: "" };
  #data: string[] = [];

  constructor(told: Told, limit: number, lastEventId = "") {
    this.#told = told;
    this.#limit = limit;
    this.lastEventId = this.#buffer = lastEventId;
  }

  push(text: string): void {
    let from = 0;
    if (this.#afterCR && text) {
      this.#afterCR = false;
      if (text[0] === "\n") from = 1;
    }
    const ends = /\r\n?|\n/g;
    ends.lastIndex = from;
    for (let m; (m = ends.exec(text)); from = ends.lastIndex) {
      this.#grow(m.index - from);
      this.#begun.push(text.slice(from, m.index));
      const line = this.#begun.join("");
      this.#begun = [];
      this.#afterCR = m[0] === "\r" && ends.lastIndex === text.length;
      this.#line(line);
    }
    if (from < text.length) {
      this.#grow(text.length - from);
      this.#begun.push(text.slice(from));
    }
  }

  #grow(by: number): void {
    if ((this.#size += by) > this.#limit) {
      throw new TooLargeError(`stentor: an event is larger than ${this.#limit} characters; raise maxEventSize`);
    }
  }

  #line(line: string): void {
    if (!line) return this.#dispatch();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data") {
      this.#grow(1); // else empty lines would cost nothing
      this.#data.push(value);
      return;
    }
    this.#size -= line.length;
    if (name === "event" || name === "channel") {
      this.#size += value.length - this.#said[name].length;
      this.#said[name] = value;
    } else if (name === "id" && !value.includes("\0")) {
      this.#size += value.length - (this.#id ?? "").length;
      this.#id = this.#buffer = value;
    } else if (!name) {
      this.#told.comment?.(value);
    } else if (name === "retry" && /^[0-9]+$/.test(value)) {
      this.#told.retry?.(+value);
    }
  }

  #dispatch(): void {
    const { event, channel } = this.#said;
    const e = { id: this.#id ?? "", type: event, channel, data: this.#data.join("\n") };
    const any = this.#data.length > 0;
    this.#id = undefined;
    this.#said = { event: "", channel: "" };
    this.#data = [];
    this.#size = 0;
    this.lastEventId = this.#buffer;
    if (any) this.#told.event(e);
  }
}
