import { z } from "zod";
import { operationId } from "../../fastapi/openapi.ts";
import type { ScanHubRoute } from "./route.ts";

type Json = Readonly<Record<string, unknown>>;

const ERROR: Json = {
  description: "Error",
  content: {
    "application/json": {
      schema: { type: "object", required: ["detail"], properties: { detail: {} } },
    },
  },
};

/** What programs read to tell which version this is: OpenAPI 3.1. */
export function openApiOf(title: string, base: string, routes: readonly ScanHubRoute[], schemas: Json): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const { method, path, summary, status, query, body, takes } of routes) {
    const address = `${base}${path}`;
    const operation = {
      summary,
      // The original's summaries are its functions' names.
      operationId: operationId(summary.toLowerCase().replaceAll(" ", "_"), address, method),
      parameters: [...parametersInPath(path), ...parametersInQuery(query)],
      ...(takes === "nothing"
        ? {}
        : { requestBody: { required: true, content: { [MEDIA_TYPES[takes]]: { schema: schemaOf(body) } } } }),
      responses: { [status]: { description: "Successful Response" }, 401: ERROR, 404: ERROR, 422: ERROR },
    };
    paths[address] = { ...paths[address], [method.toLowerCase()]: operation };
  }
  return { openapi: "3.1.0", info: { title, version: "1.0.0" }, paths, components: { schemas } };
}

/** The bytes that are taken are a form with a file. */
const MEDIA_TYPES = { json: "application/json", bytes: "multipart/form-data" } as const;

function parametersInPath(path: string): readonly Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function parametersInQuery(query: ScanHubRoute["query"]): readonly Json[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: !z.safeParse(schema, undefined).success,
    schema: schemaOf(schema),
  }));
}

function schemaOf(schema: z.core.$ZodType | undefined): Json {
  if (schema === undefined) return {};
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return shape;
}
