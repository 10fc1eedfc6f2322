import { z } from "zod";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { ProfileFinding, ProfileProblem } from "./profile-problems.ts";
import { readYaml, schemaFindings } from "./read-profile.ts";

/** One of PIXL's tag operations: `element` counts in the file, private ones included. */
export interface PixlOperation {
  readonly tag: Tag;
  readonly name: string;
  readonly op: string;
  /** Where it is written. */
  readonly file: string;
  readonly index: number;
}

/** Operations for the objects of a manufacturer. */
export interface PixlOverride {
  /** As PIXL has it: searched for in Manufacturer, in any letter case. */
  readonly manufacturer: string;
  readonly operations: readonly PixlOperation[];
}

/** A file as it is read. */
export interface PixlFile {
  /** For messages. */
  readonly name: string;
  readonly text: string;
}

export interface PixlRead<T> {
  readonly read: readonly T[];
  readonly problems: readonly ProfileProblem[];
}

const MOST_OPERATIONS = 20_000;
const number = z.int().min(0).max(0xffff);
const operation = z.object({
  name: z.string().max(1000).default(""),
  group: number,
  element: number,
  op: z.string().min(1).max(100),
});
const baseFile = z.array(operation).max(MOST_OPERATIONS);
const overrideFile = z
  .array(z.object({ manufacturer: z.string().min(1).max(1000), tags: z.array(operation).max(MOST_OPERATIONS) }))
  .max(1000);

export function readPixlOperations(file: PixlFile): PixlRead<PixlOperation> {
  const { values, problems, locate } = readYaml(file.text);
  if (problems.length > 0) return { read: [], problems: inFile(file, problems) };
  const parsed = baseFile.safeParse(values ?? []);
  if (!parsed.success) return { read: [], problems: inFile(file, schemaFindings(parsed.error.issues).map(locate)) };
  return { read: parsed.data.map((one, index) => operationOf(one, file, index)), problems: [] };
}

export function readPixlOverrides(file: PixlFile): PixlRead<PixlOverride> {
  const { values, problems, locate } = readYaml(file.text);
  if (problems.length > 0) return { read: [], problems: inFile(file, problems) };
  const parsed = overrideFile.safeParse(values ?? []);
  if (!parsed.success) return { read: [], problems: inFile(file, schemaFindings(parsed.error.issues).map(locate)) };
  const read = parsed.data.map(({ manufacturer, tags }) => ({
    manufacturer,
    operations: tags.map((one, index) => operationOf(one, file, index)),
  }));
  return { read, problems: [] };
}

function operationOf(one: z.output<typeof operation>, file: PixlFile, index: number): PixlOperation {
  return { tag: tagOf(one.group * 0x10000 + one.element), name: one.name, op: one.op, file: file.name, index };
}

function inFile({ name }: PixlFile, problems: readonly ProfileProblem[]): readonly ProfileProblem[] {
  return problems.map((problem) => ({ ...problem, path: problem.path === "" ? name : `${name}: ${problem.path}` }));
}

/** Of operations for one tag the last counts; the order is that of the tags. */
export function mergeOperations(operations: readonly PixlOperation[]): readonly PixlOperation[] {
  return [...new Map(operations.map((one) => [one.tag, one])).values()].sort((a, b) => a.tag - b.tag);
}

/** What is wrong with an operation, by the place it stands at. */
export function operationFinding({ file, index }: PixlOperation, message: string): ProfileFinding {
  return { path: [file, index], code: "PIXL_OPERATION_INVALID", message };
}
