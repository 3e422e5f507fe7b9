import { type ReadyState } from "./stream.js";
/** What {@link Source} is made with. */
export interface SourceOptions {
    /** Sent with each attempt; a function is called for each. */
    headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
    /** As EventSource's: cookies go to other origins too. */
    withCredentials?: boolean;
    /** The id to go on after. */
    lastEventId?: string;
    /** How long a stream may be silent, in ms. Zero means 45 000; negative means no limit. */
    idleTimeout?: number;
    /** The most characters of one event. Zero means 16 Mi. */
    maxEventSize?: number;
    /** Sends the requests, in place of the global fetch. */
    fetch?: typeof fetch;
}
/**
 * EventSource over fetch: the same events, states and format, for any server. Beyond it, it comes back from 5xx,
 * 429 and 408, waits longer after each failure, at random, takes headers, and doesn't trust a connection that is
 * silent. The `error` of an error event says what went wrong.
 */
export declare class Source extends EventTarget {
    #private;
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSED = 2;
    readonly url: string;
    readonly withCredentials: boolean;
    onopen: ((e: Event) => void) | null;
    onmessage: ((e: MessageEvent<string>) => void) | null;
    onerror: ((e: Event & {
        error?: unknown;
    }) => void) | null;
    constructor(url: string | URL, o?: SourceOptions);
    get readyState(): ReadyState;
    /** Ends it for good. */
    close(): void;
}
/** A URL as the page sees it. */
export declare function absolute(url: string | URL): URL;
