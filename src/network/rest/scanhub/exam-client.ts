import type { z } from "zod";
import { neverAborted } from "../../../units/abort.ts";
import { type Clock, systemClock } from "../../../units/clock.ts";
import { openHttpClient } from "../../http-client/http-client.ts";
import type { HttpClientOptions, HttpRequest } from "../../http-client/types.ts";
import { adoptBlankResult } from "./adopt-result.ts";
import { type Answered, type Asked, ask, exchangeOnce, refused, unreachable } from "./ask.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { ScanHubError } from "./scanhub-error.ts";
import {
  type AcquisitionTaskOut,
  acquisitionTaskOut,
  anyTask,
  type MRISequenceOut,
  mriSequenceOut,
  type ResultOut,
  resultOut,
  type SetResult,
} from "./schemas.ts";

/** Within ScanHub's network of containers. */
export const USUAL_EXAM_URL = "http://exam-manager:8000/api/v1/exam";
const USUAL_TIMEOUT_MS = 3_000;

export interface ExamClientOptions extends Pick<HttpClientOptions, "tls" | "connections"> {
  /** The exam-manager's API. @default as within ScanHub */
  readonly url?: string | undefined;
  /** Of each operation, repetitions included; reading up on a lost creation has as much again. @default 3000, as ScanHub's own */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Delete as ScanHub's own client does, which its exam-manager does not understand. @default false */
  readonly deletesByQuery?: boolean | undefined;
}

/** An answer as a document, and as it came. */
export interface ExamAnswer<T> {
  readonly value: T;
  readonly text: string;
}

/** Every one throws ScanHubError, or the reason of the signal. Closing it ends what is under way. */
export interface ExamClient extends AsyncDisposable {
  getTask(taskId: string, userAccessToken: string, signal?: AbortSignal): Promise<ExamAnswer<AcquisitionTaskOut>>;
  /** Replaces the whole task: give what `getTask` gave, changed. */
  setTask(
    taskId: string,
    payload: AcquisitionTaskOut,
    userAccessToken: string,
    signal?: AbortSignal,
  ): Promise<ExamAnswer<AcquisitionTaskOut>>;
  getSequence(sequenceId: string, userAccessToken: string, signal?: AbortSignal): Promise<ExamAnswer<MRISequenceOut>>;
  /**
   * Not repeated blindly: when its answer is lost, the task's results are read first.
   * @param isKnown results that are somebody's already: none of them is what a lost creation made
   */
  createBlankResult(
    taskId: string,
    userAccessToken: string,
    signal?: AbortSignal,
    isKnown?: (resultId: string) => boolean,
  ): Promise<ExamAnswer<ResultOut>>;
  /** One that is gone already counts as deleted when the request had to be repeated. */
  deleteBlankResult(resultId: string, userAccessToken: string, signal?: AbortSignal): Promise<void>;
  setResult(
    resultId: string,
    payload: SetResult,
    userAccessToken: string,
    signal?: AbortSignal,
  ): Promise<ExamAnswer<ResultOut>>;
}

