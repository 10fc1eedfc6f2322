import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { startHttpServer, type TestHttpServer } from "../../../../test/support/http-server.ts";
import { type ExamClientOptions, openExamClient } from "./exam-client.ts";
import { acquisitionTaskOut, timeOf } from "./schemas.ts";

const TASK = "4f4b0dcb-0ad5-4e52-9ab7-1bd4a7d52e4d";
const RESULT = "0a4c1a57-9f8e-4d6a-8f5b-6a2f0a9d1c33";
const SEQUENCE = "64b7f0c2a1d3e4f5a6b7c8d9";
const TOKEN = "operator-token";

/** As an exam-manager of the first generation sends it. */
const TASK_V1 = {
  workflow_id: "b1b0c9de-6a52-4b39-9c7e-2d41f9f9a001",
  name: "T1",
  description: "brain",
  task_type: "ACQUISITION",
  destination: "",
  status: "NEW",
  progress: 0,
  is_template: false,
  device_id: null,
  sequence_id: SEQUENCE,
  acquisition_parameter: {
    fov_scaling: { x: 1, y: 1, z: 1 },
    fov_offset: { x: 0, y: 0, z: 0 },
    fov_rotation: { x: 0, y: 0, z: 0 },
  },
  id: TASK,
  creator: "max",
  datetime_created: "2025-08-30T09:48:19.123456",
  datetime_updated: null,
  results: [],
};
/** Of the second, with a key that no version here knows. */
const TASK_V2 = { ...TASK_V1, position: 4, calibration: ["frequency"], x: "kept" };
const BLANK = {
  type: "NOT_SET",
  directory: "",
  files: [],
  meta: null,
  task_id: TASK,
  id: RESULT,
  datetime_created: "2999-01-01T00:00:00",
};

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}
type Scripted = { readonly status: number; readonly body?: unknown; readonly text?: string } | "cut" | "silence";

/** An exam-manager that answers as it is told, the last answer again and again. */
async function examManager(...script: readonly Scripted[]): Promise<{ manager: TestHttpServer; seen: Seen[] }> {
  const seen: Seen[] = [];
  const manager = await startHttpServer(async (request, response) => {
    const body = (await buffer(request)).toString();
    const { method = "", url = "", headers } = request;
    const step = script[Math.min(seen.length, script.length - 1)] ?? "silence";
    seen.push({ method, url, headers, body });
    if (step === "cut") request.socket.destroy();
    else if (step !== "silence") {
      response.writeHead(step.status, { "Content-Type": "application/json" });
      response.end(step.text ?? (step.body === undefined ? "" : JSON.stringify(step.body)));
    }
  });
  return { manager, seen };
}

function clientOf({ url }: TestHttpServer, options: ExamClientOptions = {}) {
  return openExamClient({ url: `${url}/api/v1/exam`, ...options });
}

const base = "/api/v1/exam";

