import { type Handler } from "./dispatch.js";
import type { Gap, Member, Message, Options, Receipt } from "./options.js";
import { type ReadyState } from "./stream.js";
/** A subscriber of one hub. It is made by {@link connect}. */
export declare class Client {
    #private;
    /** The URL of the stream. */
    readonly url: string;
    /** Who the server says this is, once a stream was open. It takes Options.presence. */
    me: Omit<Member, "channel"> | undefined;
    constructor(url: string | URL, o?: Options);
    /** The state of the connection, by the numbers of EventSource. */
    get readyState(): ReadyState;
    /** The position of the newest message. */
    get lastEventId(): string;
    /** The channels that this client is on, or will be when it connects. */
    get channels(): string[];
    /**
     * Has f called with each message of a type, in the order of the stream, and returns what takes it off. A type is that
     * of the messages; "message" for those without one; "tv.*" for each that begins with "tv." and has no handler of its
     * own; "*" for each that has none at all. "gap" says that messages are missing here, and only the server can say it;
     * so it is with "stentor.open", "stentor.state", "stentor.end", "stentor.join", "stentor.leave" and "stentor.update". With
     * "stentor.members" the client itself says that the list of event.channel has been loaded.
     */
    on(type: "gap", f: Handler<Gap>): () => void;
    on<T = any>(type: string, f: Handler<T>): () => void;
    /** Has the methods of an object called: a message of type "tv.watch" calls the method watch of receiver "tv". */
    receive(name: string, receiver: object): () => void;
    /**
     * Adds channels, to the open stream if there is one and to each that follows. After an error nothing has changed. Where tabs
     * share the connection, it waits for that to be open.
     */
    join(...channels: string[]): Promise<void>;
    /** Takes channels away; as join. */
    leave(...channels: string[]): Promise<void>;
    /** Who is on a channel, those who came first in front. It takes Options.presence. */
    members(channel: string): Member[];
    /** Publishes a message, if the server lets this one. It is not sent a second time by itself. */
    publish(m: Message): Promise<Receipt>;
    /** Connects anew at once, without losing the place: with another token, say. */
    restart(): void;
    /** Ends it for good, and forgets the place. */
    close(): void;
}
