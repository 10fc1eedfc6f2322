import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { StoredOrNot } from "../../network/dicomweb/store-response.ts";
import { formatStatus, STATUS } from "../../network/dimse/status.ts";
import { parseMediaType } from "../../network/http-client/media-type.ts";
import type { IncomingInstance, InstanceStore } from "../../network/instance-files/incoming.ts";
import { type InspectedInstance, inspectWhole, mismatchOf } from "../../network/instance-files/inspect.ts";
import { openInstanceFolder } from "../../network/instance-files/instance-folder.ts";
import type { MultipartPart } from "../../network/multipart/reader.ts";
import type { StagingArea } from "../../staging/staging-area.ts";
import { asStagingError } from "../../staging/staging-error.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { Random } from "../../units/random.ts";
import { reasonOf, statusOfRefusal } from "./refusal-status.ts";
import type { Sender } from "./rules.ts";
import type { TakeUnasked } from "./take-unasked.ts";

/** While these are made durable, the next part comes. */
const KEPT_AT_ONCE = 4;
/** Parts that come within one piece would else keep everybody else waiting. */
const TAKEN_IN_A_ROW = 32;
/** Who sends so much that nobody can read does not send instances: each costs as much to refuse. */
const MAXIMUM_UNREADABLE = 1_000;
/** Smaller ones are kept from memory: with a hundred requests at once, these are some 60 MB at most. */
const HELD_BYTES = 128 * 1024;

