import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { startHttpServer, type TestHttpServer } from "../../../test/support/http-server.ts";

const TASK = "4f4b0dcb-0ad5-4e52-9ab7-1bd4a7d52e4d";
const RESULT = "0a4c1a57-9f8e-4d6a-8f5b-6a2f0a9d1c33";
const SEQUENCE = "64b7f0c2a1d3e4f5a6b7c8d9";
const CREATED = "2025-08-30T09:48:19.123456";
// Python's way of writing, which is to come out as it is.
const TASK_TEXT = `{"id": "${TASK}", "name": "T1", "description": "", "task_type": "ACQUISITION", "destination": "", "status": "NEW", "progress": 0, "is_template": false, "creator": "max", "datetime_created": "${CREATED}"}`;
const RESULT_TEXT = `{"type": "NOT_SET", "directory": "", "files": [], "meta": null, "task_id": "${TASK}", "id": "${RESULT}", "datetime_created": "${CREATED}"}`;
const SEQUENCE_TEXT = `{"_id": "${SEQUENCE}", "name": "tse", "description": "", "sequence_type": "TSE", "created_at": "${CREATED}", "seq_file": "# Pulseq"}`;
const ANSWERS: Readonly<Record<string, readonly [status: number, text: string]>> = {
  [`GET /task/${TASK}`]: [200, TASK_TEXT],
  [`PUT /task/${TASK}`]: [200, TASK_TEXT],
  [`GET /sequence/${SEQUENCE}`]: [200, SEQUENCE_TEXT],
  [`POST /result?task_id=${TASK}`]: [201, RESULT_TEXT],
  [`DELETE /result/${RESULT}`]: [204, ""],
  [`PUT /result/${RESULT}`]: [200, RESULT_TEXT],
};

let manager: TestHttpServer;
let folder: string;
const bodies: string[] = [];
beforeAll(async () => {
  manager = await startHttpServer(async (request, response) => {
    bodies.push((await buffer(request)).toString());
    const [status, text] = ANSWERS[`${request.method} ${request.url}`] ?? [404, '{"detail":"Task not found"}'];
    response.writeHead(status).end(text);
  });
  folder = await mkdtemp(join(tmpdir(), "scanhub-verbs-"));
  await writeFile(join(folder, "token"), "operator-token\n", { mode: 0o600 });
  await writeFile(join(folder, "task.json"), TASK_TEXT);
  await writeFile(join(folder, "result.json"), '{"type":"MRD","directory":"/data/a","files":["scan.mrd"]}');
});
afterAll(async () => {
  await manager[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function scanhub(...args: readonly string[]) {
  const options = ["--url", manager.url, "--token-file", "token"];
  return runCli(["scanhub", ...args, ...options], { workingFolder: folder });
}

it.each([
  [["task", "get", TASK], TASK_TEXT],
  [["task", "set", TASK, "--file", "task.json"], TASK_TEXT],
  [["sequence", "get", SEQUENCE], SEQUENCE_TEXT],
  [["result", "create", "--task", TASK], RESULT_TEXT],
  [["result", "set", RESULT, "--file", "result.json"], RESULT_TEXT],
])("prints what is answered to %j as it came", async (args, text) => {
  for (const flags of [[], ["--json"]])
    expect(await scanhub(...args, ...flags)).toEqual({ exitCode: 0, stdout: `${text}\n`, stderr: "" });
});

it("sends the file's document", async () => {
  await scanhub("result", "set", RESULT, "--file", "result.json");
  expect(JSON.parse(bodies.at(-1) ?? "")).toEqual({ type: "MRD", directory: "/data/a", files: ["scan.mrd"] });
});

it("deletes a result, of which nothing is answered", async () => {
  expect(await scanhub("result", "delete", RESULT)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  expect((await scanhub("result", "delete", RESULT, "--json")).stdout).toBe('{\n  "deleted": true\n}\n');
});

it("ends with 1 and the error's document for everything else", async () => {
  const { exitCode, stdout } = await scanhub("task", "get", RESULT, "--json");
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: "SCANHUB_REFUSED",
    details: { op: "get_task", status: 404, detail: "Task not found", upstreamStatus: 404 },
  });
});

it.each([
  [["task", "set", TASK, "--file", "absent.json"], "cannot be read"],
  [["result", "set", RESULT, "--file", "task.json"], "is no such document"],
])("is wrong usage: %j", async (args, problem) => {
  const { exitCode, stderr } = await scanhub(...args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(problem);
});