describe("get_task", () => {
  it("A1: gives the task as it is, asked for with the user's token and without a slash at the end", async () => {
    const { manager, seen } = await examManager({ status: 200, body: TASK_V1 });
    await using _ = manager;
    await using client = clientOf(manager);
    const { value, text } = await client.getTask(TASK, TOKEN);
    expect(value).toMatchObject(TASK_V1);
    expect(text).toBe(JSON.stringify(TASK_V1));
    expect(seen).toMatchObject([
      { method: "GET", url: `${base}/task/${TASK}`, headers: { authorization: `Bearer ${TOKEN}` } },
    ]);
  });

  it.each([401, 404, 500])("A2: says 404 `Task not found` of a %i, and keeps what was answered", async (status) => {
    const { manager } = await examManager({ status, body: { detail: "Invalid token." } });
    await using _ = manager;
    await using client = clientOf(manager);
    await expect(client.getTask(TASK, TOKEN)).rejects.toMatchObject({
      name: "ScanHubError",
      op: "get_task",
      status: 404,
      detail: "Task not found",
      upstreamStatus: status,
      retryable: false,
    });
  });

  it("A3: refuses a task of another type", async () => {
    const { manager } = await examManager({ status: 200, body: { ...TASK_V1, task_type: "DAG" } });
    await using _ = manager;
    await using client = clientOf(manager);
    const failed = client.getTask(TASK, TOKEN);
    await expect(failed).rejects.toMatchObject({ status: 400, detail: "Task is not an acquisition task" });
  });

  it.each(["../result/all/1", "", `${TASK}/`, "1"])("asks nothing for the id %j", async (id) => {
    const { manager, seen } = await examManager({ status: 200, body: TASK_V1 });
    await using _ = manager;
    await using client = clientOf(manager);
    await expect(client.getTask(id, TOKEN)).rejects.toMatchObject({ code: "SCANHUB_ID_INVALID", status: 404 });
    expect(seen).toEqual([]);
  });

  it("asks again after a lost connection and after a proxy's 503", async () => {
    const { manager, seen } = await examManager("cut", { status: 503 }, { status: 200, body: TASK_V2 });
    await using _ = manager;
    await using client = clientOf(manager);
    await expect(client.getTask(TASK, TOKEN)).resolves.toMatchObject({ value: { calibration: ["frequency"] } });
    expect(seen).toHaveLength(3);
  });

  it("A9: gives up within its limit on who never answers, and on garbage", async () => {
    const silent = await examManager("silence");
    await using _ = silent.manager;
    await using client = clientOf(silent.manager, { timeoutMs: 50 });
    const unanswered = { code: "SCANHUB_UNREACHABLE", status: 503, retryable: true, upstreamStatus: undefined };
    await expect(client.getTask(TASK, TOKEN)).rejects.toMatchObject(unanswered);
    const garbage = await examManager({ status: 200, text: '{"task_type": NaN' });
    await using __ = garbage.manager;
    await using other = clientOf(garbage.manager);
    await expect(other.getTask(TASK, TOKEN)).rejects.toMatchObject({ code: "SCANHUB_ANSWER_INVALID", status: 404 });
  });

  it("leaves with the reason of its signal", async () => {
    const { manager } = await examManager("silence");
    await using _ = manager;
    await using client = clientOf(manager);
    const leaving = new AbortController();
    const asked = client.getTask(TASK, TOKEN, leaving.signal);
    leaving.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});

describe("set_task", () => {
  it("A4: sends every key back, those of other versions too, as JSON", async () => {
    const { manager, seen } = await examManager({ status: 200, body: TASK_V2 });
    await using _ = manager;
    await using client = clientOf(manager);
    const { value: task } = await client.getTask(TASK, TOKEN);
    await client.setTask(TASK, { ...task, status: "INPROGRESS" }, TOKEN);
    expect(seen[1]).toMatchObject({ method: "PUT", headers: { "content-type": "application/json" } });
    expect(JSON.parse(seen[1]?.body ?? "")).toEqual({ ...TASK_V2, status: "INPROGRESS" });
  });

  it("A4: says 400 `Error updating task` of everything but 200", async () => {
    const { manager } = await examManager({ status: 201, body: TASK_V2 });
    await using _ = manager;
    await using client = clientOf(manager);
    const failed = client.setTask(TASK, acquisitionTaskOut.parse(TASK_V2), TOKEN);
    await expect(failed).rejects.toMatchObject({ status: 400, detail: "Error updating task", upstreamStatus: 201 });
  });
});

describe("get_sequence", () => {
  const sequence = {
    _id: SEQUENCE,
    name: "tse",
    description: "",
    sequence_type: "TSE",
    created_at: "2025-01-01T00:00:00.001",
  };

  it("A5: keeps the text of the sequence's file", async () => {
    const { manager } = await examManager({ status: 200, body: { ...sequence, seq_file: "# Pulseq\n[VERSION]\n" } });
    await using _ = manager;
    await using client = clientOf(manager);
    const { value } = await client.getSequence(SEQUENCE, TOKEN);
    expect(value).toMatchObject({ _id: SEQUENCE, seq_file: "# Pulseq\n[VERSION]\n" });
  });

  it("A5: says 404 `Sequence not found`, and asks nothing for an id that is none", async () => {
    const { manager, seen } = await examManager({ status: 500, text: "Internal Server Error" });
    await using _ = manager;
    await using client = clientOf(manager);
    const refusal = { status: 404, detail: "Sequence not found" };
    await expect(client.getSequence(TASK, TOKEN)).rejects.toMatchObject({ ...refusal, code: "SCANHUB_ID_INVALID" });
    expect(seen).toEqual([]);
    await expect(client.getSequence(SEQUENCE, TOKEN)).rejects.toMatchObject({ ...refusal, upstreamStatus: 500 });
  });
});

describe("create_blank_result", () => {
  it("A6: posts nothing but the task's id, and takes 201 alone", async () => {
    const { manager, seen } = await examManager({ status: 201, body: BLANK }, { status: 200, body: BLANK });
    await using _ = manager;
    await using client = clientOf(manager);
    await expect(client.createBlankResult(TASK, TOKEN)).resolves.toMatchObject({ value: BLANK });
    expect(seen).toMatchObject([{ method: "POST", url: `${base}/result?task_id=${TASK}`, body: "" }]);
    expect(seen[0]?.headers).toMatchObject({ "content-length": "0" });
    const failed = client.createBlankResult(TASK, TOKEN);
    await expect(failed).rejects.toMatchObject({ status: 404, detail: "Could not create blank result." });
  });

  it("finds the result whose answer was lost, and makes no second one", async () => {
    const { manager, seen } = await examManager("cut", { status: 200, body: [BLANK] });
    await using _ = manager;
    await using client = clientOf(manager);
    await expect(client.createBlankResult(TASK, TOKEN)).resolves.toMatchObject({ value: { id: RESULT } });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `POST ${base}/result?task_id=${TASK}`,
      `GET ${base}/result/all/${TASK}`,
    ]);
  });

  it("posts again when the task has no blank result, or one of long ago", async () => {
    const old = { ...BLANK, datetime_created: "2020-01-01T00:00:00" };
    const { manager, seen } = await examManager("cut", { status: 200, body: [old] }, { status: 201, body: BLANK });
    await using _ = manager;
    await using client = clientOf(manager);
    await expect(client.createBlankResult(TASK, TOKEN)).resolves.toMatchObject({ value: { id: RESULT } });
    expect(seen.map(({ method }) => method)).toEqual(["POST", "GET", "POST"]);
  });

  it.each([
    ["there are two that it may have made", { status: 200, body: [BLANK, { ...BLANK, id: TASK }] }],
    ["the results cannot be read", { status: 500 }],
    ["the results are no list", { status: 200, text: "sorry" }],
  ])("is uncertain, and makes none, when %s", async (_name, listing) => {
    const { manager, seen } = await examManager("cut", listing);
    await using __ = manager;
    await using client = clientOf(manager);
    const failed = client.createBlankResult(TASK, TOKEN);
    await expect(failed).rejects.toMatchObject({ code: "SCANHUB_RESULT_UNCERTAIN", class: "ambiguous", status: 404 });
    expect(seen.filter(({ method }) => method === "POST")).toHaveLength(1);
  });
});

