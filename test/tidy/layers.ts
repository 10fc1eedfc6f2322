import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { isTest, ROOT, type SourceFile } from "./repository.ts";
import { importedPaths, importsOf, startedPaths } from "./syntax.ts";

/** Folders below `src/`, each importing only from those above it. */
export const LAYERS: readonly string[] = [
  "errors",
  "units",
  "dicom",
  "network/upper-layer",
  "network/dimse",
  "network/http-client",
  "network/multipart",
  "network/instance-files",
  "network/zip",
  "network/file-transfer",
  "network/ftps",
  "network/sftp",
  "network/s3",
  "network/dicomweb",
  "network/ihe",
  "network/rest",
  "staging",
  "store",
  "archive",
  "cohort",
  "deid",
  "delivery",
  "acquisition",
  "pipeline",
  "operations",
  "observe",
  "config",
  "compat",
  "http",
  "gateway",
  "cli",
  ...publishedFiles(),
];

/** They meet in the pipeline and nowhere else. */
const STRANGERS = new Set(["archive", "cohort", "deid", "delivery", "acquisition"]);

/** Where the program begins, and what other programs may import. */
const ENTRIES = new Set(["src/cli/main.ts", "web/src/main.tsx", ...publishedFiles().map((name) => `src/${name}`)]);

/** Files of `src/` that package.json offers to other programs, the subjects before the whole. */
function publishedFiles(): readonly string[] {
  const text = readFileSync(join(ROOT, "package.json"), "utf8");
  const { exports }: { readonly exports: Readonly<Record<string, string>> } = JSON.parse(text);
  return Object.values(exports)
    .map((path) => path.replace("./src/", ""))
    .sort((one, other) => Number(one === "index.ts") - Number(other === "index.ts"));
}

function layerOf(path: string): string | undefined {
  return LAYERS.find((layer) => path === `src/${layer}` || path.startsWith(`src/${layer}/`));
}

/** Files that no layer holds, and imports that go up or sideways. Tests beside a file may use everything. */
export function layerProblems(files: readonly SourceFile[]): readonly string[] {
  return files.filter(({ path }) => path.startsWith("src/") && !isTest(path)).flatMap(problemsOf);
}

function problemsOf(file: SourceFile): readonly string[] {
  const layer = layerOf(file.path);
  if (layer === undefined) return [`${file.path} is in no layer: see the list in docs/ARCHITECTURE.md`];
  return importedPaths(file).flatMap((target) => {
    if (!target.startsWith("src/")) return [`${file.path} imports ${target}: src stands alone`];
    const other = layerOf(target);
    if (other === undefined || other === layer) return [];
    if (LAYERS.indexOf(other) > LAYERS.indexOf(layer)) return [`${file.path} imports upward from ${other}`];
    if (STRANGERS.has(layer) && STRANGERS.has(other)) return [`${file.path} imports sideways from ${other}`];
    return [];
  });
}

/** Packages that are there only while developing must not be imported by the product. */
export function strayPackages(files: readonly SourceFile[], dependencies: ReadonlySet<string>): readonly string[] {
  return files
    .filter(({ path }) => path.startsWith("src/") && !isTest(path))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ from }) => !from.startsWith(".") && !from.startsWith("node:"))
        .map(({ from }) => packageOf(from))
        .filter((name) => !dependencies.has(name))
        .map((name) => `${file.path} imports ${name}, which is not in "dependencies" of package.json`),
    );
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/**
 * The dashboard runs in a browser: of the gateway it takes types, and files that import nothing themselves. The gateway takes nothing of it.
 */
export function webProblems(all: readonly SourceFile[]): readonly string[] {
  const files = all.filter(({ path }) => !isTest(path));
  const alone = new Set(files.filter((file) => importsOf(file).length === 0).map(({ path }) => path));
  return files.flatMap((file) => {
    const isWeb = file.path.startsWith("web/");
    return importsOf(file)
      .filter(({ from }) => from.startsWith("."))
      .map(({ from, isType }) => ({ target: posix.join(posix.dirname(file.path), from), isType }))
      .filter(({ target, isType }) =>
        isWeb ? !target.startsWith("web/") && !isType && !alone.has(target) : target.startsWith("web/src/"),
      )
      .map(({ target }) => `${file.path} imports ${target}: types alone go from src to web, and what imports nothing`);
  });
}

/** Files of `src` and `web` that no entry leads to; tests alone keep nothing alive. */
export function deadFiles(files: readonly SourceFile[]): readonly string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const isRoot = ({ path }: SourceFile): boolean => ENTRIES.has(path) || path.startsWith("scripts/");
  const queue = files.filter(isRoot);
  const alive = new Set(queue.map(({ path }) => path));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const path of [...importedPaths(file), ...startedPaths(file)]) {
      const target = byPath.get(path);
      if (target === undefined || alive.has(path)) continue;
      alive.add(path);
      queue.push(target);
    }
  }
  return [...byPath.keys()].filter((path) => /^(?:src|web)\//.test(path) && !isTest(path) && !alive.has(path));
}
