// What is typed goes to the server.

import { findUser, parseInput } from "./input.js";
import { chatMessage } from "./log.js";
import { problemText } from "./text.js";

// Sender sends in the name of a subscription. is.channel(), is.people() and is.me() say what the page knows;
// is.said(message) and is.sent(text, name) are told what was done, is.wrong(why) what was typed wrongly and
// is.failed(why) what the server would not have.
export class Sender {
  #live;
  #is;
  #turn = Promise.resolve();

  constructor(live, is) {
    this.#live = live;
    this.#is = is;
  }

  // send resolves to true if what was typed is done with.
  async send(text) {
    const input = parseInput(text);
    if (input === null) return true;
    if (input.kind === "error") return this.#wrong(input.message);
    if (this.#live.stopped) return this.#wrong("This page is not listening. Start listening, then send it again.");
    const request = { channel: this.#is.channel(), selector: input.selector, message: input.message };
    let to;
    if (input.to !== undefined) {
      to = findUser(input.to, this.#is.people(), this.#is.me());
      if (to.error) return this.#wrong(to.error);
      request.toUserId = to.person.user;
    }
    try {
      const response = await this.#inTurn(() => this.#post(input.kind === "raw" ? "PostRawToChannel" : "PostChatToChannel", request));
      if (!response.ok) return this.#failed(await problemText(response));
      if (input.kind === "raw" && to && to.person.user !== this.#is.me().user) this.#is.sent(`/${input.selector} was sent to `, to.person.name);
      const message = input.kind === "chat" && chatMessage(await response.json());
      if (message) this.#is.said(message);
      return true;
    } catch {
      return this.#failed("The server can't be reached. Your text is kept.");
    }
  }

  #wrong(why) {
    this.#is.wrong(why);
    return false;
  }

  #failed(why) {
    this.#is.failed(why);
    return false;
  }

  // inTurn keeps lines in the order in which they were written: of two requests that a
  // browser has under way, either may arrive first.
  #inTurn(job) {
    const done = this.#turn.then(job);
    this.#turn = done.catch(() => {});
    return done;
  }

  // post sends a request in the name of this window. When the server no longer knows it,
  // nothing was done: once it is connected again, the request is repeated.
  async #post(name, request) {
    for (let attempt = 0; ; attempt++) {
      const from = this.#live.id;
      const response = await fetch(`/api/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...request, from }),
      });
      if (response.status !== 404 || attempt > 0) return response;
      this.#live.renew();
      await until(() => this.#live.id && this.#live.id !== from, 5000);
    }
  }
}

async function until(ready, ms) {
  const end = Date.now() + ms;
  while (!ready() && Date.now() < end) await new Promise((done) => setTimeout(done, 50));
}
