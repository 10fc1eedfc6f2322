import { problemFrom, unreachable } from "./problem.ts";
import { endSession, proof, session, wasTurnedOut } from "./session-state.ts";

const BASE = "/api/v1";
const TIMEOUT_MS = 60_000;
/** For what reads gigabytes before it is answered. */
export const LONG_WORK_MS = 3_600_000;

export interface Ask {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** Members that are undefined or empty are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON, a file as it is. */
  readonly body?: unknown;
  /** Asked again with the same key, nothing is done twice. */
  readonly key?: string;
  readonly signal?: AbortSignal;
  /** So long an answer is waited for. @default a minute, for a file as long as its way may take */
  readonly timeoutMs?: number;
}

/**
 * Asks the API, below /api/v1.
 * @throws ApiProblem what was refused, or that nothing answers
 */
export async function ask<T>(path: string, options: Ask = {}): Promise<T> {
  const response = await send(BASE + path + queryText(options.query), options);
  // The schemas that the types come from are what the gateway answered by.
  return await response.json();
}

/** The same for what stands beside the API. @throws ApiProblem */
export async function send(url: string, options: Ask = {}): Promise<Response> {
  const { method = "GET", body, key, signal } = options;
  const isFile = body instanceof Blob;
  const limit = AbortSignal.timeout(options.timeoutMs ?? (isFile ? LONG_WORK_MS : TIMEOUT_MS));
  const headers = {
    ...(body === undefined ? {} : { "content-type": isFile ? cohortType(body) : "application/json" }),
    ...(method === "GET" || proof.value === undefined ? {} : { "x-radferry-session": proof.value }),
    ...(key === undefined ? {} : { "idempotency-key": key }),
  };
  const response = await fetch(url, {
    method,
    headers,
    signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
  }).catch((thrown: unknown) => {
    throw signal?.aborted ? thrown : unreachable();
  });
  if (response.ok) return response;
  const problem = await problemFrom(response);
  if (problem.status === 401) {
    wasTurnedOut.value ||= typeof session.value === "object";
    endSession();
  }
  throw problem;
}

/** Of a link, or of something that the browser itself fetches. */
export function apiUrl(path: string): string {
  return BASE + path;
}

function queryText(query: Ask["query"] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

const EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/** Browsers do not know the type of every file; the gateway tells them by it. */
function cohortType(file: Blob): string {
  const name = file instanceof File ? file.name.toLowerCase() : "";
  if (name.endsWith(".xlsx")) return EXCEL;
  return name.endsWith(".parquet") ? "application/vnd.apache.parquet" : "text/csv";
}
