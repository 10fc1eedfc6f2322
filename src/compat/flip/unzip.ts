import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ByteSource } from "../../dicom/data-set.ts";
import { fileSource } from "../../dicom/sources.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { memberContent } from "../../network/zip/member-content.ts";
import { readZipMembers, ZIP_LIMITS, type ZipMember } from "../../network/zip/zip-members.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { HttpError } from "./errors.ts";

const TRAVERSAL = "Attempted path traversal in ZIP entry";
/** What is told of a zip that cannot be taken. */
const DETAILS: Readonly<Partial<Record<ErrorCode, string>>> = {
  ZIP_UNREADABLE: "XNAT sent no ZIP file",
  ZIP_ENTRY_UNSAFE: TRAVERSAL,
  ZIP_ENTRY_ENCRYPTED: "a ZIP entry is compressed in an unknown way",
  ZIP_ENTRY_UNSUPPORTED: "a ZIP entry is compressed in an unknown way",
  ZIP_ENTRY_TOO_LARGE: "a ZIP entry is too large",
  ZIP_ENTRY_DAMAGED: "a ZIP entry is damaged",
};
/** Masks of images are mostly zeros: what they are packed to says nothing. */
const LIMITS = { ...ZIP_LIMITS, ratio: Number.POSITIVE_INFINITY };

/** @throws HttpError 400 in FLIP's words */
function invalid(detail: string): HttpError {
  return new HttpError(400, `Invalid download request: ${detail}`, { code: "FLIP_DOWNLOAD_INVALID" });
}

/**
 * Writes the files of a zip file below a folder, each whole or not at all, streaming. All names are looked at before anything is written.
 * @param place where below the folder a file goes, by its name in the zip file
 * @throws HttpError 400 for names that lead out of the folder, and for what is no zip file or damaged; errors of the file system
 */
export async function unzip(
  path: string,
  folder: string,
  options: { readonly place: (name: string) => string; readonly signal: AbortSignal },
): Promise<number> {
  await using zip = await fileSource(path);
  const base = resolve(folder);
  const targets = (await membersOf(zip)).map((member) => {
    const target = resolve(base, options.place(member.name));
    if (!target.startsWith(base + sep)) throw invalid(TRAVERSAL);
    return { member, target };
  });
  for (const { member, target } of targets) {
    options.signal.throwIfAborted();
    await makeFolders(dirname(target));
    await extract(zip, member, target, options.signal);
  }
  return targets.length;
}

/** All of them, or none. */
async function membersOf(zip: ByteSource): Promise<readonly ZipMember[]> {
  const { members, skipped } = await readZipMembers(zip, LIMITS).catch(rethrowInvalid);
  const [code] = skipped.keys();
  if (code !== undefined) throw invalid(DETAILS[code] ?? code);
  return members;
}

async function extract(zip: ByteSource, member: ZipMember, target: string, signal: AbortSignal): Promise<void> {
  const temporary = join(dirname(target), `.${crypto.randomUUID()}.part`);
  try {
    await pipeline(memberContent(zip, member), createWriteStream(temporary, { flags: "wx" }), { signal });
    await rename(temporary, target);
  } catch (thrown) {
    await rm(temporary, { force: true });
    rethrowInvalid(thrown);
  }
}

function rethrowInvalid(thrown: unknown): never {
  const detail = DETAILS[toGatewayError(thrown).code];
  throw detail === undefined ? thrown : invalid(detail);
}
