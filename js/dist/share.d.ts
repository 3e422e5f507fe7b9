import { type Connection } from "./connection.js";
import type { StreamEvent } from "./parser.js";
import { type ReadyState } from "./stream.js";
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
/**
 * One connection for all tabs with one name. The tab that holds the lock of that name is the leader: it has the connection, on what all
 * tabs want together, and says what comes, to itself as to the others.
 *
 * A tab says hello, with its channels and its place, when it comes, when its channels change and when somebody else leads. The leader sees to it that
 * the connection has those channels, begins anew at that place where it can't give what was since then, and says welcome. Each tab drops
 * what it has seen and what it doesn't want; so nothing is lost and nothing comes twice, whoever leads. Each tab holds a lock of its own, by
 * which the leader sees that it is gone.
 */
export declare class Share {
    #private;
    constructor(name: string, c: Connection, tab: Tab);
    start(): void;
    stop(): void;
    restart(): void;
    /** Resolves when the connection has these channels for this tab. */
    change(after: string[]): Promise<void>;
}
