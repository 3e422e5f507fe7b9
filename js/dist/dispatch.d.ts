import type { StreamEvent } from "./parser.js";
/** What is called with a message: its data, from JSON where it is that and else as it is, and the event. */
export type Handler<T = any> = (data: T, event: StreamEvent) => void;
/** Handlers and receivers, by type. */
export declare class Dispatcher {
    #private;
    private readonly failed;
    constructor(failed: (error: unknown) => void);
    on(type: string, f: Handler): () => void;
    receive(name: string, receiver: object): () => void;
    dispatch(e: StreamEvent): void;
}
/** Data as handlers get it. */
export declare function parse(text: string): unknown;
