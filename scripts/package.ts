import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * `package.ts before|after`, around `npm pack`: programs that install the package get compiled modules, as Node strips no types below
 * node_modules; this repository runs its sources.
 */
const root = join(import.meta.dirname, "..");
const manifest = join(root, "package.json");
const kept = join(root, ".package.json.kept");
const built = join(root, "dist");

if (process.argv[2] === "before") before();
else after();

function before(): void {
  // A pack that was interrupted left it behind.
  if (existsSync(kept)) after();
  rmSync(built, { recursive: true, force: true });
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  execFileSync("sh", ["scripts/build-web.sh"], { cwd: root, stdio: "inherit" });
  for (const name of globSync("**/*.js", { cwd: built })) nameBuiltModules(join(built, name));
  const text = readFileSync(manifest, "utf8");
  const described: { exports: Readonly<Record<string, string>>; scripts?: unknown; devDependencies?: unknown } =
    JSON.parse(text);
  const { scripts: _, devDependencies: __, ...published } = described;
  const exports = Object.fromEntries(
    Object.entries(described.exports).map(([path, source]) => {
      const compiled = source.replace("./src/", "./dist/").replace(/\.ts$/, "");
      return [path, { types: `${compiled}.d.ts`, default: `${compiled}.js` }];
    }),
  );
  writeFileSync(kept, text);
  writeFileSync(manifest, `${JSON.stringify({ ...published, exports }, undefined, 2)}\n`);
}

/** The compiler renames what is imported, but not the modules that threads are started with. */
function nameBuiltModules(path: string): void {
  const text = readFileSync(path, "utf8");
  const renamed = text.replace(/(new URL\("\.\/[\w-]+)\.ts(", import\.meta\.url\))/g, "$1.js$2");
  if (renamed !== text) writeFileSync(path, renamed);
}

function after(): void {
  rmSync(built, { recursive: true, force: true });
  if (existsSync(kept)) renameSync(kept, manifest);
}
