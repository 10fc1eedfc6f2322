import { z } from "zod";
import type { Route } from "./route.ts";

/** What a face's pages show. */
export interface FacePages {
  readonly title: string;
  readonly description?: string;
  readonly version: string;
  readonly routes: readonly RouteFacts[];
  /** By their names in the original's page. */
  readonly schemas: Readonly<Record<string, z.ZodType>>;
}

type RouteFacts = Omit<Route<never>, "run">;
type Json = Readonly<Record<string, unknown>>;
type Reference = (schema: z.core.$ZodType) => Json;

const ERROR: Json = {
  description: "Error",
  content: { "application/json": { schema: { $ref: "#/components/schemas/HTTPError" } } },
};

/** The page that programs read: OpenAPI 3.1, from the same table that the face answers by. */
export function openApiDocument({ title, description, version, routes, schemas }: FacePages): Json {
  const reference = referenceTo(new Map(Object.entries(schemas).map(([name, schema]) => [schema, name])));
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    Object.assign(paths[route.path] ?? {}, { [route.method.toLowerCase()]: operationOf(route, reference) });
  }
  const components = Object.entries(schemas).map(
    ([name, schema]) => [name, { title: name, ...schemaOf(schema) }] as const,
  );
  const detail = { type: "object", required: ["detail"] };
  return {
    openapi: "3.1.0",
    info: { title, ...(description !== undefined && { description }), version },
    paths,
    components: {
      schemas: {
        ...Object.fromEntries(components),
        HTTPError: { ...detail, properties: { detail: { type: "string" } } },
        HTTPValidationError: { ...detail, properties: { detail: { type: "array", items: { type: "object" } } } },
      },
    },
  };
}

function operationOf(
  { method, path, tag, name, summary, status, parameters, body, answer, isOpen }: RouteFacts,
  reference: Reference,
): Json {
  const takesInput = body !== undefined || parameters.path !== undefined || parameters.query !== undefined;
  return {
    tags: [tag],
    summary,
    operationId: operationId(name, path, method),
    parameters: [...parametersOf(parameters.path, "path"), ...parametersOf(parameters.query, "query")],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: reference(body) } } } }),
    responses: {
      [status]: { description: "Successful Response", content: { "application/json": { schema: reference(answer) } } },
      ...(takesInput
        ? {
            422: {
              description: "Validation Error",
              content: { "application/json": { schema: { $ref: "#/components/schemas/HTTPValidationError" } } },
            },
          }
        : {}),
      ...(isOpen ? {} : { 401: ERROR, 500: ERROR }),
    },
  };
}

/** As FastAPI makes it; programs that are made from the page name their functions by it. */
export function operationId(name: string, path: string, method: string): string {
  return `${`${name}${path}`.replaceAll(/\W/g, "_")}_${method.toLowerCase()}`;
}

function parametersOf(shape: z.ZodObject | undefined, where: "path" | "query"): readonly Json[] {
  return Object.entries(shape?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: where,
    required: where === "path" || !z.safeParse(schema, undefined).success,
    schema: schemaOf(schema),
  }));
}

function referenceTo(named: ReadonlyMap<z.core.$ZodType, string>): Reference {
  return function reference(schema): Json {
    const name = named.get(schema);
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
    if (schema instanceof z.ZodArray) return { type: "array", items: reference(schema.element) };
    if (schema instanceof z.ZodUnion) return { anyOf: schema.options.map(reference) };
    return schemaOf(schema);
  };
}

function schemaOf(schema: z.core.$ZodType): Json {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return shape;
}

/** What people read: without a script, and without anything from elsewhere. */
export function openApiPage({ title, version, routes }: FacePages): string {
  const rows = routes.map(
    ({ method, path, tag, summary }) =>
      `<tr><td>${tag}</td><td><code>${method}</code></td><td><code>${path}</code></td><td>${summary}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<style>body{font-family:sans-serif;margin:2rem}td,th{padding:.3rem .8rem;text-align:left}</style></head>
<body><h1>${title} ${version}</h1><p>Schemas: <a href="/openapi.json">/openapi.json</a></p>
<table><tr><th>Group</th><th>Method</th><th>Path</th><th>What it does</th></tr>
${rows.join("\n")}
</table></body></html>
`;
}
