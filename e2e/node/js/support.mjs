import assert from "node:assert/strict";

export async function until(what, check) {
  for (const end = Date.now() + 30_000; !(await check());) {
    if (Date.now() > end) assert.fail(`it never happened that ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** Tells the proxy: "cut", "mend". */
export function control(what) {
  return fetch(`${process.env.E2E_CONTROL}/${what}`, { method: "POST" });
}
