import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DataSet } from "../../dicom/data-set.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import type { OptionName } from "../profiles/options.ts";
import type { Profile } from "../profiles/profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { compileRules } from "../rules/compiled-rules.ts";
import { part10Bytes, put } from "./objects.ts";

/** The basic profile with options, and with what else a profile can say. */
export function profileWith(options: readonly OptionName[], changes: Partial<Profile> = {}): Profile {
  const rules = compileRules(["basic", ...options]);
  return { ...loadProfile("basic"), options: ["basic", ...options], rules, rulesFor: () => rules, ...changes };
}

export interface Deidentified {
  readonly outcome: InstanceOutcome;
  /** Empty when nothing came out. */
  readonly bytes: Buffer;
  readonly dataSet: DataSet;
}

/** One object through the whole engine, verification included. */
export async function deidentifyObject(
  dataSet: DataSet,
  profile: Profile,
  options: { readonly transferSyntaxUid?: string } = {},
): Promise<Deidentified> {
  const folder = await mkdtemp(join(tmpdir(), "deid-object-"));
  try {
    const path = await put(join(folder, "in.dcm"), await part10Bytes(dataSet, options));
    const engine = createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 21)), filters: {} });
    const outputPath = join(folder, "out.dcm");
    const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 5 };
    const outcome = await engine.instance(task, neverAborted());
    if (outcome.kind !== "deidentified") return { outcome, bytes: Buffer.alloc(0), dataSet: new Map() };
    await using file = await readPart10File(outputPath);
    return { outcome, bytes: await readFile(outputPath), dataSet: file.dataSet };
  } finally {
    await rm(folder, { recursive: true });
  }
}
