import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { startHttpServer } from "../../../../test/support/http-server.ts";
import { neverAborted } from "../../../units/abort.ts";
import type { Clock } from "../../../units/clock.ts";
import { openHttpClient } from "../../http-client/http-client.ts";
import { createPendingGauge, type WatchOptions, watchJob } from "./jobs.ts";

const ID = "28fc050b-08c6-4cc8-85bb-a6bad0060f4c";

/** A job as Orthanc 1.10.1 describes it. */
const job = (State: string, more: object = {}) => ({
  ...{ ID, State, Type: "DicomMoveScu", Progress: 0, ErrorCode: 0, Priority: 0 },
  ...{ ErrorDescription: "Success", ErrorDetails: "of Hidden^Patient", Content: { Query: ["Hidden^Patient"] } },
  ...more,
});

/** What a look at the job is answered with: a document, or a status. */
type Look = object | number;

interface Script {
  /** One after the other; the last of them for ever. */
  readonly looks: readonly Look[];
  readonly onCancel?: (looks: Look[]) => number;
  readonly options?: Partial<WatchOptions>;
  readonly onSleep?: () => void;
}

/** Watches a job of an Orthanc that tells these things, by a clock that sleeps in no time. */
async function watch({ looks: script, onCancel = () => 200, options, onSleep }: Script) {
  const looks = [...script];
  const asked: string[] = [];
  await using server = await startHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url?.replace(ID, "ID")}`);
    if (request.method === "POST") return response.writeHead(onCancel(looks)).end("{}");
    const look = looks.length > 1 ? looks.shift() : looks[0];
    if (typeof look === "number") return response.writeHead(look).end();
    return response.setHeader("Content-Type", "application/json").end(JSON.stringify(look));
  });
  await using client = openHttpClient({ baseUrl: server.url });
  const slept: number[] = [];
  let nowMs = 0;
  const clock: Clock = {
    nowMs: () => nowMs,
    async sleep(durationMs, signal) {
      onSleep?.();
      signal?.throwIfAborted();
      slept.push(Math.round(durationMs));
      nowMs += durationMs;
    },
  };
  const result = await watchJob(client, ID, { clock, timeoutMs: 60_000, signal: neverAborted(), ...options }).catch(
    (thrown: unknown) => thrown,
  );
  return { result, slept, asked };
}

describe("a job of an Orthanc is watched", () => {
  it("closely at first and then ever less often, until it has succeeded (W20)", async () => {
    const seen: string[] = [];
    const states = ["Pending", "Pending", "Running", "Paused", "Retry", "Pending", "Running", "Running", "Running"];
    const { result, slept } = await watch({
      looks: [...states.map((state) => job(state)), job("Success", { Progress: 100 })],
      options: { factor: 2, maximumDelayMs: 1_000, onProgress: ({ state }) => seen.push(state) },
    });
    expect(result).toEqual({ id: ID, type: "DicomMoveScu", state: "Success", progressPercent: 100, errorCode: 0 });
    expect(slept).toEqual([50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
    expect(seen).toEqual(states);
  });

  it.each([
    [9, "ORTHANC_MODALITY_FAILED"],
    [37, "ORTHANC_JOB_CANCELLED"],
    [11, "ORTHANC_JOB_FAILED"],
  ])("and fails with its error code %i as %s, without its texts", async (errorCode, code) => {
    const { result } = await watch({ looks: [job("Failure", { ErrorCode: errorCode, Progress: 30 })] });
    expect(result).toMatchObject({ code, details: { errorCode, progressPercent: 30, type: "DicomMoveScu" } });
    expect(JSON.stringify(result)).not.toContain("Hidden");
  });

  it("until the Orthanc knows it no more, and how it ended is unknown", async () => {
    const { result, asked } = await watch({ looks: [job("Running"), 404] });
    expect(result).toMatchObject({ code: "ORTHANC_JOB_LOST", class: "ambiguous" });
    expect(asked).toEqual(["GET /jobs/ID", "GET /jobs/ID"]);
  });

  it("through a restart of the Orthanc", async () => {
    const { result } = await watch({ looks: [job("Running"), 503, 503, 503, 503, job("Success")] });
    expect(result).toMatchObject({ state: "Success" });
  });

  it("and left when five looks in a row fail", async () => {
    const { result, asked } = await watch({ looks: [503] });
    expect(result).toMatchObject({ code: "HTTP_UNAVAILABLE" });
    expect(asked.length).toBe(5);
  });
});

describe("a job that is not done in its time", () => {
  const options = { timeoutMs: 200 };
  const CANCELLED = job("Failure", { ErrorCode: 37 });

  it("is cancelled, also when it only ever waited for its turn", async () => {
    const { result, slept, asked } = await watch({
      looks: [job("Pending")],
      onCancel: (looks) => looks.splice(0, 1, CANCELLED) && 200,
      options,
    });
    expect(result).toMatchObject({ code: "ORTHANC_JOB_TIMED_OUT", class: "transient", details: { timeoutMs: 200 } });
    expect(slept).toEqual([50, 75, 75]);
    expect(asked.slice(-2)).toEqual(["POST /jobs/ID/cancel", "GET /jobs/ID"]);
  });

  it("is waited for while it ends what it is at", async () => {
    const { result, asked } = await watch({
      looks: [job("Running")],
      onCancel: (looks) => looks.push(job("Running"), CANCELLED) && 200,
      options,
    });
    expect(result).toMatchObject({ code: "ORTHANC_JOB_TIMED_OUT" });
    expect(asked.slice(-4)).toEqual(["POST /jobs/ID/cancel", ...Array(3).fill("GET /jobs/ID")]);
  });

  it("has succeeded when it was done just before", async () => {
    const onCancel = (looks: Look[]) => looks.splice(0, 1, job("Success")) && 200;
    expect((await watch({ looks: [job("Running")], onCancel, options })).result).toMatchObject({ state: "Success" });
  });

  it.each([
    ["refused", () => 400],
    ["without an effect", () => 200],
  ])("is reported as unknown when its end is %s", async (_, onCancel) => {
    const { result } = await watch({ looks: [job("Running")], onCancel, options });
    expect(result).toMatchObject({ code: "ORTHANC_JOB_UNCANCELLED", class: "ambiguous" });
  });
});

describe("a watch that is given up", () => {
  it("cancels the job", async () => {
    const leaving = new AbortController();
    const { result, asked } = await watch({
      looks: [job("Running")],
      onCancel: (looks) => looks.splice(0, 1, job("Failure", { ErrorCode: 37 })) && 200,
      options: { signal: leaving.signal },
      onSleep: () => leaving.abort(new Error("left")),
    });
    expect(result).toEqual(new Error("left"));
    expect(asked).toEqual(["GET /jobs/ID", "POST /jobs/ID/cancel", "GET /jobs/ID"]);
  });
});

describe("the number of jobs that wait", () => {
  /** An Orthanc with these answers to `GET /jobs?expand`, the last of them for ever. */
  async function withGauge<T>(
    answers: readonly (readonly object[] | number)[],
    work: (gauge: ReturnType<typeof createPendingGauge>, pass: (durationMs: number) => void) => Promise<T>,
  ) {
    let requests = 0;
    await using server = await startHttpServer((_, response) => {
      const answer = answers[Math.min(requests++, answers.length - 1)];
      if (typeof answer === "number") response.writeHead(answer).end();
      else response.end(JSON.stringify(answer));
    });
    await using client = openHttpClient({ baseUrl: server.url });
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, sleep: (durationMs: number) => delay(durationMs) };
    const pass = (durationMs: number): void => {
      nowMs += durationMs;
    };
    return { result: await work(createPendingGauge(client, clock, 1_000), pass), requests };
  }

  it("is asked for once in a while, whoever wants to know", async () => {
    const answers = [[job("Pending"), job("Running"), job("Pending"), job("Success")], [job("Paused")]];
    const { result, requests } = await withGauge(answers, async (gauge, pass) => {
      const first = await Promise.all([gauge.pending(neverAborted()), gauge.pending(neverAborted())]);
      pass(999);
      const later = await gauge.pending(neverAborted());
      pass(1);
      return [...first, later, await gauge.pending(neverAborted())];
    });
    expect(result).toEqual([2, 2, 2, 0]);
    expect(requests).toBe(2);
  });

  it("is asked for anew after a failure, and by others when one leaves", async () => {
    const { result, requests } = await withGauge([503, [job("Pending")]], async (gauge) => {
      await expect(gauge.pending(neverAborted())).rejects.toMatchObject({ code: "HTTP_UNAVAILABLE" });
      const leaving = new AbortController();
      const left = gauge.pending(leaving.signal);
      const stayed = gauge.pending(neverAborted());
      leaving.abort(new Error("left"));
      await expect(left).rejects.toThrow("left");
      return await stayed;
    });
    expect({ result, requests }).toEqual({ result: 1, requests: 2 });
  });
});