describe("delete_blank_result", () => {
  it("A7: names the result in the path, and takes a 404 for done only when it had to ask again", async () => {
    const { manager, seen } = await examManager({ status: 204 }, "cut", { status: 404 }, { status: 404 });
    await using _ = manager;
    await using client = clientOf(manager);
    await client.deleteBlankResult(RESULT, TOKEN);
    await client.deleteBlankResult(RESULT, TOKEN);
    const failed = client.deleteBlankResult(RESULT, TOKEN);
    await expect(failed).rejects.toMatchObject({
      status: 404,
      detail: "Could not delete result.",
      upstreamStatus: 404,
    });
    expect(new Set(seen.map(({ method, url }) => `${method} ${url}`))).toEqual(
      new Set([`DELETE ${base}/result/${RESULT}`]),
    );
  });

  it("A7: names it in the query for who wants that", async () => {
    const { manager, seen } = await examManager({ status: 204 });
    await using _ = manager;
    await using client = clientOf(manager, { deletesByQuery: true });
    await client.deleteBlankResult(RESULT, TOKEN);
    expect(seen).toMatchObject([{ url: `${base}/result?result_id=${RESULT}` }]);
  });
});

describe("set_result", () => {
  const payload = { type: "MRD", directory: "/data/a", files: ["scan.mrd"], meta: { sha256: "ab" } } as const;

  it("A8: takes 200, the same again too; else says 400 `Error updating result`", async () => {
    const stored = { ...BLANK, ...payload };
    const { manager, seen } = await examManager("cut", { status: 200, body: stored }, { status: 404, body: {} });
    await using _ = manager;
    await using client = clientOf(manager);
    await expect(client.setResult(RESULT, payload, TOKEN)).resolves.toMatchObject({ value: stored });
    expect(seen.map(({ body }) => JSON.parse(body))).toEqual([payload, payload]);
    const failed = client.setResult(RESULT, payload, TOKEN);
    await expect(failed).rejects.toMatchObject({ status: 400, detail: "Error updating result", upstreamStatus: 404 });
  });
});

it("A10: reads times without an offset as UTC", () => {
  expect(timeOf("2025-08-30T09:48:19.123456")).toBe(Date.UTC(2025, 7, 30, 9, 48, 19, 123));
  expect(timeOf("2025-08-30T09:48:19+02:00")).toBe(Date.UTC(2025, 7, 30, 7, 48, 19));
});

it("says nothing of tokens, ids and answers when it is written down", async () => {
  const { manager } = await examManager({ status: 500, text: `no task ${TASK}` });
  await using _ = manager;
  await using client = clientOf(manager);
  const thrown: unknown = await client.getTask(TASK, TOKEN).catch((error: unknown) => error);
  const written = `${JSON.stringify(thrown)} ${thrown instanceof Error ? thrown.message : ""}`;
  expect(written).toContain("SCANHUB_REFUSED");
  expect(written).not.toContain(TASK);
  expect(written).not.toContain(TOKEN);
});