export interface PartsOptions {
  readonly staging: Pick<StagingArea, "incoming" | "isBelowReserve">;
  readonly take: TakeUnasked;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface PartsRequest {
  readonly parts: AsyncIterable<Pick<MultipartPart, "headers" | "pipe">>;
  readonly sender: Sender;
  /** What alone is taken; undefined: instances of any study. */
  readonly studyInstanceUid?: string | undefined;
  readonly instanceBytes: number;
  readonly signal: AbortSignal;
}

export interface PartsOutcome {
  readonly parts: readonly StoredOrNot[];
  /** Why not all parts came; what came before it is told of all the same. */
  readonly broken: GatewayError | undefined;
}

/** @throws GatewayError STAGING_FULL before anything is read, STAGING_UNAVAILABLE */
export type TakeParts = (request: PartsRequest) => Promise<PartsOutcome>;

/** Takes whole Part 10 files that nobody asked for, one after the other; each that is stored is on disk with the row that names it when this resolves. */
export function takeParts(options: PartsOptions): TakeParts {
  const { staging, clock, random } = options;
  return async (request) => {
    if (await staging.isBelowReserve()) throw new GatewayError("STAGING_FULL");
    const path = join(staging.incoming, Buffer.from(random.bytes(16)).toString("hex"));
    try {
      const folder = await openInstanceFolder(path, clock).catch((thrown: unknown) => {
        throw toStagingError(thrown);
      });
      return await takeAll(folder, request, options);
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  };
}

async function takeAll(
  folder: InstanceStore<string>,
  { parts, ...request }: PartsRequest,
  options: PartsOptions,
): Promise<PartsOutcome> {
  const taken: StoredOrNot[] = [];
  const keeping: Promise<StoredOrNot>[] = [];
  let unreadable = 0;
  const settle = async (atMost: number): Promise<void> => {
    while (keeping.length > atMost) {
      const first = await keeping.shift();
      if (first === undefined) continue;
      taken.push(first);
      if (first.kind === "failed" && first.status === STATUS.cannotUnderstand) unreadable += 1;
    }
  };
  let broken: GatewayError | undefined;
  let number = 0;
  try {
    for await (const part of parts) {
      number += 1;
      keeping.push(takePart(await receive(part, folder, request), String(number), request, options));
      await settle(KEPT_AT_ONCE);
      if (unreadable > MAXIMUM_UNREADABLE)
        throw new GatewayError("MULTIPART_LIMIT_EXCEEDED", { what: "unreadable parts", limit: MAXIMUM_UNREADABLE });
      if (number % TAKEN_IN_A_ROW === 0) await nextTurn();
    }
  } catch (thrown) {
    broken = toGatewayError(thrown);
  }
  await settle(0);
  return { parts: taken, broken };
}

/** Whole, and still under no name; or why it cannot be taken. The rest of a part that is not wanted is passed over. */
async function receive(
  { headers, pipe }: Pick<MultipartPart, "headers" | "pipe">,
  folder: InstanceStore<string>,
  { instanceBytes, signal }: Pick<PartsRequest, "instanceBytes" | "signal">,
): Promise<IncomingInstance<string> | GatewayError> {
  const type = parseMediaType(headers.get("content-type"))?.type;
  if (type !== undefined && type !== "application/dicom")
    return new GatewayError("INSTANCE_UNREADABLE", { what: "content type" });
  const incoming = await folder.begin();
  let failure: GatewayError | undefined;
  let sizeBytes = 0;
  try {
    await pipe(async (pieces) => {
      signal.throwIfAborted();
      if (failure !== undefined) return;
      for (const { length } of pieces) sizeBytes += length;
      if (sizeBytes > instanceBytes)
        failure = new GatewayError("INTAKE_INSTANCE_TOO_LARGE", { limitBytes: instanceBytes });
      else
        await Promise.resolve(incoming.write(pieces)).catch((thrown: unknown) => {
          failure = toStagingError(thrown);
        });
      if (failure !== undefined) await incoming.discard();
    });
  } catch (thrown) {
    await incoming.discard();
    throw thrown;
  }
  return failure ?? incoming;
}

async function takePart(
  incoming: IncomingInstance<string> | GatewayError,
  name: string,
  request: Omit<PartsRequest, "parts">,
  options: PartsOptions,
): Promise<StoredOrNot> {
  let facts: InspectedInstance["facts"] | undefined;
  try {
    if (incoming instanceof GatewayError) throw incoming;
    const inspected = await inspectWhole(incoming.source(), request.signal);
    facts = inspected.facts;
    const mismatch = mismatchOf(facts, { studyInstanceUid: request.studyInstanceUid });
    if (mismatch !== undefined) throw mismatch;
    await keep(incoming, name, { ...inspected, sender: request.sender }, options);
    return { kind: "stored", sopClassUid: facts.sopClassUid, sopInstanceUid: facts.sopInstanceUid };
  } catch (thrown) {
    const error = toStagingError(thrown);
    const status = statusOfRefusal(error);
    const { remoteAddress: remoteHost } = request.sender;
    options.logger.warn("incoming instance refused", { code: error.code, status: formatStatus(status), remoteHost });
    const { sopClassUid, sopInstanceUid } = facts ?? { sopClassUid: undefined, sopInstanceUid: undefined };
    return { kind: "failed", sopClassUid, sopInstanceUid, status, reason: reasonOf(error) };
  } finally {
    if (!(incoming instanceof GatewayError)) await incoming.discard();
  }
}

/** What is not taken leaves at once: a long request may bring much of it. */
async function keep(
  incoming: IncomingInstance<string>,
  name: string,
  { facts, dataSet, sender }: InspectedInstance & { readonly sender: Sender },
  { take }: PartsOptions,
): Promise<void> {
  const isSmall = facts.sizeBytes <= HELD_BYTES;
  const pieces = isSmall ? [await incoming.source().read(0, facts.sizeBytes)] : undefined;
  const path = isSmall ? "" : await incoming.keep(name);
  const instance = {
    sopClassUid: facts.sopClassUid,
    studyInstanceUid: parseStudyInstanceUid(facts.studyInstanceUid),
    seriesInstanceUid: parseSeriesInstanceUid(facts.seriesInstanceUid),
    sopInstanceUid: parseSopInstanceUid(facts.sopInstanceUid),
    path,
  };
  try {
    await take({ instance, dataSet, pieces }, sender);
  } catch (thrown) {
    if (!isSmall) await rm(path, { force: true });
    throw thrown;
  }
}

/** The file calls tell by the same code whichever folder it is. */
function toStagingError(thrown: unknown): GatewayError {
  const error = toGatewayError(asStagingError(thrown));
  if (error.code !== "FOLDER_NOT_WRITABLE") return error;
  const isFull = error.details.reason === "ENOSPC" || error.details.reason === "EDQUOT";
  return new GatewayError(isFull ? "STAGING_FULL" : "STAGING_UNAVAILABLE", error.details, thrown);
}
