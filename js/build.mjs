// Builds dist/: one file of JavaScript for each module that is imported by itself, and the types.
// With --check nothing is written, and a difference is an error.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, mkdirSync, copyFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const most = 6 * 1024; // bytes of stentor.js, gzipped
const here = import.meta.dirname;
const check = process.argv.includes("--check");
const out = mkdtempSync(join(tmpdir(), "stentor-js-"));

try {
  run("tsc", "--outDir", out);
  for (const [from, to] of [["index.ts", "stentor.js"], ["bindings.ts", "bindings.js"]]) {
    const file = join(out, to);
    run("esbuild", "src/" + from, "--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8",
      "--log-level=warning", "--legal-comments=none", "--outfile=" + file);
    run("terser", file, "--module", "--ecma", "2022", "--compress", "passes=4,unsafe_arrows", "--mangle", "--output", file);
  }
  const size = gzipSync(readFileSync(join(out, "stentor.js")), { level: 9 }).length;
  console.log(`stentor.js: ${size} bytes gzipped, of ${most}`);
  if (size > most) fail("it is too large");
  if (check) compare();
  else replace();
} finally {
  rmSync(out, { recursive: true });
}

function run(tool, ...args) {
  try {
    execFileSync(join(here, "node_modules/.bin", tool), args, { cwd: here, stdio: "inherit" });
  } catch (error) {
    fail(`${tool}: ${error.message}`);
  }
}

function compare() {
  const dist = join(here, "dist");
  const files = readdirSync(out).sort();
  if (readdirSync(dist).sort().join() !== files.join()) fail("dist/ has other files than a build; run make js");
  for (const file of files) {
    if (!readFileSync(join(out, file)).equals(readFileSync(join(dist, file)))) fail(`dist/${file} differs from what src/ builds; run make js`);
  }
}

function replace() {
  const dist = join(here, "dist");
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  for (const file of readdirSync(out)) copyFileSync(join(out, file), join(dist, file));
}

function fail(why) {
  console.error("js: " + why);
  rmSync(out, { recursive: true, force: true });
  process.exit(1);
}
