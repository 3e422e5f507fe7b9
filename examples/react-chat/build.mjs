// Builds the page: src/ becomes dist/app.js and dist/app.css. Without arguments into dist, after checking the types;
// with --check nothing is written, and a difference is an error; --dev DIR is React's development build, which
// says more, into another directory.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const here = import.meta.dirname;
const dist = join(here, "dist");
const at = process.argv.indexOf("--dev") + 1;
const dev = at ? process.argv[at] : "";
const check = process.argv.includes("--check");
const out = mkdtempSync(join(tmpdir(), "stentor-react-"));

try {
  if (!dev) run("tsc");
  run(
    "esbuild", "src/main.tsx", "--bundle", "--format=esm", "--target=es2022", "--charset=utf8", "--jsx=automatic",
    "--log-level=warning", "--legal-comments=eof", `--outfile=${join(out, "app.js")}`,
    // The server has the client already, of this tree, so that it need not be in here too.
    "--alias:stentor-client=/stentor.js", "--external:/stentor.js",
    ...(dev ? ["--jsx-dev", '--define:process.env.NODE_ENV="development"'] : ["--minify", '--define:process.env.NODE_ENV="production"']),
  );
  for (const name of ["index.html", "icon.svg"]) copyFileSync(join(here, "src", name), join(out, name));
  if (check) compare();
  else replace(dev || dist);
} finally {
  rmSync(out, { recursive: true, force: true });
}

function run(tool, ...args) {
  try {
    execFileSync(join(here, "node_modules/.bin", tool), args, { cwd: here, stdio: "inherit" });
  } catch (error) {
    fail(`${tool}: ${error.message}`);
  }
}

function compare() {
  const files = readdirSync(out).sort();
  const same = (file) => readFileSync(join(out, file)).equals(readFileSync(join(dist, file)));
  if (readdirSync(dist).sort().join() !== files.join()) fail("dist/ has other files than a build; run make react-chat");
  for (const file of files) if (!same(file)) fail(`dist/${file} differs from what src/ builds; run make react-chat`);
}

function replace(to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(out)) copyFileSync(join(out, file), join(to, file));
  console.log(`app.js: ${gzipSync(readFileSync(join(to, "app.js")), { level: 9 }).length} bytes gzipped`);
}

function fail(why) {
  console.error("react-chat: " + why);
  rmSync(out, { recursive: true, force: true });
  process.exit(1);
}
