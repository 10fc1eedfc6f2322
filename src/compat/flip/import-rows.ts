import { z } from "zod";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { askTable } from "../../network/rest/xnat/ask.ts";
import {
  allRequests,
  type DirectArchiveSession,
  deleteQueued,
  listDirectArchive,
  type PacsRequest,
  type RequestList,
} from "../../network/rest/xnat/dqr.ts";
import { listPrearchive, type PrearchiveSession } from "../../network/rest/xnat/prearchive.ts";
import type { Logger } from "../../units/logger.ts";
import type { Xnat } from "./xnat.ts";

/** Everything XNAT says of the imports into one project. */
export interface ImportRows {
  readonly labels: readonly string[];
  readonly queued: readonly PacsRequest[];
  readonly executed: readonly PacsRequest[];
  readonly directArchive: readonly DirectArchiveSession[];
  readonly prearchive: readonly PrearchiveSession[];
  /** Studies that wait for other projects, as far as we may see them. */
  readonly busyElsewhere: ReadonlySet<string>;
}

/** A site's history is kept for years. */
const MAXIMUM_ROWS = 2_000_000;

/**
 * Asks for all of it at once, but for the history, which follows the queue: DQR notes a try before the study leaves its queue, so that what
 * leaves it meanwhile stands in the history by then, and is not taken for one that nobody asked for.
 * @param isEnough whether older tries need not be read, told of one after the other: they come newest first
 */
export async function readImportRows(
  { http }: Xnat,
  projectId: string,
  options: {
    readonly logger: Logger;
    readonly signal: AbortSignal;
    readonly isEnough: (executed: PacsRequest) => boolean;
  },
): Promise<ImportRows> {
  const { logger, signal, isEnough } = options;
  const isOurs = ({ xnatProject }: PacsRequest): boolean => xnatProject === projectId;
  const readTries = async () => {
    const queue = await readRequests(http, "queue", { signal, isEnough: () => false });
    const isLast = (row: PacsRequest): boolean => isOurs(row) && isEnough(row);
    return { queue, executed: await readRequests(http, "history", { signal, isEnough: isLast }) };
  };
  const [labels, { queue, executed }, direct, prearchive] = await Promise.all([
    readLabels(http, projectId, signal),
    readTries(),
    listDirectArchive(http, MAXIMUM_ROWS, signal),
    readPrearchive(http, projectId, { logger, signal }),
  ]);
  const others = queue.filter((row) => !isOurs(row));
  return {
    labels,
    queued: queue.filter(isOurs),
    executed: executed.filter(isOurs),
    directArchive: direct.filter(({ project }) => project === projectId),
    prearchive: prearchive.filter(({ project }) => project === projectId),
    busyElsewhere: new Set(others.map(({ studyInstanceUid }) => studyInstanceUid)),
  };
}

/** Takes what DQR has queued for a project out of its queue. */
export async function emptyQueue({ http }: Xnat, projectId: string, signal: AbortSignal): Promise<void> {
  const rows = await readRequests(http, "queue", { signal, isEnough: () => false });
  const ids = rows.filter(({ xnatProject }) => xnatProject === projectId).map(({ id }) => id);
  if (ids.length > 0) await deleteQueued(http, ids, signal);
}

const labelRow = z.object({ label: z.string() });

/** The global listing: a project's own hides session types without configured security, such as `xnat:dxSessionData`. */
async function readLabels(http: HttpClient, projectId: string, signal: AbortSignal): Promise<readonly string[]> {
  const query = [
    ["project", projectId],
    ["columns", "label"],
  ] as const;
  const rows = await askTable(http, labelRow, { path: "data/experiments", query, signal });
  return rows.map(({ label }) => label);
}

async function readRequests(
  http: HttpClient,
  list: RequestList,
  { signal, isEnough }: { readonly signal: AbortSignal; readonly isEnough: (row: PacsRequest) => boolean },
): Promise<readonly PacsRequest[]> {
  const rows: PacsRequest[] = [];
  for await (const row of allRequests(http, list, MAXIMUM_ROWS, signal)) {
    rows.push(row);
    if (isEnough(row)) break;
  }
  return rows;
}

const NOT_SHOWN: ReadonlySet<number> = new Set([403, 404]);

/** What only says more where it may be read: smaller roles have it not. */
async function readPrearchive(
  http: HttpClient,
  projectId: string,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<readonly PrearchiveSession[]> {
  try {
    return await listPrearchive(http, projectId, signal);
  } catch (thrown) {
    if (!(thrown instanceof TransportError) || !NOT_SHOWN.has(thrown.status ?? 0)) throw thrown;
    logger.warn("xnat does not show its prearchive", { status: thrown.status });
    return [];
  }
}
