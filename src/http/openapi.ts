import { z } from "zod";
import type { ErrorCode } from "../errors/registry.ts";
import { statusOf } from "./problem.ts";
import { IDEMPOTENCY_HEADER } from "./repeatable.ts";
import { type Route, TAGS } from "./route.ts";
import { problemSchema, schemas } from "./schemas/schemas.ts";
import { UPLOAD_TYPES } from "./upload.ts";

export const BASE = "/api/v1";

export type Json = Readonly<Record<string, unknown>>;

/** What is answered beside the API, in OpenAPI's words. */
export interface BesideApi {
  readonly tag: { readonly name: string; readonly description: string };
  readonly schemas: Json;
  /** By path, then by method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, BesideOperation>>>>;
}

export interface BesideOperation extends Json {
  readonly summary: string;
  readonly description: string;
}

const named = new Map<z.core.$ZodType, string>(Object.entries(schemas).map(([name, schema]) => [schema, name]));
const PROBLEM: Json = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };

/** What every route may answer, besides its own. */
export const USUAL_ERRORS: readonly ErrorCode[] = [
  "API_REQUEST_MALFORMED",
  "API_TOKEN_MISSING",
  "API_TOKEN_INVALID",
  "API_SESSION_UNPROVEN",
  "ROLE_INSUFFICIENT",
  "API_REQUEST_TIMED_OUT",
  "API_RATE_LIMITED",
  "API_STOPPING",
  "STORE_UNAVAILABLE",
];

/** OpenAPI 3.1, from the same table that the API answers by. */
export function openApiDocument(routes: readonly Route[], version: string, beside: readonly BesideApi[] = []): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const operations = paths[BASE + route.path] ?? {};
    operations[route.method.toLowerCase()] = operationOf(route);
    paths[BASE + route.path] = operations;
  }
  const components = Object.entries(schemas).map(([name, schema]) => [name, schemaOf(schema, "output")] as const);
  return {
    openapi: "3.1.0",
    info: {
      title: "Radferry",
      version,
      description: "The gateway's own API. Errors are problem+json (RFC 9457) with the codes of docs/errors.md.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    tags: [
      ...Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      ...beside.map(({ tag }) => tag),
    ],
    paths: Object.assign(paths, ...beside.map((each) => each.paths)),
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: Object.assign(
        { ...Object.fromEntries(components), Problem: schemaOf(problemSchema, "output") },
        ...beside.map((each) => each.schemas),
      ),
    },
  };
}

function operationOf(route: Route): Json {
  const { tag, summary, operation, least, parameters, status } = route;
  const body = requestBodyOf(route);
  return {
    tags: [tag],
    summary,
    description: `Needs the role ${least}.`,
    operationId: operationIdOf(route),
    "x-operation": operation,
    parameters: [
      ...parametersOf(parameters.path, "path"),
      ...parametersOf(parameters.query, "query"),
      ...(route.isRepeatable ? [IDEMPOTENCY_PARAMETER] : []),
    ],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: { [status]: answerOf(route), ...problemsBy(errorsOf(route)) },
  };
}

const IDEMPOTENCY_PARAMETER: Json = {
  name: IDEMPOTENCY_HEADER,
  in: "header",
  required: false,
  description:
    "Asked again with the same key, within a day and before 5000 further keys, the first answer is given and nothing is done twice.",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
};

export function operationIdOf({ method, path }: Route): string {
  return `${method.toLowerCase()}${path.replaceAll(/[{}]/g, "").replaceAll(/[^A-Za-z0-9]+(.)/g, (_, next) => String(next).toUpperCase())}`;
}

function requestBodyOf({ takesFile, body }: Route): Json | undefined {
  if (takesFile) {
    const content = { schema: { type: "string", contentMediaType: "application/octet-stream" } };
    return { required: true, content: Object.fromEntries(UPLOAD_TYPES.map((type) => [type, content])) };
  }
  if (body === undefined) return undefined;
  return { required: true, content: { "application/json": { schema: schemaOf(body, "input") } } };
}

function answerOf({ answer, status }: Route): Json {
  if (!(answer instanceof z.ZodType))
    return { description: answer.description, content: { [answer.contentType]: { schema: { type: "string" } } } };
  if (status === 204) return { description: "Done" };
  return { description: "Success", content: { "application/json": { schema: reference(answer) } } };
}

/** Every code that may come, by its status. */
export function errorsOf({ errors, parameters, body, takesFile, isRepeatable }: Route): readonly ErrorCode[] {
  const takesInput = [parameters.path, parameters.query, body].some((part) => part !== undefined) || takesFile;
  return [
    ...USUAL_ERRORS,
    ...(takesInput || isRepeatable ? (["API_REQUEST_INVALID"] as const) : []),
    ...(body !== undefined || takesFile ? (["API_BODY_TOO_LARGE", "API_CONTENT_TYPE_UNSUPPORTED"] as const) : []),
    ...(isRepeatable ? (["IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_UNFINISHED"] as const) : []),
    ...errors,
  ];
}

export function problemsBy(errors: readonly ErrorCode[]): Json {
  const codes = Map.groupBy(errors, statusOf);
  return Object.fromEntries(
    [...codes]
      .sort(([a], [b]) => a - b)
      .map(([status, list]) => [status, { description: [...new Set(list)].sort().join(", "), content: PROBLEM }]),
  );
}

function parametersOf(shape: z.ZodObject | undefined, where: "path" | "query"): readonly Json[] {
  return Object.entries(shape?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: where,
    required: where === "path" || !z.safeParse(schema, undefined).success,
    schema: schemaOf(schema, "input"),
  }));
}

function reference(schema: z.core.$ZodType): Json {
  const name = named.get(schema);
  return name === undefined ? schemaOf(schema, "output") : { $ref: `#/components/schemas/${name}` };
}

function schemaOf(schema: z.core.$ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return shape;
}
