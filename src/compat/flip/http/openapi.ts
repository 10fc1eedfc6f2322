import { z } from "zod";
import type { Route } from "./route.ts";
import { schemas } from "./schemas.ts";

const TITLE = "Imaging API";
const VERSION = "0.1.0";

type Json = Readonly<Record<string, unknown>>;

const named = new Map<z.ZodType, string>(Object.entries(schemas).map(([name, schema]) => [schema, name]));
const ERROR: Json = {
  description: "Error",
  content: { "application/json": { schema: { $ref: "#/components/schemas/HTTPError" } } },
};

/** The page that programs read: OpenAPI 3.1, from the same table that the face answers by. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    Object.assign(paths[route.path] ?? {}, { [route.method.toLowerCase()]: operationOf(route) });
  }
  const components = Object.entries(schemas).map(
    ([name, schema]) => [name, { title: name, ...schemaOf(schema) }] as const,
  );
  const detail = { type: "object", required: ["detail"] };
  return {
    openapi: "3.1.0",
    info: { title: TITLE, version: VERSION },
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

function operationOf({ method, path, tag, summary, status, parameters, body, answer, isOpen }: Route): Json {
  const takesInput = body !== undefined || parameters.path !== undefined || parameters.query !== undefined;
  return {
    tags: [tag],
    summary,
    operationId: `${summary}_${path}_${method}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_"),
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

function parametersOf(shape: z.ZodObject | undefined, where: "path" | "query"): readonly Json[] {
  return Object.entries(shape?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: where,
    required: where === "path" || !z.safeParse(schema, undefined).success,
    schema: schemaOf(schema),
  }));
}

function reference(schema: z.core.$ZodType): Json {
  for (const [known, name] of named) if (known === schema) return { $ref: `#/components/schemas/${name}` };
  if (schema instanceof z.ZodArray) return { type: "array", items: reference(schema.element) };
  return schemaOf(schema);
}

function schemaOf(schema: z.core.$ZodType): Json {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return shape;
}

/** What people read: without a script, and without anything from elsewhere. */
export function openApiPage(routes: readonly Route[]): string {
  const rows = routes.map(
    ({ method, path, tag, summary }) =>
      `<tr><td>${tag}</td><td><code>${method}</code></td><td><code>${path}</code></td><td>${summary}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${TITLE}</title>
<style>body{font-family:sans-serif;margin:2rem}td,th{padding:.3rem .8rem;text-align:left}</style></head>
<body><h1>${TITLE} ${VERSION}</h1><p>Schemas: <a href="/openapi.json">/openapi.json</a></p>
<table><tr><th>Group</th><th>Method</th><th>Path</th><th>What it does</th></tr>
${rows.join("\n")}
</table></body></html>
`;
}
