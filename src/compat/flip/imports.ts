import { createHmac, hkdfSync } from "node:crypto";
import { z } from "zod";
import { notFound } from "./errors.ts";
import { unexpectedStatus, type Xnat } from "./xnat.ts";
import { parseAnswer, textOrEmpty } from "./xnat-answer.ts";

/** A study that XNAT is to draw from its PACS. */
export interface WantedStudy {
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  readonly relabelMap: { readonly Subject: string; readonly Session: string };
}

export interface ImportTarget {
  readonly pacsId: number;
  /** Of XNAT's receiver. */
  readonly aeTitle: string;
  readonly port: number;
  readonly projectId: string;
  readonly forceImport?: boolean;
}

const queuedStudy = z.looseObject({
  id: z.int(),
  pacsId: z.int(),
  status: z.string(),
  accessionNumber: textOrEmpty,
  studyInstanceUid: z.string().nullish(),
  queuedTime: z.int(),
  created: z.int(),
  priority: z.int(),
});
export type QueuedStudy = z.infer<typeof queuedStudy>;

export const QUEUED = "QUEUED";

/**
 * One import request. XNAT leaves out, without a word, studies whose series it cannot list: fewer rows than studies may come.
 * @throws HttpError 404; GatewayError of the exchange
 */
export async function requestImport(
  xnat: Xnat,
  { forceImport = true, ...target }: ImportTarget,
  studies: readonly WantedStudy[],
  signal: AbortSignal,
): Promise<readonly QueuedStudy[]> {
  const { pacsId, aeTitle, port, projectId } = target;
  const { status, text } = await xnat.ask({
    method: "POST",
    path: "xapi/dqr/import",
    json: { pacsId, aeTitle, port, projectId, forceImport, studies: distinct(studies) },
    // For every study XNAT asks the PACS for its series.
    timeouts: { headersMs: 600_000 },
    signal,
  });
  if (status === 404) throw notFound(`Not found error for project '${projectId}'`);
  if (status !== 200) throw unexpectedStatus(status);
  return parseAnswer(z.array(queuedStudy), text, status);
}

/** By UID; of several the last one. XNAT fails a request that names one twice. */
export function distinct(studies: readonly WantedStudy[]): readonly WantedStudy[] {
  return [...new Map(studies.map((study) => [study.studyInstanceUid, study])).values()];
}

/** Names subjects: the same for a patient in a project, always; another one in every other project. */
export type SubjectNames = (projectId: string, patientId: string, studyInstanceUid: string) => string;

/** @param key the platform's, from which a key of its own is derived */
export function createSubjectNames(key: Uint8Array): SubjectNames {
  const ownKey = new Uint8Array(hkdfSync("sha256", key, "", "radferry flip subject", 32));
  return (projectId, patientId, studyInstanceUid) => {
    // Without an id nobody knows whose study it is: it is a subject of its own.
    const who = patientId.trim() === "" ? `study\x1f${studyInstanceUid}` : `patient\x1f${patientId.trim()}`;
    const digest = createHmac("sha256", ownKey).update(`${projectId}\x1f${who}`, "utf8").digest();
    return uuidOf(digest);
  };
}

/** RFC 9562 5.8: a UUID of one's own making. */
function uuidOf(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
