import { expect, it } from "vitest";
import { PAGES } from "./routes.ts";

/** One operation of the exam manager's page. */
function operation(path: string, method: string): unknown {
  const page = JSON.parse(JSON.stringify(PAGES["/api/v1/exam/openapi.json"]?.()));
  return page.paths[`/api/v1/exam${path}`][method];
}

it("tells programs that are made from it what to say in the query, and what they may leave out", () => {
  expect(operation("/result", "post")).toMatchObject({
    parameters: [{ name: "task_id", in: "query", required: true, schema: { type: "string" } }],
  });
  expect(operation("/task", "post")).toMatchObject({
    parameters: [
      { name: "workflow_id", in: "query", required: false },
      { name: "template_id", in: "query", required: true },
      { name: "new_task_is_template", in: "query", required: true },
    ],
  });
  expect(operation("/sequence/{sequence_id}/file", "get")).toMatchObject({
    parameters: [
      { name: "sequence_id", in: "path", required: true },
      { name: "name", in: "query", required: false },
    ],
  });
});

it("tells that a sequence is uploaded as a form with its file, everything else as JSON", () => {
  expect(operation("/sequence", "post")).toMatchObject({
    requestBody: {
      content: {
        "multipart/form-data": {
          schema: {
            properties: { name: { type: "string" }, seq_file: { type: "string", format: "binary" } },
            required: ["name", "tags", "seq_file"],
          },
        },
      },
    },
  });
  expect(operation("/sequence/{sequence_id}", "put")).toMatchObject({
    requestBody: { content: { "application/json": {} } },
  });
});
