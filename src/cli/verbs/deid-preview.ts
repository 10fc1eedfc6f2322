import { resolve } from "node:path";
import { Readable } from "node:stream";
import type { Settings } from "../../config/settings.ts";
import {
  type Preview,
  type PreviewElement,
  type PreviewTask,
  previewDeidentification,
  type ValueFacts,
} from "../../deid/preview.ts";
import type { Profile } from "../../deid/profiles/profile.ts";
import { loadLookupTable } from "../../deid/pseudonyms/lookup-table.ts";
import { loadPixlSecrets } from "../../deid/pseudonyms/pixl-secrets.ts";
import { loadProjectKey, projectKeyOf } from "../../deid/pseudonyms/project-key.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { errorRegistry } from "../../errors/registry.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway, settingsOf } from "../gateway-session.ts";
import { tableLines } from "../table.ts";
import { writeWholeFile } from "../write-whole-file.ts";
import { profileOf } from "./deid-run-options.ts";

const HEADINGS = ["ELEMENT", "KEYWORD", "VR", "ACTION", "BEFORE", "AFTER"];

/** Where no value is shown, key and lookup table do not matter: any will do. */
const KEY_BYTES = 32;
const ANY_PSEUDONYMS = { mode: "hmac", lookup: "none" } as const;

export interface PreviewOptions {
  readonly profile: string;
  readonly values?: true;
  readonly thumbnail?: string;
  readonly project?: string;
}

type Pseudonyms = Pick<PreviewTask, "profile" | "key" | "lookup" | "pixl">;

export async function preview(cli: Cli, file: string, options: PreviewOptions): Promise<ExitCode> {
  const { world, printer } = cli;
  const profile = profileOf(options.profile, world.workingFolder);
  const values = options.values === true;
  const { thumbnail, ...document } = await previewDeidentification({
    ...(values ? await pseudonymsOfSite(cli, profile, options) : anyPseudonyms(profile)),
    path: resolve(world.workingFolder, file),
    values,
    thumbnail: options.thumbnail !== undefined,
    signal: world.stop,
  });
  if (options.thumbnail !== undefined && thumbnail !== undefined)
    await writeWholeFile(resolve(world.workingFolder, options.thumbnail), Readable.from([thumbnail]));
  if (printer.json) await printer.document(document, () => []);
  else await printer.list(document.elements, (elements) => previewLines(document, elements));
  // That an object would not leave is an answer; that there is no object is none.
  return document.code === "INSTANCE_NOT_PARSABLE" ? EXIT.failed : EXIT.fine;
}

function anyPseudonyms(profile: Profile): Pseudonyms {
  return {
    profile: { ...profile, pseudonyms: { ...profile.pseudonyms, ...ANY_PSEUDONYMS } },
    key: projectKeyOf(new Uint8Array(KEY_BYTES)),
  };
}

/**
 * Asks the site whether values may be shown, which is written down; then takes what the project makes its pseudonyms with.
 * @throws GatewayError IDENTIFIED_VALUES_NEED_SITE, ROLE_INSUFFICIENT, PROJECT_UNKNOWN, KEY_FILE_…, LOOKUP_TABLE_…; SettingsError
 */
async function pseudonymsOfSite(cli: Cli, profile: Profile, { project: name }: PreviewOptions): Promise<Pseudonyms> {
  const { settings } = await loadSiteSettings(cli);
  if (name === undefined) throw new GatewayError("IDENTIFIED_VALUES_NEED_SITE", { missing: "--project" });
  const project = settings.projects.find((one) => one.name === name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  await using gateway = await openGateway(cli, "client");
  await gateway.operations.showIdentifiedValues({ project: name, profile: profile.name });
  const { lookupFile, mergePatients } = project.pseudonyms;
  const lookup = { project: name, merge: mergePatients === true };
  return {
    profile,
    key: await loadProjectKey(project.keyFile),
    lookup: lookupFile === undefined ? undefined : await loadLookupTable(lookupFile, lookup),
    pixl: project.pseudonyms.mode === "pixl" ? await loadPixlSecrets(project.pseudonyms) : undefined,
  };
}

async function loadSiteSettings(cli: Cli): Promise<{ readonly settings: Settings }> {
  try {
    return { settings: await settingsOf(cli) };
  } catch (thrown) {
    const isMissing = toGatewayError(thrown).code === "SETTINGS_FILE_MISSING";
    throw isMissing ? new GatewayError("IDENTIFIED_VALUES_NEED_SITE", { missing: "configuration" }, thrown) : thrown;
  }
}

async function* previewLines(
  { outcome, code, reason }: Preview,
  elements: AsyncIterable<PreviewElement>,
): AsyncGenerator<string> {
  const why = [code, reason].filter((part) => part !== undefined).join(", ");
  yield why === "" ? outcome : `${outcome}: ${why}`;
  if (code !== undefined) yield* [errorRegistry[code].summary, `What to do: ${errorRegistry[code].remedy}`];
  if (outcome === "deidentified") yield* tableLines(HEADINGS, rows(elements));
}

async function* rows(elements: AsyncIterable<PreviewElement>): AsyncGenerator<readonly string[]> {
  for await (const { path, keyword, vr, action, before, after } of elements) {
    yield [path, keyword, vr, action, factsText(before), factsText(after)];
  }
}

function factsText(facts: ValueFacts | undefined): string {
  if (facts === undefined) return "-";
  if (facts.value !== undefined) return facts.value;
  return facts.length === undefined ? facts.class : `${facts.class} ${facts.length}`;
}
