import type { z } from "zod";
import type { ImageFiles } from "../image-files.ts";
import type { ImportTasks } from "../import-tasks.ts";
import type { FlipServices } from "../services.ts";
import type { Xnat } from "../xnat.ts";
import { validated } from "./validation.ts";

/** What every handler works with. */
export interface RouteContext {
  readonly services: FlipServices;
  readonly tasks: ImportTasks;
  readonly files: ImageFiles;
  readonly xnat: Xnat;
  readonly version: string | null;
  /** Aborted when the face stops. */
  readonly signal: AbortSignal;
}

/** A request before anything in it was looked at. */
export interface RawRequest {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export type Tag = "Health" | "Users" | "Projects" | "Imaging" | "Retrieval" | "Download" | "Upload";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `{names}`, and with or without a slash at its end, as the original has it. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly isOpen: boolean;
  readonly status: number;
  readonly parameters: { readonly path?: z.ZodObject | undefined; readonly query?: z.ZodObject | undefined };
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  /** @throws ValidationFailure, HttpError, GatewayError */
  run(raw: RawRequest, context: RouteContext): Promise<unknown>;
}

interface RouteFacts<P, Q, B, A> {
  readonly method: Route["method"];
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly status?: number;
  /** Without the service key. */
  readonly isOpen?: boolean;
  readonly params?: z.ZodType<P> & z.ZodObject;
  readonly query?: z.ZodType<Q> & z.ZodObject;
  readonly body?: z.ZodType<B>;
  readonly answer: z.ZodType<A>;
  readonly handle: (
    input: { readonly path: P; readonly query: Q; readonly body: B },
    context: RouteContext,
  ) => Promise<unknown>;
}

/** Everything is looked at before XNAT hears of it; of what XNAT says only what the answer's model names goes on. */
export function route<A, P = undefined, Q = undefined, B = undefined>(facts: RouteFacts<P, Q, B, A>): Route {
  const { method, path, tag, summary, status = 200, isOpen = false, params, query, body, answer } = facts;
  return {
    method,
    path,
    tag,
    summary,
    status,
    isOpen,
    parameters: { path: params, query },
    body,
    answer,
    async run(raw, context) {
      const input = {
        path: params === undefined ? nothing<P>() : validated(params, raw.path, "path"),
        query: query === undefined ? nothing<Q>() : validated(query, raw.query, "query"),
        body: body === undefined ? nothing<B>() : validated(body, raw.body, "body"),
      };
      return answer.parse(await facts.handle(input, context));
    },
  };
}

/** Of a route without such a part, whose type is then undefined. */
function nothing<T>(): T {
  return undefined as T;
}
