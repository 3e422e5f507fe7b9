// Runs clients in one Node.js until its standard input ends: a line there starts one, a line on standard
// output is an event. What the clients themselves have to say is of no interest.
import { createInterface } from "node:readline";
import { clients } from "./clients.mjs";

for (const method of ["debug", "error", "info", "log", "warn"]) console[method] = () => {};

for await (const line of createInterface({ input: process.stdin })) {
  const { client, url, types } = JSON.parse(line);
  await clients[client](url, types, e => process.stdout.write(JSON.stringify({ url, ...e }) + "\n"));
}
process.exit();
