// Signing in and out. Who one is, is settled when the stream is opened: after either the page
// is loaded anew.

import { channelList } from "./input.js";
import { make } from "./text.js";

const store = "stentor-channels";

// keep remembers channels over the way to a sign-in and back, which may lead over other sites.
function keep(channels) {
  sessionStorage.setItem(store, channels.join(","));
}

// kept are the channels that were remembered, once.
export function kept() {
  const names = channelList(sessionStorage.getItem(store));
  sessionStorage.removeItem(store);
  return names;
}

// Account shows how to sign in, or out. is.channels() are those to come back to; is.end() has
// others see at once that who one was is gone; is.failed(text) is told what went wrong.
export class Account {
  #root;
  #providers;
  #is;

  constructor(root, providers, is) {
    this.#root = root;
    this.#providers = providers;
    this.#is = is;
  }

  show(signedIn) {
    this.#root.replaceChildren(...(signedIn ? [this.#out()] : this.#providers.map((p) => this.#in(p))));
  }

  #in(provider) {
    const label = this.#providers.length === 1 ? "Sign in" : `Sign in with ${provider}`;
    const link = make("a", { href: `/auth/${encodeURIComponent(provider)}` }, label);
    link.addEventListener("click", (event) => {
      keep(this.#is.channels());
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) this.#is.end(); // else this page stays
    });
    return link;
  }

  #out() {
    const button = make("button", { type: "button", className: "action" }, "Sign out");
    button.addEventListener("click", async () => {
      await this.#is.end(); // while the server knows whose it is
      try {
        const response = await fetch("/auth/logout", { method: "POST" });
        if (!response.ok) throw new Error(`the server answered ${response.status}`);
      } catch (error) {
        return this.#is.failed(`You are still signed in: ${error.message}.`);
      }
      keep(this.#is.channels());
      location.assign("/");
    });
    return button;
  }
}
