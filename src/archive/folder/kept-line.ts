import { join, relative } from "node:path";
import { z } from "zod";
import { type ErrorCode, isErrorCode } from "../../errors/registry.ts";
import type { ZipMember } from "../../network/zip/zip-members.ts";
import {
  INDEXED_TAGS,
  type IndexedInstance,
  indexedInstance,
  type KnownFile,
  type MediaListing,
  type Place,
} from "./indexed-instance.ts";

const memberShape = z.object({
  name: z.string(),
  isDeflated: z.boolean(),
  sizeBytes: z.number(),
  packedBytes: z.number(),
  sum: z.number(),
  headerOffset: z.number(),
});
const valuesShape = z.array(z.string()).length(INDEXED_TAGS.length);
/** Size, values in the order of INDEXED_TAGS, and where in a zip it lies. */
const instanceShape = z.tuple([z.number(), valuesShape, memberShape.optional()]);
const listingShape = z.object({
  folder: z.string(),
  instances: z.array(z.tuple([z.number(), valuesShape, z.string()])),
  within: z.array(z.string()).optional(),
});
/** Path from the root, size, time; instances, what DICOMDIRs list, and what is passed over. */
const lineShape = z.tuple([
  z.string(),
  z.number(),
  z.number(),
  z.array(instanceShape),
  z.array(listingShape),
  z.array(z.tuple([z.string().refine(isErrorCode), z.number()])),
]);

type Line = z.infer<typeof lineShape>;

/** A file of the index as a line of JSON. */
export function lineOf({ file, contents }: KnownFile, root: string): string {
  const listed: Line[4] = contents.listed.map(({ folder, instances, within }) => ({
    folder,
    instances: instances.map(({ instance, fileName }) => [instance.sizeBytes, [...instance.values], fileName]),
    ...(within === undefined ? {} : { within: [...within] }),
  }));
  const instances: Line[3] = contents.instances.map(({ sizeBytes, values, place: { member } }) =>
    member === undefined ? [sizeBytes, [...values]] : [sizeBytes, [...values], member],
  );
  const skipped: Line[5] = [...contents.skipped];
  const line: Line = [relative(root, file.path), file.sizeBytes, file.mtimeMs, instances, listed, skipped];
  return JSON.stringify(line);
}

/** @throws ZodError, RangeError for what `lineOf` does not write */
export function knownFile(value: unknown, root: string): KnownFile {
  const [name, sizeBytes, mtimeMs, instances, listed, skipped] = lineShape.parse(value);
  const file = { path: name === "" ? root : join(root, name), sizeBytes, mtimeMs };
  return {
    file,
    contents: {
      instances: instances.map(([size, values, member]) => instanceOf(placeOf(file, member), size, values)),
      listed: listed.map(listingOf),
      skipped: new Map<ErrorCode, number>(skipped),
    },
  };
}

function placeOf(file: Place["file"], member: ZipMember | undefined): Place {
  return member === undefined ? { file } : { file, member };
}

function listingOf({ folder, instances, within }: Line[4][number]): MediaListing {
  return {
    folder,
    instances: instances.map(([size, values, fileName]) => ({
      instance: instanceOf({ file: undefined }, size, values),
      fileName,
    })),
    ...(within === undefined ? {} : { within: new Set(within) }),
  };
}

function instanceOf(place: Place, sizeBytes: number, values: readonly string[]): IndexedInstance {
  const positions = values.values();
  // It asks for the values in the order in which they stand.
  const instance = indexedInstance(place, sizeBytes, () => positions.next().value ?? "");
  if (instance === undefined) throw new RangeError("no UIDs");
  return instance;
}
