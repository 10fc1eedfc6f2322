import type { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { concurrently } from "../../units/concurrently.ts";
import { HttpError } from "../http-client/http-error.ts";
import type { InstanceStore } from "../instance-files/incoming.ts";
import type { InstanceFacts } from "../instance-files/inspect.ts";
import { type BatchOptions, batchesOf, distinct, splitInto } from "./batches.ts";
import { leave, type Rad69Client } from "./client.ts";
import { asDicomTrolleyError, type DicomTrolleyError, type RegistryError } from "./errors.ts";
import { judge } from "./judge.ts";
import type { InstanceReference } from "./request.ts";

/** The account of one instance that was asked for. */
export type InstanceOutcome<T> =
  | {
      readonly state: "delivered";
      readonly facts: InstanceFacts;
      readonly kept: T;
      readonly warnings: readonly RegistryError[];
    }
  | { readonly state: "failed"; readonly error: DicomTrolleyError };

export interface Retrieval<T> {
  /** By SOP Instance UID, every instance that was asked for, in that order. */
  readonly outcomes: ReadonlyMap<string, InstanceOutcome<T>>;
  readonly requests: number;
  /** Whole instances that came though nobody had asked for them, and that came twice: not kept. */
  readonly unexpected: number;
  readonly duplicates: number;
}

export interface RetrieveOptions<T> {
  readonly grouping?: BatchOptions["grouping"] | undefined;
  readonly maximumInstances?: number | undefined;
  /** Requests at once. @default 1 */
  readonly parallel?: number | undefined;
  /** With `parallel`, requests are cut so that all of it is used. @default false */
  readonly split?: boolean | undefined;
  /** How often what did not come is asked for again when that may help, the first time included. @default 3 */
  readonly attempts?: number | undefined;
  /**
   * What the source fails as a whole, and says so itself, is asked for in parts even where no attempt is left: by the same request it would
   * come never, or not as long as one instance of it does not. @default false
   */
  readonly narrows?: boolean | undefined;
  /** Called as each instance is kept. */
  readonly onInstance?: ((facts: InstanceFacts, kept: T) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const USUAL_ATTEMPTS = 3;
const FIRST_DELAY_MS = 1_000;
const MAXIMUM_DELAY_MS = 60_000;

/** The same for every request to this address: no further one is made. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "CONNECTION_FAILED",
  "HTTP_CONTENT_UNEXPECTED",
  "HTTP_FORBIDDEN",
  "HTTP_NOT_FOUND",
  "HTTP_PROTOCOL_VIOLATION",
  "HTTP_REDIRECTED",
  "HTTP_UNAUTHORISED",
  "RAD69_COMMUNITY_UNKNOWN",
  "RAD69_REPOSITORY_UNKNOWN",
]);

/** One instance, or the number of them, may be what the source stumbles over. */
const SPLITTABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "HTTP_CONNECTION_LOST",
  "HTTP_HEADERS_TIMED_OUT",
  "HTTP_IDLE_TIMED_OUT",
  "HTTP_SERVER_FAILED",
  "HTTP_TOO_SLOW",
  "HTTP_TOTAL_TIMED_OUT",
  "MULTIPART_TRUNCATED",
  "RAD69_DOCUMENT_MISSING",
  "RAD69_FAULT_RECEIVER",
  "RAD69_FAULT_SENDER",
  "RAD69_LIMIT_EXCEEDED",
  "RAD69_REPOSITORY_FAILED",
  "RAD69_REQUEST_REFUSED",
  "RAD69_SERVER_ERROR",
  "RAD69_TRANSFER_SYNTAX_REFUSED",
]);

interface Run<T> {
  readonly client: Rad69Client;
  readonly store: InstanceStore<T>;
  readonly options: RetrieveOptions<T>;
  readonly outcomes: Map<string, InstanceOutcome<T>>;
  requests: number;
  unexpected: number;
  duplicates: number;
  hopeless: DicomTrolleyError | undefined;
  /** See `MAXIMUM_FAILING`; below zero once something came. */
  failing: number;
}

/**
 * Retrieves instances, each at most once into the store, and accounts for every one. What fails is asked for again where that may help,
 * alone and after a pause; a request that fails as a whole is halved until what it stumbles over is found.
 * @throws GatewayError FOLDER_NOT_WRITABLE and what else the store throws, RAD69_REQUEST_REFUSED for what is no UID; the reason of the signal
 */
export async function retrieveInstances<T>(
  client: Rad69Client,
  instances: Iterable<InstanceReference>,
  store: InstanceStore<T>,
  options: RetrieveOptions<T> = {},
): Promise<Retrieval<T>> {
  const wanted = distinct(instances);
  const { grouping = "series", maximumInstances, parallel = 1, split = false, attempts = USUAL_ATTEMPTS } = options;
  const batches = batchesOf(wanted, { grouping, maximumInstances, workers: split ? parallel : 1 });
  const run: Run<T> = {
    client,
    store,
    options,
    outcomes: new Map(),
    requests: 0,
    unexpected: 0,
    duplicates: 0,
    hopeless: undefined,
    failing: 0,
  };
  await concurrently(batches, parallel, async (batch) => {
    const budget = { requests: 16 + 4 * Math.ceil(Math.log2(batch.length + 1)) };
    await retrieveBatch(run, batch, { tries: attempts, failures: 0, budget });
  });
  const inOrder = wanted.flatMap(({ sopInstanceUid }) => {
    const outcome = run.outcomes.get(sopInstanceUid);
    return outcome === undefined ? [] : [[sopInstanceUid, outcome] as const];
  });
  return {
    outcomes: new Map(inOrder),
    requests: run.requests,
    unexpected: run.unexpected,
    duplicates: run.duplicates,
  };
}

/** How a batch stands before its first request. */
interface Standing {
  readonly tries: number;
  /** Of requests that it was part of. */
  readonly failures: number;
  /** Requests that it and its halves may still cost. */
  readonly budget: { requests: number };
}

async function retrieveBatch<T>(
  run: Run<T>,
  batch: readonly InstanceReference[],
  { tries: attempts, failures: earlier, budget }: Standing,
): Promise<void> {
  let left = batch;
  let tries = attempts;
  for (let failures = earlier; left.length > 0; ) {
    if (run.hopeless !== undefined) return fail(run, left, run.hopeless);
    if (budget.requests <= 0) return;
    budget.requests -= 1;
    const asked = left;
    const ofAll = await ask(run, asked);
    const open = asked.filter(({ sopInstanceUid }) => run.outcomes.get(sopInstanceUid)?.state !== "delivered");
    const isNothing = open.length === asked.length;
    noteFailing(run, asked, isNothing ? ofAll : undefined);
    const isSuspect = ofAll !== undefined && isNothing && asked.length > 1 && isSplittable(ofAll);
    const withheld = isNothing && ofAll === undefined ? withheldOverOthers(run, asked) : [];
    left = isSuspect ? open : open.filter(({ sopInstanceUid }) => mayCome(run.outcomes.get(sopInstanceUid)));
    const isStuck = left.length === asked.length;
    if (left.length === 0 || (attempts <= 1 && !narrows(run, isNothing, withheld, ofAll))) break;
    if (withheld.length > 0) {
      await retrieveBatch(run, withheld, { tries, failures, budget });
      left = left.filter((each) => !withheld.includes(each));
    }
    if (isStuck) failures += 1;
    if (isSuspect && (ofAll.class === "permanent" || failures > 1 || attempts <= 1)) {
      const standing = { tries: isTold(ofAll) ? tries : tries - 1, failures, budget };
      for (const half of splitInto(left, 2))
        if (attempts > 1 || mayNarrow(run, ofAll)) await retrieveBatch(run, half, standing);
      return;
    }
    if (isStuck) tries -= 1;
    if (tries <= 0) break;
    if (left.length > 0 && (isStuck || ofAll !== undefined)) await pause(run, failures, ofAll);
  }
  noteHopeless(run, batch);
}

/** Where nothing came: less of it may, without what was named, or half of it. */
function narrows<T>(
  run: Run<T>,
  isNothing: boolean,
  withheld: readonly InstanceReference[],
  ofAll: DicomTrolleyError | undefined,
): boolean {
  if (run.options.narrows !== true || !isNothing) return false;
  return ofAll === undefined ? withheld.length > 0 : isSplittable(ofAll) && mayNarrow(run, ofAll);
}

function mayNarrow<T>({ failing }: Run<T>, ofAll: DicomTrolleyError): boolean {
  return ofAll.class === "permanent" || (isTold(ofAll) && failing < MAXIMUM_FAILING);
}

/** So many instances for which a source failed one by one, and gave none at all: it fails whatever it is asked for. */
const MAXIMUM_FAILING = 3;

function noteFailing<T>(run: Run<T>, asked: readonly InstanceReference[], ofAll: DicomTrolleyError | undefined): void {
  if (ofAll === undefined) run.failing = Number.NEGATIVE_INFINITY;
  else if (asked.length === 1 && ofAll.class !== "permanent") run.failing += 1;
}

/** What the source named no reason for, where it gave nothing over others that it did name. */
function withheldOverOthers<T>(
  { outcomes }: Run<T>,
  asked: readonly InstanceReference[],
): readonly InstanceReference[] {
  const withheld = asked.filter(({ sopInstanceUid }) => {
    const outcome = outcomes.get(sopInstanceUid);
    return outcome?.state === "failed" && outcome.error.code === "RAD69_DOCUMENT_NOT_SENT";
  });
  return withheld.length < asked.length ? withheld : [];
}

/** Of refusals by status only 413, content too large. RFC 9110 15.5.14. */
function isSplittable({ code, details }: DicomTrolleyError): boolean {
  return SPLITTABLE.has(code) || (code === "HTTP_REFUSED" && details.status === 413);
}

/** The source itself says so, at once: looking for the instance it stumbles over costs no waiting. */
function isTold({ class: errorClass, code }: DicomTrolleyError): boolean {
  return errorClass === "permanent" || code === "HTTP_SERVER_FAILED" || code === "RAD69_FAULT_RECEIVER";
}

function mayCome<T>(outcome: InstanceOutcome<T> | undefined): boolean {
  return outcome?.state === "failed" && outcome.error.class !== "permanent";
}

function fail<T>(run: Run<T>, instances: readonly InstanceReference[], error: DicomTrolleyError): void {
  for (const { sopInstanceUid } of instances) {
    if (run.outcomes.get(sopInstanceUid)?.state !== "delivered")
      run.outcomes.set(sopInstanceUid, { state: "failed", error });
  }
}

/** What ended this batch would end every other one. */
function noteHopeless<T>(run: Run<T>, batch: readonly InstanceReference[]): void {
  for (const { sopInstanceUid } of batch) {
    const outcome = run.outcomes.get(sopInstanceUid);
    if (outcome?.state !== "failed") continue;
    const { code } = outcome.error;
    if (HOPELESS.has(code) || code.startsWith("TLS_")) run.hopeless ??= outcome.error;
  }
}

async function pause<T>(
  { client, options }: Run<T>,
  failures: number,
  error: DicomTrolleyError | undefined,
): Promise<void> {
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.max(0, failures - 1), MAXIMUM_DELAY_MS);
  const asked = error?.cause instanceof HttpError ? (error.cause.retryAfterMs ?? 0) : 0;
  // Half of it by chance: workers that failed together do not come back together.
  await client.clock.sleep(Math.max(asked, delayMs * (0.5 + client.random.next() / 2)), options.signal);
}

