import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../tidy/repository.ts";

const DOCS = join(ROOT, "docs");

/** The code blocks of a page that are in one language, in their order. */
export function blocksOf(page: string, language: string): readonly string[] {
  const text = readFileSync(join(DOCS, page), "utf8");
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, name, code = ""]) =>
    name === language ? [code] : [],
  );
}

/** Every page of the documentation, without dated notes. */
export function docsPages(): readonly string[] {
  return readdirSync(DOCS).filter((name) => name.endsWith(".md"));
}

/** Blocks of shell and of no language: what people type. */
function typedBlocksOf(page: string): readonly string[] {
  const text = readFileSync(join(DOCS, page), "utf8");
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, name = "", code = ""]) =>
    ["", "sh", "shell", "bash"].includes(name) ? [code] : [],
  );
}

/** The words of each call of the program that a page shows on a line of its own, without its name; comments, pipes and what follows are left out. */
export function callsOf(page: string): readonly (readonly string[])[] {
  return typedBlocksOf(page).flatMap((code) => callsIn(code.replaceAll(/\\\n\s*/g, " ")));
}

/** The words of each call that stands on a line of its own, with that indentation. */
export function callsIn(text: string, indentation = ""): readonly (readonly string[])[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${indentation}radferry `))
    .map((line) => wordsOf(line.trimStart()).slice(1));
}

/** As a shell divides them, up to what is not the call itself. */
function wordsOf(line: string): readonly string[] {
  const words = [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word);
  const end = words.findIndex((word) => /^(?:#|\||\|\||&&|&|>|2>|<)/.test(word));
  return (end === -1 ? words : words.slice(0, end)).map((word) => word.replaceAll(/^['"]|['"]$/g, ""));
}

/** The same of calls in the text itself, which may leave out what does not matter there. */
export function mentionsOf(page: string): readonly (readonly string[])[] {
  const text = readFileSync(join(DOCS, page), "utf8").replaceAll(/^```.*?^```$/gms, "");
  return [...text.matchAll(/`(radferry\s[^`]+)`/g)].map(([, call = ""]) =>
    wordsOf(call.replaceAll(/\s+/g, " ")).slice(1),
  );
}
