import { Client } from "./client.js";
import type { Options } from "./options.js";
/**
 * Subscribes to a hub: url is that of the stream, as "/events". Nothing is waited for; handlers that are added at once miss nothing.
 *
 *     const c = connect("/events", { channels: ["home"] });
 *     c.on("greet", (data, event) => …);
 *     c.on("gap", () => reload());
 */
export declare function connect(url: string | URL, options?: Options): Client;
export type { Client };
export type { Handler } from "./dispatch.js";
export type { End, Gap, Member, Message, Options, Receipt } from "./options.js";
export { Parser, TooLargeError, type StreamEvent } from "./parser.js";
export { Source, type SourceOptions } from "./source.js";
export { CLOSED, CONNECTING, OPEN, Refusal, type ReadyState } from "./stream.js";