/** One request; every instance of it has an outcome then. Answers the error that is about all of what did not come. */
async function ask<T>(run: Run<T>, instances: readonly InstanceReference[]): Promise<DicomTrolleyError | undefined> {
  const { client, store, options, outcomes } = run;
  const refused = new Map<string, GatewayError>();
  const missing = (): readonly string[] =>
    instances.map(({ sopInstanceUid }) => sopInstanceUid).filter((uid) => outcomes.get(uid)?.state !== "delivered");
  run.requests += 1;
  const coming = client.request(instances, store, options.signal);
  try {
    let next = await coming.next();
    for (; !next.done; next = await coming.next()) {
      const received = next.value;
      if (received.kind === "instance") {
        const { facts, kept } = received;
        outcomes.set(facts.sopInstanceUid, { state: "delivered", facts, kept, warnings: [] });
        options.onInstance?.(facts, kept);
      } else if (received.kind === "refused") refused.set(received.sopInstanceUid, received.error);
      else if (received.kind === "duplicate") run.duplicates += 1;
      else run.unexpected += 1;
    }
    const { failures, warnings, ofAll } = judge(next.value, missing(), refused);
    for (const [uid, error] of failures) outcomes.set(uid, { state: "failed", error });
    for (const [uid, said] of warnings) {
      const outcome = outcomes.get(uid);
      if (outcome?.state === "delivered") outcomes.set(uid, { ...outcome, warnings: said });
    }
    return ofAll;
  } catch (thrown) {
    options.signal?.throwIfAborted();
    const error = asDicomTrolleyError(thrown, missing());
    // The next instance would fare no better.
    if (error.code === "FOLDER_NOT_WRITABLE" || error.code === "INTERNAL") throw error;
    for (const uid of missing()) {
      const own = refused.get(uid);
      outcomes.set(uid, { state: "failed", error: own === undefined ? error : asDicomTrolleyError(own, [uid]) });
    }
    return error;
  } finally {
    await leave(coming);
  }
}
