import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../tidy/repository.ts";

const DOCS = join(ROOT, "docs");

/** The code blocks of a page that are in one language, in their order. */
export function blocksOf(page: string, language: string): readonly string[] {
  const text = readFileSync(join(DOCS, page), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, code = ""]) =>
    name === language ? [code] : [],
  );
}

/** Every page of the documentation, without dated notes. */
export function docsPages(): readonly string[] {
  return readdirSync(DOCS).filter((name) => name.endsWith(".md"));
}
