import type { z } from "zod";
import type { ScanToken } from "../../../store/acquisitions.ts";
import type { Role } from "../../../units/actor.ts";
import { AnswerError } from "../../fastapi/answer-error.ts";
import { validated } from "../../fastapi/validation.ts";
import type { ScanHubWorld } from "../world.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** A request whose caller is known. */
export interface ScanHubRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: unknown;
  /** Parsed, where the route takes JSON; else as it came. */
  readonly body: unknown;
  readonly contentType: string;
  readonly user: ScanToken;
  /** The user's own. */
  readonly token: string;
}

/** What goes back: JSON by default. */
export type Answer =
  | { readonly json: unknown; readonly attachment?: string }
  | { readonly bytes: Uint8Array; readonly attachment: string }
  | "nothing";

export interface ScanHubRoute {
  readonly method: Method;
  /** Below the base, with `{names}`, and with or without a slash at its end, as the original has it. */
  readonly path: string;
  readonly summary: string;
  readonly status: number;
  /** Who may ask it, unless the face is strict: the original asks for no role. */
  readonly least: Role;
  readonly takes: "nothing" | "json" | "bytes";
  /** What the page says that the query is made of. */
  readonly query: z.ZodObject | undefined;
  /** The same of the body. */
  readonly body: z.ZodType | undefined;
  run(request: ScanHubRequest, world: ScanHubWorld): Promise<Answer>;
}

interface RouteFacts<Q, B> extends Pick<ScanHubRoute, "method" | "path" | "summary"> {
  readonly status?: number;
  /** @default viewer to read, operator to change */
  readonly least?: Role;
  readonly query?: z.ZodObject & z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** A body that the handler looks at itself. */
  readonly takes?: "json" | "bytes";
  /** Such a one, as the page describes it. */
  readonly described?: z.ZodType;
  readonly handle: (
    input: {
      readonly query: Q;
      readonly body: B;
      readonly path: (name: string) => string;
      readonly raw: ScanHubRequest;
    },
    world: ScanHubWorld,
  ) => Promise<Answer>;
}

export function route<Q = undefined, B = undefined>(facts: RouteFacts<Q, B>): ScanHubRoute {
  const { method, path, summary, status = 200, query, body, handle } = facts;
  return {
    method,
    path,
    summary,
    status,
    least: facts.least ?? (method === "GET" ? "viewer" : "operator"),
    takes: facts.takes ?? (body === undefined ? "nothing" : "json"),
    query,
    body: body ?? facts.described,
    run: (raw, world) =>
      handle(
        {
          query: query === undefined ? nothing<Q>() : validated(query, raw.query, "query"),
          body: body === undefined ? nothing<B>() : validated(body, raw.body, "body"),
          path: (name) => raw.path[name] ?? "",
          raw,
        },
        world,
      ),
  };
}

/** Of a route without such a part, whose type is then undefined. */
function nothing<T>(): T {
  return undefined as T;
}

export function json(value: unknown): Answer {
  return { json: value };
}

const CODES = {
  400: "SCAN_TASK_NOT_SCHEDULED",
  401: "ROLE_INSUFFICIENT",
  403: "ROLE_INSUFFICIENT",
  404: "SCAN_TASK_NOT_FOUND",
  409: "SCAN_TASK_TAKEN",
  503: "SCAN_DEVICE_OFFLINE",
} as const;

/** In the original's words. */
export function refusal(status: keyof typeof CODES, detail: string): AnswerError {
  return new AnswerError(status, detail, { code: CODES[status] });
}
