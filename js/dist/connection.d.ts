import type { Options } from "./options.js";
import type { StreamEvent } from "./parser.js";
import { Stream, type ReadyState } from "./stream.js";
/** Who hears what a connection says. */
export interface Hearer {
    take(e: StreamEvent): void;
    change(state: ReadyState, error?: unknown): void;
    heard?(): void;
}
/** A hub, as one who has these options asks it: its stream, on channels that change while it is open, and the other requests. */
export declare class Connection extends Stream {
    #private;
    hearer: Hearer;
    readonly url: string;
    /** The channels. Whoever sets them while it is open has to have it begin anew. */
    want: string[];
    /** What the running request asked for, and after which position. */
    asked: string[];
    after: string;
    constructor(url: string | URL, o: Options, hearer: Hearer);
    /** The subscription's; empty while there is none. */
    get id(): string;
    /** Goes over to other channels, whole or not at all; one change at a time. Nothing, if there is nothing to change. */
    change(after: string[]): Promise<void> | undefined;
    /** A URL with what it is about and who this is. The path is seen from the stream's, which is the empty one. */
    address(path: string, channels: string[]): string;
    /** One request that is no stream, and once more with a new token where that was refused. */
    call<T>(method: string, path: string, body?: unknown, channels?: string[]): Promise<T>;
}
/** The list a without what b has. */
export declare function without(a: string[], b: string[]): string[];
