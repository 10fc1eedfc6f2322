/** `npm run reference [-- FOLDER]`: the reference of the library as web pages, by TypeDoc. What TypeDoc needs is installed for it alone. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOT, runStep } from "./run-step.ts";

const SOURCE = join(ROOT, "scripts", "reference");
const HOME = join(ROOT, "node_modules", ".cache", "radferry", "reference");
const PACKAGES = ["package.json", "package-lock.json"];
/** Kept beside what was installed by it. */
const INSTALLED_LOCK = join(HOME, "node_modules", ".radferry-lock.json");

/** What other programs may import: each becomes a page. */
function entryPoints(): readonly string[] {
  const { exports }: { readonly exports: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(ROOT, "package.json"), "utf8"),
  );
  return Object.values(exports).map((path) => join(ROOT, path));
}

async function install(): Promise<boolean> {
  const lock = readFileSync(join(SOURCE, "package-lock.json"));
  if (existsSync(INSTALLED_LOCK) && readFileSync(INSTALLED_LOCK).equals(lock)) return true;
  mkdirSync(HOME, { recursive: true });
  for (const name of PACKAGES) copyFileSync(join(SOURCE, name), join(HOME, name));
  const args = ["ci", "--prefix", HOME, "--no-fund", "--no-audit", "--loglevel=error"];
  if (!(await runStep({ name: "packages of the reference (npm)", program: "npm", args }))) return false;
  copyFileSync(join(SOURCE, "package-lock.json"), INSTALLED_LOCK);
  return true;
}

async function write(folder: string): Promise<boolean> {
  const args = ["--options", join(SOURCE, "typedoc.json"), "--out", folder];
  for (const path of entryPoints()) args.push("--entryPoints", path);
  return await runStep({ name: "reference (typedoc)", program: join(HOME, "node_modules", ".bin", "typedoc"), args });
}

const folder = resolve(process.argv[2] ?? join(HOME, "html"));
const isWritten = (await install()) && (await write(folder));
process.exitCode = isWritten ? 0 : 1;
if (isWritten) console.log(`the reference begins at ${join(folder, "index.html")}`);
