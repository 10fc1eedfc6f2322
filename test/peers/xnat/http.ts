import type { IncomingMessage } from "node:http";
import type { User, XnatState } from "./state.ts";
import type { XnatSwitches } from "./switches.ts";

/** One request, its path without the prefix and its segments decoded. */
export interface XnatRequest {
  readonly method: string;
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
  /** Undefined: nobody is logged in. */
  readonly user: User | undefined;
  readonly state: XnatState;
  readonly switches: XnatSwitches;
}

export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Undefined: not this handler's. */
export type Handler = (request: XnatRequest) => Promise<Answer | undefined> | Answer | undefined;

const LIMIT_BYTES = 512 * 1024 * 1024;

export async function readBody({ message }: XnatRequest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of message) {
    pieces.push(piece);
    sizeBytes += piece.length;
    if (sizeBytes > LIMIT_BYTES) throw new RangeError("longer than this server takes at once");
  }
  return Buffer.concat(pieces);
}

/** The body as JSON of an object; undefined when it is none. */
export async function readObject(request: XnatRequest): Promise<Readonly<Record<string, unknown>> | undefined> {
  const parsed = await readJsonBody(request);
  return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
}

export async function readJsonBody(request: XnatRequest): Promise<unknown> {
  try {
    const parsed: unknown = JSON.parse((await readBody(request)).toString("utf8"));
    return parsed;
  } catch {
    return undefined;
  }
}

/** /data answers a small page. */
export function htmlError(status: number, message: string): Answer {
  const body = `<html>\n<head>\n   <title>Status page</title>\n</head>\n<body>\n<h3>${message}</h3></body>\n</html>\n`;
  return { status, type: "text/html;charset=UTF-8", body };
}

/** /xapi answers words. */
export function textAnswer(status: number, body: string): Answer {
  return { status, type: "text/plain;charset=UTF-8", body };
}

export function json(value: unknown, status = 200): Answer {
  return { status, type: "application/json;charset=UTF-8", body: JSON.stringify(value) };
}

export function noContent(): Answer {
  return { status: 204 };
}

type Cell = string | number | undefined;

/** A table as /data writes it: every value a text, absent ones empty. CSV when asked. */
export function table(query: URLSearchParams, rows: readonly Readonly<Record<string, Cell>>[], title?: string): Answer {
  const texts = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === undefined ? "" : `${value}`])),
  );
  const format = query.get("format") ?? "json";
  if (format === "csv") {
    const names = Object.keys(texts[0] ?? {});
    const lines = texts.map((row) => names.map((name) => `"${row[name] ?? ""}"`).join(","));
    return { status: 200, type: "text/csv", body: [names.join(","), ...lines, ""].join("\n") };
  }
  if (format === "html")
    return { status: 200, type: "text/html;charset=UTF-8", body: "<html><body>table</body></html>" };
  const set = { Result: texts, totalRecords: `${texts.length}`, ...(title === undefined ? {} : { title }) };
  return json({ ResultSet: set });
}

export interface Item {
  readonly type: string;
  readonly fields: Readonly<Record<string, Cell>>;
  readonly children?: Readonly<Record<string, readonly Item[]>>;
}

/** A single thing as /data writes it. */
export function item(thing: Item): Answer {
  return json({ items: [itemDocument(thing)] });
}

interface ItemDocument {
  readonly children: readonly { readonly field: string; readonly items: readonly ItemDocument[] }[];
  readonly meta: Readonly<Record<string, string | number | boolean>>;
  readonly data_fields: Readonly<Record<string, string | number>>;
}

function itemDocument({ type, fields, children = {} }: Item): ItemDocument {
  return {
    children: Object.entries(children).map(([field, items]) => ({ field, items: items.map(itemDocument) })),
    meta: { create_event_id: 1, "xsi:type": type, isHistory: false, start_date: "Mon Jan 01 00:00:00 UTC 2024" },
    data_fields: Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value ? [[name, value]] : []))),
  };
}

/** Any value but these is true. */
export function isSet(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "false" && value !== "0";
}
