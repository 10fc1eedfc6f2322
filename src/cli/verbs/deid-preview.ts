import { resolve } from "node:path";
import { type Preview, type PreviewElement, previewDeidentification, type ValueFacts } from "../../deid/preview.ts";
import { projectKeyOf } from "../../deid/pseudonyms/project-key.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { tableLines } from "../table.ts";
import { profileOf } from "./deid-run-options.ts";

const HEADINGS = ["ELEMENT", "KEYWORD", "VR", "ACTION", "BEFORE", "AFTER"];

/** No value is shown, so that key and lookup table do not matter: any will do. */
const KEY_BYTES = 32;
const ANY_PSEUDONYMS = { mode: "hmac", lookup: "none" } as const;

export async function preview({ world, printer }: Cli, file: string, profileName: string): Promise<ExitCode> {
  const profile = profileOf(profileName, world.workingFolder);
  const document = await previewDeidentification({
    path: resolve(world.workingFolder, file),
    profile: { ...profile, pseudonyms: { ...profile.pseudonyms, ...ANY_PSEUDONYMS } },
    key: projectKeyOf(new Uint8Array(KEY_BYTES)),
    signal: world.stop,
  });
  if (printer.json) await printer.document(document, () => []);
  else await printer.list(document.elements, (elements) => previewLines(document, elements));
  return EXIT.fine;
}

async function* previewLines(
  { outcome, code, reason }: Preview,
  elements: AsyncIterable<PreviewElement>,
): AsyncGenerator<string> {
  const why = [code, reason].filter((part) => part !== undefined).join(", ");
  yield why === "" ? outcome : `${outcome}: ${why}`;
  if (outcome === "deidentified") yield* tableLines(HEADINGS, rows(elements));
}

async function* rows(elements: AsyncIterable<PreviewElement>): AsyncGenerator<readonly string[]> {
  for await (const { path, keyword, vr, action, before, after } of elements) {
    yield [path, keyword, vr, action, factsText(before), factsText(after)];
  }
}

function factsText(facts: ValueFacts | undefined): string {
  if (facts === undefined) return "-";
  return facts.length === undefined ? facts.class : `${facts.class} ${facts.length}`;
}
