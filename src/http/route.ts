import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ErrorCode } from "../errors/registry.ts";
import type { Operations } from "../operations/operations.ts";
import { OPERATION_ROLES } from "../operations/roles.ts";
import type { Actor, Role } from "../units/actor.ts";
import type { ApiServices } from "./services.ts";
import type { Upload } from "./upload.ts";
import { validated } from "./validation.ts";

/** What a handler works with. */
export interface RequestContext {
  /** In the name of whoever asks. */
  readonly operations: Operations;
  readonly actor: Actor;
  /** When what he asks with ends. */
  readonly expiresAt: string;
  readonly services: ApiServices;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Aborted when the caller went away or the gateway stops. */
  readonly signal: AbortSignal;
}

/** A request before anything in it was looked at. */
export interface RawRequest {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export const TAGS = {
  Overview: "everything at once, and live",
  Projects: "the configured projects",
  Cohorts: "lists of wanted studies",
  Inquiries: "questions that take their time: plans and checks of cohorts",
  Studies: "study jobs: one for each project and study",
  Archives: "the systems that studies are pulled from",
  Deliveries: "what went to which destination, with its receipt",
  Operating: "workers, settings in force, checks",
  Audit: "who did what",
  Tokens: "who may use the API",
  Scanners: "research scanners, their tasks and what they sent",
  FLIP: "FLIP's imaging functions",
} as const;
type Tag = keyof typeof TAGS;

/** What an answer or a body is, where it is no JSON. */
export interface OtherContent {
  readonly contentType: string;
  readonly description: string;
}

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below /api/v1, with `{names}`. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  /** The operation whose role is needed. */
  readonly operation: keyof Operations;
  readonly least: Role;
  readonly status: number;
  readonly parameters: { readonly path?: z.ZodObject | undefined; readonly query?: z.ZodObject | undefined };
  readonly body: z.ZodType | undefined;
  /** It takes a file instead of JSON. */
  readonly takesFile: boolean;
  readonly answer: z.ZodType | OtherContent;
  /** Besides those that every route has. */
  readonly errors: readonly ErrorCode[];
  /** The answer is kept for who asks again with the same Idempotency-Key. */
  readonly isRepeatable: boolean;
  /** @throws GatewayError */
  run(raw: RawRequest, context: RequestContext): Promise<unknown>;
}

interface RouteFacts<P, Q, B> {
  readonly method: Route["method"];
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly operation: keyof Operations;
  readonly status?: number;
  readonly params?: z.ZodType<P> & z.ZodObject;
  readonly query?: z.ZodType<Q> & z.ZodObject;
  readonly body?: z.ZodType<B>;
  readonly answer: z.ZodType | OtherContent;
  readonly errors?: readonly ErrorCode[];
  readonly isRepeatable?: boolean;
  /** What an answer that is no JSON is written by: the handler itself. */
  readonly handle: (
    input: { readonly path: P; readonly query: Q; readonly body: B },
    context: RequestContext,
  ) => Promise<unknown>;
}

/** Everything is looked at before it is acted upon; of what is answered only what the schema names goes out. */
export function route<P = undefined, Q = undefined, B = undefined>(facts: RouteFacts<P, Q, B>): Route {
  return { ...common(facts), takesFile: false, run: runner(facts, (body) => bodyOf(facts.body, body)) };
}

/** A route whose body is a file. */
export function uploadRoute<P = undefined, Q = undefined>(facts: Omit<RouteFacts<P, Q, Upload>, "body">): Route {
  return { ...common(facts), takesFile: true, run: runner(facts, (body) => body as Upload) };
}

function common<P, Q, B>(facts: RouteFacts<P, Q, B>) {
  const { method, path, tag, summary, operation, status = 200, params, query, body, answer, errors = [] } = facts;
  const least = OPERATION_ROLES[operation];
  const isRepeatable = facts.isRepeatable ?? method === "POST";
  const parameters = { path: params, query };
  return { method, path, tag, summary, operation, least, status, parameters, body, answer, errors, isRepeatable };
}

function runner<P, Q, B>(facts: RouteFacts<P, Q, B>, readBody: (body: unknown) => B): Route["run"] {
  const { params, query, answer } = facts;
  return async (raw, context) => {
    const input = {
      path: params === undefined ? nothing<P>() : validated(params, raw.path, "path"),
      query: query === undefined ? nothing<Q>() : validated(query, raw.query, "query"),
      body: readBody(raw.body),
    };
    const answered = await facts.handle(input, context);
    return answer instanceof z.ZodType ? answer.parse(answered) : answered;
  };
}

function bodyOf<B>(schema: z.ZodType<B> | undefined, body: unknown): B {
  return schema === undefined ? nothing<B>() : validated(schema, body, "body");
}

/** Of a route without such a part, whose type is then undefined. */
function nothing<T>(): T {
  return undefined as T;
}
