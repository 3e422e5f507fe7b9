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
export declare class TooLargeError extends Error {
    name: string;
}
/**
 * Reads the event stream format of the HTML Standard (§9.2.6) from decoded text, however it is
 * cut. It holds one event at most, of `limit` UTF-16 code units.
 */
export declare class Parser {
    #private;
    /** The last event id of the standard: it stays until another comes. */
    lastEventId: string;
    constructor(told: Told, limit: number, lastEventId?: string);
    push(text: string): void;
}
