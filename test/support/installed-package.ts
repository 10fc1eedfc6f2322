import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { blocksOf, docsPages } from "../docs/code-blocks.ts";
import { ROOT } from "../tidy/repository.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);
const PACKED = [
  "bin",
  "src",
  "scripts",
  "LICENSE",
  "README.md",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "vite.config.ts",
  "web",
];
const CONSUMER = join(ROOT, "test/consumer");

/** The package as others get it, installed into a folder that had nothing. */
export interface InstalledPackage extends AsyncDisposable {
  readonly tarball: string;
  /** Of the files in it. */
  readonly paths: readonly string[];
  /** Of the manifest that it was packed with, after packing. */
  readonly manifestAfter: string;
  /** By its name, as npx finds it. */
  npx(...args: readonly string[]): Promise<string>;
  /** What the compiler says against the programs of `test/consumer`, which it turns into JavaScript, and the examples of the documentation. */
  compile(): Promise<string>;
  /** Runs one of them; what it answered. */
  call(program: string, environment?: Readonly<Record<string, string>>): Promise<unknown>;
}

export async function installPackage(): Promise<InstalledPackage> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder()).path;
  const [source, site] = [join(folder, "source"), join(folder, "site")];
  await mkdir(source);
  await mkdir(site);
  // Packing changes the manifest for as long as it takes: not the one that others read meanwhile.
  for (const name of PACKED) await cp(join(ROOT, name), join(source, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(source, "node_modules"));
  const packed = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: source });
  const [{ filename = "", files = [] } = {}] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf("[")));
  const tarball = join(folder, filename);

  await writeFile(join(site, "package.json"), '{"name":"site","private":true,"type":"module"}');
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], { cwd: site });
  await symlink(join(ROOT, "node_modules/@types"), join(site, "node_modules/@types")).catch(() => undefined);
  await cp(CONSUMER, join(site, "programs"), { recursive: true });
  for (const page of docsPages())
    for (const [index, code] of blocksOf(page, "ts").entries())
      await writeFile(join(site, "programs", `${page}-${index + 1}.ts`), code);
  const environment = { ...process.env, PATH: `${join(process.execPath, "..")}:${process.env.PATH}` };
  const closing = opened.move();
  return {
    tarball,
    paths: files.map(({ path }: { readonly path: string }) => path),
    manifestAfter: await readFile(join(source, "package.json"), "utf8"),
    async npx(...args) {
      return (await run("npx", ["--no-install", "radferry", ...args], { cwd: site, env: environment })).stdout.trim();
    },
    async compile() {
      const programs = (await readdir(join(site, "programs"))).map((name) => join("programs", name));
      const compiler = join(ROOT, "node_modules/.bin/tsc");
      return await run(compiler, [...STRICTLY, "--outDir", "built", ...programs], { cwd: site }).then(
        () => "",
        ({ stdout }: { readonly stdout: string }) => stdout,
      );
    },
    async call(program, given = {}) {
      const env = { PATH: process.env.PATH, HOME: site, ...given };
      const { stdout } = await run(process.execPath, [join("built", `${program}.js`)], { cwd: site, env });
      return JSON.parse(stdout);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

const STRICTLY = [
  ...["--target", "esnext"],
  ...["--module", "nodenext"],
  "--strict",
  "--exactOptionalPropertyTypes",
  "--noUncheckedIndexedAccess",
  "--rewriteRelativeImportExtensions",
  ...["--types", "node"],
  ...["--skipLibCheck", "false"],
];
