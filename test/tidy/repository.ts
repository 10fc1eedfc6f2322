import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");

/** A text of the repository; the path is relative to its root, with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What is not committed, as `.gitignore` has it, and what git itself keeps. */
const NOT_OURS = new Set([".git", "node_modules", ".radferry", "demo-output", "coverage", "dist", "test-output"]);

let known: readonly SourceFile[] | undefined;

/** Every file that is or will be committed, read once. */
export function repositoryFiles(): readonly SourceFile[] {
  known ??= [...filesBelow(ROOT)].map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, "utf8") }));
  return known;
}

/** TypeScript below the given folders; what a script generated is not judged. */
export function typeScriptFiles(...folders: readonly string[]): readonly SourceFile[] {
  return repositoryFiles().filter(
    ({ path }) => /(?<!\.generated|\.d)\.tsx?$/.test(path) && folders.some((folder) => path.startsWith(`${folder}/`)),
  );
}

/** A test, or a helper of tests that stands beside them in a folder named testing. */
export function isTest(path: string): boolean {
  return /\.(test|testing)\.tsx?$/.test(path) || path.split("/").includes("testing");
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (NOT_OURS.has(entry.name) || entry.name.endsWith(".log")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}
