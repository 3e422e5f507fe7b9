import { type StreamEvent } from "./parser.js";
/** The states of EventSource, by its numbers. */
export declare const CONNECTING = 0, OPEN = 1, CLOSED = 2;
export type ReadyState = 0 | 1 | 2;
/** An answer that says no. */
export declare class Refusal extends Error {
    readonly status: number;
    readonly detail: string;
    name: string;
    /** @param detail what to change, in the server's words */
    constructor(status: number, detail?: string);
    /** Makes one of an answer; a proxy's has no detail. */
    static of(r: Response): Promise<Refusal>;
}
export interface StreamOptions {
    /** Makes the request of an attempt; `after` is what the attempt before ended with. */
    request(after: unknown): Promise<[url: string, init: RequestInit]> | [url: string, init: RequestInit];
    /** Is called with each event. It must not throw. */
    take(e: StreamEvent): unknown;
    /** Is called with each new state, and with what ended the one before. */
    change(state: ReadyState, error?: unknown): void;
    /** Is called when bytes have come. */
    heard?(): void;
    /** Says that a 401 may be tried again: there may be another token. */
    token?: unknown;
    fetch?: typeof fetch | undefined;
    idleTimeout?: number | undefined;
    maxEventSize?: number | undefined;
}
/**
 * A stream that comes back: after the last event that was taken, when the server says and
 * spread at random, later after each failure, and at once when the page wakes.
 */
export declare class Stream {
    #private;
    /** The last event id, which the next attempt presents. */
    cursor: string;
    /** The reconnection time, in ms. */
    retry: number;
    state: ReadyState;
    constructor(o: StreamOptions);
    /** Begins; again after stop. */
    start(): void;
    /** Ends it. Nothing is told any more. */
    stop(): void;
    /** Connects anew at once, without losing the place. */
    restart(): void;
}
/** Calls f with events of the page, until the signal. Where there is no page, never. */
export declare function listen(types: string, f: (e: Event) => void, signal: AbortSignal): void;
