import { posix, relative, sep } from "node:path";
import type { ByteSource } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { fileSource, readPart10 } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { textOf, uidOf } from "../../dicom/values.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { memberContent } from "../../network/zip/member-content.ts";
import { readZipMembers, type ZipMember } from "../../network/zip/zip-members.ts";
import { isMissing } from "../../units/durable-files.ts";
import { listedInMedia, MEDIA_DIRECTORY } from "./dicomdir.ts";
import { headSource } from "./head-source.ts";
import {
  canonicalName,
  type FileContents,
  type FileFacts,
  type IndexedInstance,
  indexedInstance,
  type ListedOnMedia,
  type MediaListing,
  type Place,
} from "./indexed-instance.ts";

/** "DICM" behind the preamble. PS3.10 7.1. */
const [DICM_OFFSET, DICM] = [128, "DICM"];
/** A local header, or the end of an empty zip. APPNOTE 4.3.7, 4.3.16. */
const ZIP_STARTS: ReadonlySet<string> = new Set(["PK\x03\x04", "PK\x05\x06"]);
/** File meta information is within it: it tells a DICOMDIR. */
const HEAD_BYTES = 1024;
/** A header that needs more is none. */
const MOST_HEADER_BYTES = 64 * 1024 * 1024;
/** Of a file in a zip so much is unpacked at once to see its header. */
const MEMBER_READ_BYTES = 16 * 1024;
const DIRECTORY_RECORDS = tagOf(0x00041220);

/** What one thing that was read turned out to be. */
type Finding =
  | { readonly kind: "instance"; readonly instance: IndexedInstance }
  | { readonly kind: "listing"; readonly listed: readonly ListedOnMedia[] }
  | { readonly kind: "zip" }
  | { readonly kind: "skipped"; readonly code: ErrorCode };

/**
 * What a file below the root holds: an instance, a DICOMDIR, or a zip of them. Headers are read, and no more. Undefined: it is gone.
 * @throws GatewayError ARCHIVE_FOLDER_UNREADABLE when it is there and may not be read
 */
export async function contentsOf(
  file: FileFacts,
  root: string,
  signal: AbortSignal,
): Promise<FileContents | undefined> {
  try {
    await using source = await fileSource(file.path);
    const finding = await findingIn(source, { file });
    if (finding.kind === "zip") return await zipContents(source, file, signal);
    const name = relative(root, file.path).split(sep).join("/");
    return gathered([{ name, finding }], undefined);
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    signal.throwIfAborted();
    throw new GatewayError("ARCHIVE_FOLDER_UNREADABLE", {}, thrown);
  }
}

async function findingIn(source: ByteSource, place: Place): Promise<Finding> {
  try {
    const head = Buffer.from(await source.read(0, Math.min(HEAD_BYTES, source.sizeBytes)));
    if (head.toString("latin1", DICM_OFFSET, DICM_OFFSET + DICM.length) === DICM)
      return head.includes(MEDIA_DIRECTORY) ? await listing(source) : await instanceIn(source, place);
    const isZip = place.member === undefined && ZIP_STARTS.has(head.toString("latin1", 0, 4));
    return isZip ? { kind: "zip" } : { kind: "skipped", code: "NOT_DICOM" };
  } catch (thrown) {
    // Half written, or damaged: staging would refuse it.
    if (thrown instanceof GatewayError) return { kind: "skipped", code: skippedAs(thrown) };
    throw thrown;
  }
}

function skippedAs({ code }: GatewayError): ErrorCode {
  return code.startsWith("ZIP_") || code.startsWith("MEDIA_") ? code : "INSTANCE_UNREADABLE";
}

async function instanceIn(source: ByteSource, place: Place): Promise<Finding> {
  const { dataSet } = await readPart10(source, {
    stopBefore: tags.PixelData,
    limits: { heldBytes: MOST_HEADER_BYTES, inflatedBytes: 4 * MOST_HEADER_BYTES },
  });
  const instance = indexedInstance(place, source.sizeBytes, (tag) => textOf(dataSet, tag)?.trim() ?? "");
  return instance === undefined ? { kind: "skipped", code: "INSTANCE_UNREADABLE" } : { kind: "instance", instance };
}

async function listing(source: ByteSource): Promise<Finding> {
  const file = await readPart10(source, { stopBefore: DIRECTORY_RECORDS }).catch((thrown: unknown) => {
    throw new GatewayError("MEDIA_DIRECTORY_UNREADABLE", {}, thrown);
  });
  const isDirectory = uidOf(file.meta, tags.MediaStorageSOPClassUID) === MEDIA_DIRECTORY;
  if (!isDirectory) throw new GatewayError("MEDIA_DIRECTORY_UNREADABLE", { what: "class" });
  return { kind: "listing", listed: await listedInMedia(file) };
}

async function zipContents(zip: ByteSource, file: FileFacts, signal: AbortSignal): Promise<FileContents> {
  try {
    const { members, skipped } = await readZipMembers(zip);
    const findings: NamedFinding[] = [];
    for (const member of members) {
      signal.throwIfAborted();
      findings.push({ name: member.name, finding: await memberFinding(zip, file, member) });
    }
    const within = new Set(members.map(({ name }) => canonicalName(name)));
    const { skipped: more, ...found } = gathered(findings, within);
    return { ...found, skipped: sumOf([skipped, more]) };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code } = toGatewayError(thrown);
    if (code !== "ZIP_UNREADABLE") throw thrown;
    return { instances: [], listed: [], skipped: new Map([[code, 1]]) };
  }
}

async function memberFinding(zip: ByteSource, file: FileFacts, member: ZipMember): Promise<Finding> {
  const content = memberContent(zip, member, { readBytes: MEMBER_READ_BYTES });
  await using head = headSource(content, member.sizeBytes, MOST_HEADER_BYTES);
  return await findingIn(head, { file, member });
}

interface NamedFinding {
  readonly name: string;
  readonly finding: Finding;
}

/** @param within names of the zip that all of it lies in */
function gathered(findings: readonly NamedFinding[], within: ReadonlySet<string> | undefined): FileContents {
  const instances: IndexedInstance[] = [];
  const listed: MediaListing[] = [];
  const skipped = new Map<ErrorCode, number>();
  for (const { name, finding } of findings) {
    if (finding.kind === "instance") instances.push(finding.instance);
    else if (finding.kind === "listing") {
      const folder = posix.dirname(canonicalName(name));
      listed.push({ folder, instances: finding.listed, ...(within !== undefined && { within }) });
    } else if (finding.kind === "skipped") skipped.set(finding.code, (skipped.get(finding.code) ?? 0) + 1);
  }
  return { instances, listed, skipped };
}

export function sumOf(counts: readonly ReadonlyMap<ErrorCode, number>[]): ReadonlyMap<ErrorCode, number> {
  const sum = new Map<ErrorCode, number>();
  for (const each of counts) for (const [code, count] of each) sum.set(code, (sum.get(code) ?? 0) + count);
  return sum;
}
