import type { Member } from "./options.js";
/** Who is on which channel, by what the server lists and tells. */
export declare class Rooms {
    #private;
    private readonly most;
    constructor(most: number);
    /** Those who came first in front. */
    list(channel: string): Member[];
    /** Forgets what isn't wanted any more. */
    keep(channels: string[]): void;
    tell(left: boolean, m: Member): void;
    /**
     * Takes a list. What is told while it is on its way may be in it or not: it is done to the list
     * once more, and to join or leave twice is the same as once.
     */
    load(channel: string, list: Promise<{
        members: Member[];
    }>): Promise<void>;
}
