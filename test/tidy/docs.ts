import { posix } from "node:path";
import type { SourceFile } from "./repository.ts";

const MARKDOWN_LINK = /\]\((?!https?:|mailto:|#)([^)#\s]+)/g;

/** A page has one title, at its beginning. Code blocks may hold lines that look like titles. */
export function titleProblem({ path, text }: SourceFile): string | undefined {
  const titles = withoutCode(text).match(/^# .+$/gm) ?? [];
  if (titles.length === 1 && text.startsWith("# ")) return undefined;
  return `${path} has ${titles.length} titles: begin it with one \`# Title\`, and no other`;
}

/** Links to files of the repository that are not there. */
export function brokenLinks({ path, text }: SourceFile, exists: (path: string) => boolean): readonly string[] {
  return [...withoutCode(text).matchAll(MARKDOWN_LINK)]
    .map(([, target = ""]) => posix.join(posix.dirname(path), target).replace(/\/$/, ""))
    .filter((target) => !exists(target))
    .map((target) => `${path} links to ${target}, which does not exist`);
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "");
}

/** A command with those below it. */
export interface Command {
  readonly name: string;
  readonly commands: readonly Command[];
}

/** `radferry VERB` of which the command line knows nothing. What follows a verb without verbs of its own is its arguments. */
export function unknownVerbs({ path, text }: SourceFile, program: Command): readonly string[] {
  const calls = new RegExp(String.raw`(?<![\w.-])${program.name}((?: [a-z][a-z0-9-]*(?![\w./=-]))+)`, "g");
  return [...text.matchAll(calls)]
    .filter(([, words = ""]) => !isKnown(program, words.trim().split(" ")))
    .map(([call]) => `${path} says "${call}", which the command line does not know`);
}

/** `npm run NAME` of which package.json knows nothing. */
export function unknownScripts({ path, text }: SourceFile, scripts: ReadonlySet<string>): readonly string[] {
  return [...text.matchAll(/\bnpm run ([\w:-]+)/g)]
    .filter(([, name = ""]) => !scripts.has(name))
    .map(([call]) => `${path} says "${call}", which package.json does not know`);
}

function isKnown({ commands }: Command, [word, ...rest]: readonly string[]): boolean {
  if (word === undefined || commands.length === 0) return true;
  const next = commands.find(({ name }) => name === word);
  return next !== undefined && isKnown(next, rest);
}