/** ScanHub's exam-manager, as its device-manager asks it. @throws GatewayError SETTING_INVALID when the URL is none */
export function openExamClient(options: ExamClientOptions = {}): ExamClient {
  const { url = USUAL_EXAM_URL, timeoutMs = USUAL_TIMEOUT_MS, clock = systemClock, deletesByQuery = false } = options;
  const { tls, connections } = options;
  const http = openHttpClient({ baseUrl: url, tls, connections, timeouts: { connectMs: timeoutMs } }, clock);
  const askedBy = (userAccessToken: string, signal: AbortSignal = neverAborted()): Asked => ({
    http,
    clock,
    timeoutMs,
    userAccessToken,
    signal,
  });
  return {
    async getTask(taskId, token, signal) {
      const answer = await succeed("get_task", taskId, askedBy(token, signal));
      const { task_type: type } = documentOf("get_task", anyTask, answer).value;
      if (type !== "ACQUISITION") throw wrongType(answer);
      return documentOf("get_task", acquisitionTaskOut, answer);
    },
    async setTask(taskId, payload, token, signal) {
      const answer = await succeed("set_task", taskId, askedBy(token, signal), payload);
      return documentOf("set_task", acquisitionTaskOut, answer);
    },
    async getSequence(sequenceId, token, signal) {
      return documentOf(
        "get_sequence",
        mriSequenceOut,
        await succeed("get_sequence", sequenceId, askedBy(token, signal)),
      );
    },
    createBlankResult: (taskId, token, signal, isKnown = () => false) =>
      createBlank(taskId, askedBy(token, signal), isKnown),
    deleteBlankResult: (resultId, token, signal) => deleteBlank(resultId, askedBy(token, signal), deletesByQuery),
    async setResult(resultId, payload, token, signal) {
      const answer = await succeed("set_result", resultId, askedBy(token, signal), payload);
      return documentOf("set_result", resultOut, answer);
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

function requestOf(op: Operation, id: string, payload?: unknown): HttpRequest {
  const { method, path, id: form, status, detail } = OPERATIONS[op];
  if (!form.test(id)) throw new ScanHubError("SCANHUB_ID_INVALID", { op, status, detail });
  if (op === "create_blank_result") return { method, path, query: [["task_id", id]] };
  const headers = payload === undefined ? {} : { "Content-Type": "application/json" };
  return {
    method,
    path: `${path}/${id}`,
    headers,
    ...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
  };
}

async function succeed(op: Operation, id: string, asked: Asked, payload?: unknown): Promise<Answered> {
  const answer = await ask(asked, op, requestOf(op, id, payload));
  if (answer.status !== OPERATIONS[op].success) throw refused(op, answer);
  return answer;
}

function documentOf<T>(op: Operation, schema: z.ZodType<T>, answer: Answered): ExamAnswer<T> {
  const parsed = schema.safeParse(jsonOf(answer.text));
  if (parsed.success) return { value: parsed.data, text: answer.text };
  const { status, detail } = OPERATIONS[op];
  throw new ScanHubError("SCANHUB_ANSWER_INVALID", { op, status, detail, upstreamStatus: answer.status });
}

/** Undefined for what is no JSON, Python's NaN among it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wrongType({ status: upstreamStatus }: Answered): ScanHubError {
  const facts = { op: "get_task", status: 400, detail: "Task is not an acquisition task", upstreamStatus } as const;
  return new ScanHubError("SCANHUB_TASK_TYPE_WRONG", facts);
}

async function createBlank(
  taskId: string,
  asked: Asked,
  isKnown: (resultId: string) => boolean,
): Promise<ExamAnswer<ResultOut>> {
  const op = "create_blank_result";
  const request = requestOf(op, taskId);
  for (let isRepeated = false; ; isRepeated = true) {
    const sinceMs = asked.clock.nowMs();
    let lost: unknown;
    try {
      const answer = await exchangeOnce(asked, request, asked.timeoutMs);
      if (answer.status === OPERATIONS[op].success) return documentOf(op, resultOut, answer);
      if (!AFTER_THE_FACT.has(answer.status)) throw refused(op, answer);
      lost = refused(op, answer);
    } catch (thrown) {
      asked.signal.throwIfAborted();
      if (thrown instanceof ScanHubError) throw thrown;
      lost = unreachable(op, thrown);
    }
    const made = await adoptBlankResult(asked, { taskId, sinceMs, isKnown, cause: lost });
    if (made !== undefined) return { value: made, text: JSON.stringify(made) };
    if (isRepeated) throw lost;
  }
}

/** A proxy's answers, which do not tell what became of the request behind it. */
const AFTER_THE_FACT: ReadonlySet<number> = new Set([502, 503, 504]);

async function deleteBlank(resultId: string, asked: Asked, isByQuery: boolean): Promise<void> {
  const op = "delete_blank_result";
  const { path, ...request } = requestOf(op, resultId);
  const place = isByQuery ? { path: OPERATIONS[op].path, query: [["result_id", resultId] as const] } : { path };
  const answer = await ask(asked, op, { ...request, ...place });
  const isGone = answer.status === 404 && answer.isRepeated === true;
  if (answer.status !== OPERATIONS[op].success && !isGone) throw refused(op, answer);
}
