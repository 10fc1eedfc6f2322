import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { createDeidentifier } from "../../../../src/deid/deidentifier.ts";
import type { InstanceOutcome, InstanceSummary } from "../../../../src/deid/outcome.ts";
import { loadProfile } from "../../../../src/deid/profiles/load-profile.ts";
import type { Profile } from "../../../../src/deid/profiles/profile.ts";
import { projectKeyOf } from "../../../../src/deid/pseudonyms/project-key.ts";
import type { DataSet, Part10File } from "../../../../src/dicom/data-set.ts";
import { readPart10File } from "../../../../src/dicom/reader.ts";
import { tagOf } from "../../../../src/dicom/tag.ts";
import { neverAborted } from "../../../../src/units/abort.ts";
import type { Tokens } from "./tokens.ts";
import { tracesOf } from "./traces.ts";

export interface Result {
  readonly outcome: InstanceOutcome;
  /** The output's; empty when there is none. */
  readonly bytes: Buffer;
  readonly meta: DataSet;
  readonly dataSet: DataSet;
  /** Of native pixel data the value, of encapsulated the fragments one behind the other, without the offset table. */
  readonly pixels: Buffer;
  readonly transferSyntaxUid: string;
  readonly summary: InstanceSummary | undefined;
}

const KEY = projectKeyOf(Buffer.alloc(32, 11));
const NOTHING = {
  bytes: Buffer.alloc(0),
  pixels: Buffer.alloc(0),
  meta: new Map(),
  dataSet: new Map(),
  transferSyntaxUid: "",
  summary: undefined,
};

/** A file through the whole engine, verification included; without an output there is no file left. */
export async function deidentify(file: Uint8Array, profile: Profile | string = "basic"): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "acceptance-"));
  try {
    const [path, outputPath] = [join(folder, "in.dcm"), join(folder, "out.dcm")];
    await writeFile(path, file);
    const loaded = typeof profile === "string" ? loadProfile(profile) : profile;
    const engine = createDeidentifier({ profile: loaded, key: KEY, filters: {} });
    const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 1 };
    const outcome = await engine.instance(task, neverAborted());
    expect((await readdir(folder)).sort()).toEqual(
      outcome.kind === "deidentified" ? ["in.dcm", "out.dcm"] : ["in.dcm"],
    );
    if (outcome.kind !== "deidentified") return { outcome, ...NOTHING };
    await using output = await readPart10File(outputPath);
    expect(output.findings).toEqual([]);
    const { meta, dataSet, transferSyntaxUid } = output;
    const [bytes, pixels] = [await readFile(outputPath), await pixelsOf(output)];
    return { outcome, bytes, meta, dataSet, pixels, transferSyntaxUid, summary: outcome.summary };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function pixelsOf({ dataSet, source }: Part10File): Promise<Buffer> {
  const { value } = dataSet.get(tagOf(0x7fe00010)) ?? {};
  if (value?.kind === "bytes") return Buffer.from(value.bytes);
  const ranges = value?.kind === "range" ? [value.range] : value?.kind === "fragments" ? value.fragments.slice(1) : [];
  return Buffer.concat(await Promise.all(ranges.map(({ offset, length }) => source.read(offset, length))));
}

/** There is an output, and no planted identifier in any byte of it nor in what is told about it. */
export function expectGone(
  { outcome, bytes, summary }: Result,
  tokens: Tokens,
  encoded: readonly Uint8Array[] = [],
): void {
  expect(outcome.kind === "deidentified" ? "" : outcome).toBe("");
  expect(tokens.planted.length + encoded.length).toBeGreaterThan(0);
  expect(tracesOf(bytes, tokens.marks, encoded)).toEqual([]);
  expect(tracesOf(Buffer.from(told(summary)), tokens.marks, encoded)).toEqual([]);
}

/** There is no output, and the refusal names no planted identifier. */
export function expectRefused({ outcome, bytes }: Result, tokens: Tokens): string {
  expect(outcome.kind).toBe("rejected");
  expect(bytes).toHaveLength(0);
  expect(tracesOf(Buffer.from(JSON.stringify(outcome)), tokens.marks)).toEqual([]);
  return outcome.kind === "rejected" ? `${outcome.code} ${outcome.reason}` : "";
}

function told(summary: InstanceSummary | undefined): string {
  return JSON.stringify(summary, (_, value) => (value instanceof Map ? [...value] : value));
}
