import type { StreamEvent } from "./parser.js";
import { type ReadyState, type Stream, type StreamOptions } from "./stream.js";
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
/**
 * One connection for all tabs with one name. The tab that holds the lock of that name is the leader: it has the
 * stream, and tells the others. A tab says where it is when it comes, and when there is another leader; the leader
 * then gives it what it has kept, or begins anew at that place. All keep what came last, for each may lead next. Each tab drops what it has seen, so nothing is lost and
 * nothing comes twice, whoever leads.
 */
export declare class Share {
    #private;
    constructor(name: string, tab: Tab);
    start(): void;
    stop(): void;
    restart(): void;
}
