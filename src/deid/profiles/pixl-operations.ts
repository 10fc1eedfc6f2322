import { z } from "zod";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { FileProblem, Finding } from "../../units/file-problems.ts";
import type { YamlPath } from "../../units/yaml-places.ts";
import { readYaml, schemaFindings } from "./read-profile.ts";

/** One of PIXL's tag operations: what is done with an attribute. */
export interface PixlOperation {
  readonly tag: Tag;
  readonly name: string;
  readonly op: string;
  /** Where it is written: the file's name, then the place in it. */
  readonly path: YamlPath;
}

/** Operations for the objects of a manufacturer. */
export interface PixlOverride {
  /** A regular expression, which PIXL looks for anywhere in Manufacturer, in any letter case. */
  readonly manufacturer: string;
  readonly operations: readonly PixlOperation[];
}

/** The text of a file of operations. */
export interface PixlFile {
  /** For messages. */
  readonly name: string;
  readonly text: string;
}

export interface PixlRead<T> {
  readonly read: readonly T[];
  readonly problems: readonly FileProblem[];
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
  return { read: parsed.data.map((one, index) => operationOf(one, [file.name, index])), problems: [] };
}

export function readPixlOverrides(file: PixlFile): PixlRead<PixlOverride> {
  const { values, problems, locate } = readYaml(file.text);
  if (problems.length > 0) return { read: [], problems: inFile(file, problems) };
  const parsed = overrideFile.safeParse(values ?? []);
  if (!parsed.success) return { read: [], problems: inFile(file, schemaFindings(parsed.error.issues).map(locate)) };
  const read = parsed.data.map(({ manufacturer, tags }, place) => ({
    manufacturer,
    operations: tags.map((one, index) => operationOf(one, [file.name, place, "tags", index])),
  }));
  return { read, problems: [] };
}

function operationOf({ group, element, name, op }: z.output<typeof operation>, path: YamlPath): PixlOperation {
  return { tag: tagOf(group * 0x10000 + element), name, op, path };
}

function inFile({ name }: PixlFile, problems: readonly FileProblem[]): readonly FileProblem[] {
  return problems.map((problem) => ({ ...problem, path: problem.path === "" ? name : `${name}: ${problem.path}` }));
}

/** One operation for each tag, the last that is written; in the order of the tags. */
export function mergeOperations(operations: readonly PixlOperation[]): readonly PixlOperation[] {
  return [...new Map(operations.map((one) => [one.tag, one])).values()].sort((a, b) => a.tag - b.tag);
}

export function operationFinding({ path }: PixlOperation, message: string): Finding {
  return { path, code: "PIXL_OPERATION_INVALID", message };
}
