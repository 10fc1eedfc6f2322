import { z } from "zod";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import type { Logger } from "../../units/logger.ts";
import type { Xnat } from "./xnat.ts";

const text = z.string().nullish();
const time = z.number().nullish();

/** A study that DQR was asked for, or a try at it. Absent fields are blank in the PACS or of a newer version. */
const pacsRequest = z.object({
  id: z.number(),
  status: text,
  xnatProject: text,
  studyInstanceUid: text,
  accessionNumber: text,
  experimentLabel: text,
  errorMessage: text,
  queuedTime: time,
  executedTime: time,
  timestamp: time,
  created: time,
  retries: z.number().nullish(),
});
export type PacsRequestRow = z.infer<typeof pacsRequest>;

const directSession = z.object({
  project: text,
  name: text,
  folderName: text,
  tag: text,
  status: text,
  timestamp: z.unknown().optional(),
});
export type DirectArchiveRow = z.infer<typeof directSession>;

const prearchiveSession = z.object({
  project: text,
  name: text,
  folderName: text,
  tag: text,
  status: text,
  lastmod: text,
});
export type PrearchiveRow = z.infer<typeof prearchiveSession>;

const listing = <T extends z.ZodType>(row: T) => z.object({ ResultSet: z.object({ Result: z.array(row) }) });
const experimentRow = z.object({ label: z.string() });

/** Everything XNAT says of the imports into one project. */
export interface ImportRows {
  readonly labels: readonly string[];
  readonly queued: readonly PacsRequestRow[];
  readonly executed: readonly PacsRequestRow[];
  readonly directArchive: readonly DirectArchiveRow[];
  readonly prearchive: readonly PrearchiveRow[];
  /** Studies that wait for other projects, as far as we may see them. */
  readonly busyElsewhere: ReadonlySet<string>;
}

/** So many rows a request; a server that gives fewer at once is asked for as many as it gives. */
const PAGE_ROWS = 1_000;
/** What a server may have for its own limit. */
const SMALLEST_PAGE = 100;
const MAXIMUM_PAGES = 2_000;

/**
 * Asks for all of it at once.
 * @param isEnough whether older tries need not be read, told of each page's rows: they come newest first
 */
export async function readImportRows(
  xnat: Xnat,
  projectId: string,
  options: {
    readonly logger: Logger;
    readonly signal: AbortSignal;
    readonly isEnough?: (page: readonly PacsRequestRow[]) => boolean;
  },
): Promise<ImportRows> {
  const { logger, signal, isEnough = () => false } = options;
  const pages = { xnat, signal, projectId };
  const [labels, queue, executed, direct, prearchive] = await Promise.all([
    readLabels(xnat, projectId, signal),
    readPages({ ...pages, list: "queue", isEnough: () => false }),
    readPages({ ...pages, list: "history", isEnough }),
    orNothing(logger, () => readDirectArchive(xnat, signal)),
    orNothing(logger, () => readPrearchive(xnat, projectId, signal)),
  ]);
  const isOurs = ({ xnatProject }: PacsRequestRow): boolean => xnatProject === projectId;
  const others = queue.filter((row) => !isOurs(row)).flatMap(({ studyInstanceUid }) => studyInstanceUid ?? []);
  return {
    labels,
    queued: queue.filter(isOurs),
    executed: executed.filter(isOurs),
    directArchive: direct.filter(({ project }) => project === projectId),
    prearchive: prearchive.filter(({ project }) => project === undefined || project === projectId),
    busyElsewhere: new Set(others),
  };
}

/** The global listing: a project's own hides session types without configured security, such as `xnat:dxSessionData`. */
async function readLabels(xnat: Xnat, projectId: string, signal: AbortSignal): Promise<readonly string[]> {
  const answer = await xnat.json({
    path: "data/experiments",
    query: { project: projectId, columns: "label", format: "json" },
    signal,
  });
  return shaped(listing(experimentRow), answer).ResultSet.Result.map(({ label }) => label);
}

/** Takes what DQR has queued for a project out of its queue. */
export async function deleteQueued(xnat: Xnat, projectId: string, signal: AbortSignal): Promise<number> {
  const rows = await readPages({ xnat, signal, projectId, list: "queue", isEnough: () => false });
  const ids = rows.filter(({ xnatProject }) => xnatProject === projectId).map(({ id }) => id);
  if (ids.length > 0) await xnat.json({ method: "POST", path: "xapi/dqr/import/queue", json: ids, signal });
  return ids.length;
}

interface Pages {
  readonly xnat: Xnat;
  readonly projectId: string;
  readonly list: "queue" | "history";
  readonly isEnough: (page: readonly PacsRequestRow[]) => boolean;
  readonly signal: AbortSignal;
}

/** Rows of everybody's; of our own requests alone where that is all we may see. */
async function readPages(pages: Pages): Promise<readonly PacsRequestRow[]> {
  try {
    return await readAllPages(pages, true);
  } catch (thrown) {
    if (!(thrown instanceof TransportError) || thrown.status !== 403) throw thrown;
    return await readAllPages(pages, false);
  }
}

async function readAllPages(
  { xnat, projectId, list, isEnough, signal }: Pages,
  all: boolean,
): Promise<readonly PacsRequestRow[]> {
  const rows: PacsRequestRow[] = [];
  let pageSize = PAGE_ROWS;
  for (let page = 1; page <= MAXIMUM_PAGES; page += 1) {
    const answer = await xnat.json({
      path: xnatPath("xapi", "dqr", "import", list),
      query: { all, sort: "desc", page, pageSize },
      signal,
    });
    const found = answer === undefined ? [] : shaped(z.array(pacsRequest), answer);
    rows.push(...found);
    if (page === 1 && found.length >= SMALLEST_PAGE && found.length < pageSize && found.length % SMALLEST_PAGE === 0)
      pageSize = found.length;
    if (found.length < pageSize || isEnough(found.filter(({ xnatProject }) => xnatProject === projectId))) break;
  }
  return rows;
}

async function readDirectArchive(xnat: Xnat, signal: AbortSignal): Promise<readonly DirectArchiveRow[]> {
  const answer = await xnat.json({
    method: "POST",
    path: "xapi/direct-archive",
    json: { size: 100_000, page: 1 },
    signal,
  });
  return answer === undefined ? [] : shaped(z.array(directSession), answer);
}

async function readPrearchive(xnat: Xnat, projectId: string, signal: AbortSignal): Promise<readonly PrearchiveRow[]> {
  const answer = await xnat.json({
    path: xnatPath("data", "prearchive", "projects", projectId),
    query: { format: "json" },
    signal,
  });
  return answer === undefined ? [] : shaped(listing(prearchiveSession), answer).ResultSet.Result;
}

const WITHOUT: ReadonlySet<number> = new Set([400, 403, 404, 405]);

/** What only says more where it may be read: older XNATs and smaller roles have it not. */
async function orNothing<T>(logger: Logger, read: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read();
  } catch (thrown) {
    if (!(thrown instanceof TransportError) || !WITHOUT.has(thrown.status ?? 0)) throw thrown;
    logger.warn("xnat does not show all of its import state", { status: thrown.status });
    return [];
  }
}

function shaped<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value);
  if (!result.success) throw new TransportError("HTTP_JSON_INVALID", { what: "shape" });
  return result.data;
}
