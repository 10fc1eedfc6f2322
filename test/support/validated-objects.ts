import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDeidentifier } from "../../src/deid/deidentifier.ts";
import type { ExternalCodec } from "../../src/deid/pixels/external-codec.ts";
import { pixelLayoutOf } from "../../src/deid/pixels/pixel-layout.ts";
import { type PixelSettings, USUAL_PIXELS } from "../../src/deid/pixels/pixel-settings.ts";
import { PIXEL_GROUPS } from "../../src/deid/pixels/sop-classes.ts";
import { loadProfile } from "../../src/deid/profiles/load-profile.ts";
import { OPTION_NAMES, SUPPORTED_OPTIONS } from "../../src/deid/profiles/options.ts";
import type { Profile } from "../../src/deid/profiles/profile.ts";
import { projectKeyOf } from "../../src/deid/pseudonyms/project-key.ts";
import { soundFiles } from "../../src/deid/testing/corpus-images.ts";
import { profileWith } from "../../src/deid/testing/deidentify.ts";
import { readPart10File } from "../../src/dicom/reader.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { dciodvfyErrors, dciodvfyErrorsOfSource, newErrors } from "../peers/dciodvfy.ts";
import { findPeer } from "../peers/require-peer.ts";
import type { SyntheticModality } from "../peers/synthetic-modules.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { plantedSet } from "../quality/planted-set.ts";

/** A file for the validator. */
export interface ValidatedObject {
  readonly name: string;
  readonly path: string;
}

const SYNTHETIC: readonly SyntheticModality[] = ["CT", "MR", "PT", "DX", "US"];
const JPEG = ["50", "51", "57", "70"].map((syntax) => `1.2.840.10008.1.2.4.${syntax}`);

/** Real objects; of each SOP class the smallest. */
export async function corpusObjectsByKind(
  corpus: string,
  { perClass, largestBytes }: { readonly perClass: number; readonly largestBytes: number },
): Promise<readonly ValidatedObject[]> {
  const files = (await soundFiles(corpus)).filter(({ sizeBytes }) => sizeBytes <= largestBytes);
  const kinds = Map.groupBy(files, ({ sopClassUid }) => sopClassUid);
  return [...kinds.values()]
    .flatMap((kind) => kind.sort((a, b) => a.sizeBytes - b.sizeBytes).slice(0, perClass))
    .map(({ path }) => ({ name: path.slice(corpus.length), path }));
}

/** One of every modality of the planted set, and of those that are sound in themselves. */
export async function madeUpObjects(folder: string): Promise<readonly ValidatedObject[]> {
  const { files } = await plantedSet({ seed: 57, patients: 4, visitsPerPatient: 1 });
  const planted = [...new Map(files.map(({ modality, bytes }) => [`planted ${modality}`, bytes]))];
  const synthetic = SYNTHETIC.map((modality) => [`synthetic ${modality}`, fileOf(modality)] as const);
  const objects: ValidatedObject[] = [];
  for (const [index, [name, bytes]] of [...planted, ...synthetic].entries()) {
    const path = join(folder, `made-up-${index}.dcm`);
    await writeFile(path, bytes);
    objects.push({ name, path });
  }
  return objects;
}

function fileOf(modality: SyntheticModality): Uint8Array {
  return syntheticStudy({ seed: 44, modality }).instances[0]?.file ?? new Uint8Array();
}

/** Everything may leave, so that everything is held against the standard. */
const EVERYTHING: PixelSettings = { ...USUAL_PIXELS, allow: [...PIXEL_GROUPS], allowAbsent: "signed off" };
const EVERY_OPTION = OPTION_NAMES.filter(
  (name) =>
    SUPPORTED_OPTIONS.has(name) && !["basic", "clean-pixel-data", "retain-longitudinal-modified-dates"].includes(name),
);

const WHOLE: ReadonlyMap<string, () => Profile> = new Map([
  ["basic", (): Profile => ({ ...loadProfile("basic"), pixels: EVERYTHING, documents: "replace", sr: "skeleton" })],
  ["research", (): Profile => ({ ...loadProfile("research"), pixels: EVERYTHING, documents: "replace" })],
  ["every option", () => profileWith(EVERY_OPTION, { pixels: EVERYTHING, documents: "replace", sr: "keep" })],
]);
/** Behind a mask over the upper half of any image. */
const MASKED: ReadonlyMap<string, () => Profile> = new Map([
  ["basic, masked", () => loadProfile("basic")],
  ["research, masked", () => loadProfile("research")],
]);

export const VALIDATED_PROFILES: readonly string[] = [...WHOLE.keys(), ...MASKED.keys()];

export interface Validated {
  /** Outputs that were held against the standard. */
  readonly outputs: number;
  /** "object: error" for each error that the object came without. */
  readonly added: readonly string[];
}

/** De-identifies each object by the profile of this name, and compares what dciodvfy says of it before and after. */
export async function validateOutputs(
  profileName: string,
  objects: readonly ValidatedObject[],
  folder: string,
): Promise<Validated> {
  const codecs = await codecsIn(folder);
  const added: string[] = [];
  let outputs = 0;
  const outputPath = join(folder, "out.dcm");
  for (const { name, path } of objects) {
    const profile = await profileFor(profileName, path);
    if (profile === undefined) continue;
    const engine = createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 8)), filters: {}, codecs });
    const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 5 };
    const outcome = await engine.instance(task, neverAborted());
    if (outcome.kind !== "deidentified") continue;
    outputs += 1;
    const errors = newErrors(await errorsOfSource(path), await dciodvfyErrors(outputPath));
    added.push(...errors.map((error) => `${name}: ${error}`));
  }
  return { outputs, added };
}

/** An object is compared with several outputs. */
const errorsOfSources = new Map<string, ReturnType<typeof dciodvfyErrorsOfSource>>();
function errorsOfSource(path: string): ReturnType<typeof dciodvfyErrorsOfSource> {
  const known = errorsOfSources.get(path) ?? dciodvfyErrorsOfSource(path);
  errorsOfSources.set(path, known);
  return known;
}

/** Undefined: the object has no pixels that a mask could cover. */
async function profileFor(name: string, path: string): Promise<Profile | undefined> {
  const masked = MASKED.get(name)?.();
  if (masked === undefined) return WHOLE.get(name)?.();
  await using file = await readPart10File(path);
  const layout = pixelLayoutOf(file.dataSet, false);
  if (layout === undefined) return undefined;
  const { rows, columns } = layout;
  const rectangles = [{ x: 0, y: 0, width: columns, height: Math.ceil(rows / 2) }];
  const mask = { name: "upper-half", when: { rows, columns }, area: { kind: "rectangles", rectangles } } as const;
  return { ...masked, pixels: { ...EVERYTHING, masks: [mask] } };
}

/** JPEG as dcmtk decodes it, where it is installed. */
async function codecsIn(folder: string): Promise<readonly ExternalCodec[]> {
  const dcmdjpeg = findPeer("dcmdjpeg");
  if (dcmdjpeg === undefined) return [];
  const path = join(folder, "dcmdjpeg.sh");
  await writeFile(path, `#!/bin/sh\ncat > in && ${dcmdjpeg} in out > log 2>&1 && cat out\n`, { mode: 0o700 });
  return [{ transferSyntaxUids: JPEG, command: [path], timeoutMs: 30_000 }];
}
