import type { Client } from "./client.js";
/**
 * Binds the elements under a root to a client, those that come later included, and returns what ends it.
 *
 *     <b data-on="price" data-text="amount"></b>                    the text becomes data.amount
 *     <meter data-on="load" data-prop="value:cpu"></meter>          a property becomes data.cpu
 *     <a data-on="news" data-attr="title:headline"></a>             an attribute becomes data.headline
 *     <li data-on="build" data-class="failed:broken"></li>          has a class where data.broken is true
 *     <ul data-on="chat" data-append="100"><template>               adds a filled template, and keeps the last 100
 *       <li data-text="text"></li></template></ul>
 *     <button data-click="vote:yes">                                calls handlers.vote("yes", event)
 *
 * A path leads into the data: "a.b" is data.a.b, "." the whole. Several are separated by spaces. Everything is put in as text, never
 * as markup. A message of type "trigger.saved" is dispatched on the root as the CustomEvent "saved", with the data as its detail.
 */
export declare function bind(c: Client, root?: Document | Element, handlers?: Record<string, (arg: string, e: Event) => void>): () => void;
