import type { ReadyState } from "./stream.js";
/** What {@link connect} is given beside the URL. */
export interface Options {
    /** Those to begin with; join and leave change them. */
    channels?: string[];
    /** Who this is, on a server without keys. Else the token says it. */
    user?: string;
    session?: string;
    key?: string;
    /** Asks for joins and leaves, and who this is (me), and keeps lists for members(). */
    presence?: boolean;
    /**
     * Gives the bearer token of each request. Where renew is set, the server has refused the last one, and
     * one that was kept is no good any more.
     */
    token?: (renew: boolean) => string | Promise<string>;
    /** Sent with each request. */
    headers?: Record<string, string>;
    /** Whether cookies go to other origins: "include". Default "same-origin". */
    credentials?: RequestCredentials;
    /**
     * Shares one connection with all tabs of this origin that use the same name, URL and presence and are the
     * same user, session and key; each gets messages of its own channels, and private ones. Name it for who is signed in: all
     * of them may see what one of them may see. Works where there are Web Locks, which is in secure contexts; elsewhere each tab
     * has a connection of its own.
     */
    share?: string;
    /** The position to go on after; "0" begins with the oldest message that is kept. Goes before what sessionStorage has. */
    lastEventId?: string;
    /** Doesn't keep the position in sessionStorage: a page that is loaded again begins with what is new. */
    forget?: boolean;
    /** How long a stream may be silent before it is taken for dead, in ms. Zero means 45 000; negative means no limit. */
    idleTimeout?: number;
    /** How long a request that is no stream may take, in ms. Zero means 10 000; negative means no limit. */
    callTimeout?: number;
    /** The most characters of one event. Zero means 16 Mi. */
    maxEventSize?: number;
    /** The longest list of members(). Zero means 10 000. */
    maxMembers?: number;
    /** Sends the requests, in place of the global fetch. */
    fetch?: typeof fetch;
    /** Is told of each new state, and of what ended the one before. */
    change?: (state: ReadyState, error?: unknown) => void;
    /** Is told of what goes wrong beside the stream: a handler that throws, a list that can't be had. Default: reported as uncaught. */
    error?: (error: unknown) => void;
}
/** The data of "gap": what is missing. Either position is empty when nobody can say. */
export interface Gap {
    reason: string;
    after: string;
    oldest: string;
}
/** The data of "stentor.end": why the server ends the stream. */
export interface End {
    reason: string;
}
/** A user on a channel; the data of "stentor.join", "stentor.leave" and "stentor.update". */
export interface Member {
    channel: string;
    user: string;
    name: string;
    meta: Record<string, string>;
}
/** Whom a message is for, together, and what it is. */
export interface Message {
    channel?: string;
    user?: string;
    userName?: string;
    session?: string;
    key?: string;
    subscription?: string;
    all?: boolean;
    type?: string;
    data?: unknown;
    /** What it is the latest word about; with remove, there is nothing more to say about it. */
    subject?: string;
    remove?: boolean;
    ephemeral?: boolean;
}
/** What the server says of a message that it has. */
export interface Receipt {
    id?: string;
    matched?: number;
}
