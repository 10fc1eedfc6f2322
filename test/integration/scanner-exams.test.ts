import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { afterAll, describe, expect, it, vi } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { openScannerSite, PARAMETERS, taskDocument, WORKFLOW_ID } from "../peers/scanhub-site.ts";

const site = await openScannerSite();
afterAll(() => site[Symbol.asyncDispose]());
const { exam, devices, request } = site;
const UNKNOWN = "7d3f2c1a-0000-4000-8000-0000000000ff";

describe("who asks (A11)", () => {
  const guarded = [
    ["GET", `${exam}/task/${UNKNOWN}`],
    ["PUT", `${exam}/task/${UNKNOWN}`],
    ["POST", `${exam}/task/new`],
    ["GET", `${exam}/result/${UNKNOWN}`],
    ["DELETE", `${exam}/result?result_id=${UNKNOWN}`],
    ["GET", `${exam}/sequence/${"a".repeat(24)}`],
    ["GET", `${exam}/sequences/all`],
    ["GET", `${devices}/`],
    ["POST", `${devices}/createdevice`],
    ["POST", `${devices}/start_scan_via_websocket`],
  ] as const;

  it.each(guarded)("is to be told: %s %s", async (method, url) => {
    const none = await request(method, url, { token: null });
    expect([none.status, none.body, none.headers.get("www-authenticate")]).toEqual([
      401,
      { detail: "Not authenticated" },
      "Bearer",
    ]);
    const bad = await request(method, url, { token: "nobody" });
    expect([bad.status, bad.body]).toEqual([401, { detail: "Invalid token." }]);
  });

  it("may be nobody for readiness and the OpenAPI page", async () => {
    for (const base of [exam, devices]) {
      expect(await request("GET", `${base}/health/readiness`, { token: null })).toMatchObject({
        status: 200,
        body: { status: "ok" },
      });
      expect((await request("GET", `${base}/openapi.json`, { token: null })).status).toBe(200);
    }
  });

  it("is told that it is not ready where the store does not answer: a balancer goes elsewhere", async () => {
    using silent = vi.spyOn(site.store, "scanTask").mockRejectedValue(new GatewayError("STORE_UNAVAILABLE"));
    for (const base of [exam, devices])
      expect((await request("GET", `${base}/health/readiness`, { token: null })).status).toBe(503);
    expect(silent).toHaveBeenCalled();
  });

  it("is not asked for the names of the original's functions; an address that is no text leads nowhere", async () => {
    const { body } = await request("GET", `${exam}/openapi.json`, { token: null });
    expect(body).toMatchObject({
      paths: {
        "/api/v1/exam/task/{task_id}": { get: { operationId: "get_task_api_v1_exam_task__task_id__get" } },
        "/api/v1/exam/sequence": { post: { operationId: "create_mri_sequence_api_v1_exam_sequence_post" } },
      },
    });
    expect(await request("GET", `${exam}/%FF`)).toMatchObject({ status: 404, body: { detail: "Not Found" } });
  });

  it("is looked at after a body that is no JSON, and before one of the wrong form", async () => {
    const url = `${exam}/task/new`;
    expect((await request("POST", url, { raw: "{", token: null })).status).toBe(422);
    expect((await request("POST", url, { body: {}, token: null })).status).toBe(401);
    expect((await request("POST", url, { body: {} })).status).toBe(422);
  });

  it.each([
    ["a long body", "task/new", { "content-length": "30000000" }, 401, "Not authenticated"],
    ["a body in chunks", "task/new", { "transfer-encoding": "chunked" }, 401, "Not authenticated"],
    ["a body that leads nowhere", "nothing", { "content-length": "1000" }, 404, "Not Found"],
  ])("is answered before %s is read: one keeps every scanner waiting", async (_, path, headers, status, detail) => {
    const { hostname, port, pathname } = new URL(`${exam}/${path}`);
    const sent = httpRequest({ hostname, port, path: pathname, method: "POST", headers });
    sent.write("[");
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    expect([answer.statusCode, await json(answer)]).toEqual([status, { detail }]);
    sent.destroy();
  });

  it("takes the scheme's name in letters of either case", async () => {
    const headers = { authorization: `bearer ${site.token}` };
    expect((await request("GET", `${exam}/task/templates/all`, { token: null, headers })).status).toBe(200);
  });
});

describe("tasks", () => {
  it("are replaced by a PUT without Content-Type, output fields in the body ignored (A12, A13)", async () => {
    const task = await site.addTask();
    const body = {
      ...task,
      status: "STARTED",
      id: UNKNOWN,
      creator: "mallory",
      results: [1],
      datetime_created: "x",
      name: "new name",
    };
    const answer = await request("PUT", `${exam}/task/${task.id}`, { body });
    expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        id: task.id,
        creator: "anna",
        results: [],
        status: "STARTED",
        name: "new name",
        workflow_id: WORKFLOW_ID,
      },
    });
    expect((await request("GET", `${exam}/task/${task.id}`)).body).toEqual(answer.body);
  });

  it("have times in UTC that do not say so", async () => {
    const { datetime_created: created, datetime_updated: updated } = await site.addTask();
    expect(created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?$/);
    expect(updated).toBeNull();
  });

  it("keep position and calibration when an older body does not name them, and forget the rest it omits (A14)", async () => {
    const task = await site.addTask({ calibration: ["frequency"] });
    const { position, calibration, device_id, ...older } = task;
    expect([typeof position, calibration, device_id]).toEqual(["number", ["frequency"], site.deviceId]);
    const answer = await request("PUT", `${exam}/task/${task.id}`, { body: older });
    expect(answer.body).toMatchObject({ position, calibration: ["frequency"], device_id: null });
  });

  it("keep the limits of the acquisition (A21)", async () => {
    const task = await site.addTask();
    const limits = { patient_height: 170, patient_weight: 70, patient_gender: "NOT_GIVEN", patient_age: 30 };
    await request("PUT", `${exam}/task/${task.id}`, { body: { ...task, acquisition_limits: limits } });
    expect((await request("GET", `${exam}/task/${task.id}`)).body).toMatchObject({ acquisition_limits: limits });
  });

  it("may have no sequence in the second version", async () => {
    const task = await site.addTask({ sequence_id: null, acquisition_parameter: null });
    expect(task).toMatchObject({ sequence_id: null, acquisition_parameter: null });
  });

  it("take what a PUT says though their state changes while it is looked at", async () => {
    const task = await site.addTask();
    const change = site.store.changeScanTask.bind(site.store);
    using changing = vi.spyOn(site.store, "changeScanTask").mockImplementationOnce(async (...facts) => {
      await change(task.id, { status: "STARTED" }, 0);
      return await change(...facts);
    });
    const answer = await request("PUT", `${exam}/task/${task.id}`, { body: { ...task, name: "knee, once more" } });
    expect(changing).toHaveBeenCalled();
    expect(answer).toMatchObject({ status: 200, body: { name: "knee, once more" } });
  });

  it("of jobs other than acquisitions are kept unchanged", async () => {
    const dag = { dag_type: "RECONSTRUCTION", dag_id: "recon", input_task_ids: [UNKNOWN], parameter: { a: [1] } };
    const { sequence_id: _, acquisition_parameter: __, ...base } = taskDocument({ task_type: "DAG" });
    const created = await request("POST", `${exam}/task/new`, { body: { ...base, ...dag } });
    expect(created).toMatchObject({ status: 201, body: dag });
  });

  it("take numbers as Python does", async () => {
    const task = await site.addTask();
    const put = (progress: unknown) =>
      request("PUT", `${exam}/task/${task.id}`, { body: { ...task, status: "INPROGRESS", progress } });
    expect((await put("10")).body).toMatchObject({ progress: 10 });
    expect((await put(20.0)).body).toMatchObject({ progress: 20 });
    expect((await put("30.0")).body).toMatchObject({ progress: 30 });
    expect((await put(30.5)).status).toBe(422);
    expect((await put(100_000)).body).toMatchObject({ progress: 100 });
  });

  it("keep their state against late reports of an attempt that ended", async () => {
    const task = await site.addTask();
    const put = async (status: string, progress: number) =>
      (await request("PUT", `${exam}/task/${task.id}`, { body: { ...task, status, progress } })).body;
    expect(await put("FINISHED", 100)).toMatchObject({ status: "FINISHED", progress: 100 });
    expect(await put("INPROGRESS", 70)).toMatchObject({ status: "FINISHED", progress: 100 });
    expect(await put("STARTED", 0)).toMatchObject({ status: "STARTED", progress: 0 });
    expect(await put("INPROGRESS", 70)).toMatchObject({ status: "INPROGRESS", progress: 70 });
    expect(await put("INPROGRESS", 60)).toMatchObject({ status: "INPROGRESS", progress: 70 });
  });

  it("are made from templates, with the template's status", async () => {
    const template = await site.addTask({ is_template: true, workflow_id: null, device_id: null });
    // Of a parameter that is there twice the last counts.
    const url = `${exam}/task?workflow_id=none&workflow_id=${WORKFLOW_ID}&new_task_is_template=No&template_id=`;
    const made = await request("POST", url + template.id);
    expect(made).toMatchObject({ status: 201, body: { is_template: false, workflow_id: WORKFLOW_ID, status: "NEW" } });
    const { id } = made.body as { id: string };
    expect(await request("POST", url + id)).toMatchObject({
      status: 400,
      body: { detail: "Request to create task from task instance instead of task template." },
    });
    expect(await request("POST", url + UNKNOWN)).toMatchObject({
      status: 404,
      body: { detail: "Task template not found" },
    });
    expect((await request("GET", `${exam}/task/templates/all`)).body).toMatchObject([{ id: template.id }]);
  });

  it("are listed by workflow in their order, reordered, and deleted once", async () => {
    const workflow_id = "7d3f2c1a-0000-4000-8000-00000000abcd";
    const ids = [await site.addTask({ workflow_id }), await site.addTask({ workflow_id })].map(({ id }) => id);
    const listed = async () =>
      ((await request("GET", `${exam}/task/all/${workflow_id}`)).body as { id: string }[]).map(({ id }) => id);
    expect(await listed()).toEqual(ids);
    expect((await request("PUT", `${exam}/task/reorder`, { body: { task_ids: [...ids].reverse() } })).status).toBe(204);
    expect(await listed()).toEqual([...ids].reverse());
    expect((await request("DELETE", `${exam}/task/${ids[0]}`)).status).toBe(204);
    expect(await request("DELETE", `${exam}/task/${ids[0]}`)).toMatchObject({
      status: 404,
      body: { detail: "Could not delete task, either because it does not exist, or for another reason." },
    });
  });
});

describe("a body of the wrong form is refused as FastAPI does", () => {
  const post = (body: unknown) => request("POST", `${exam}/task/new`, { body });

  it("without a field", async () => {
    const { name: _, ...body } = taskDocument();
    const answer = await post(body);
    expect(answer).toMatchObject({
      status: 422,
      body: { detail: [{ type: "missing", loc: ["body", "ACQUISITION", "name"], msg: "Field required" }] },
    });
  });

  it.each([
    ["SCAN", "SCAN"],
    [null, "None"],
    [{ toString: 1 }, "{'toString': 1}"],
  ])("with a task type that is none: %j", async (task_type, tag) => {
    expect(await post(taskDocument({ task_type }))).toMatchObject({
      status: 422,
      body: { detail: [{ type: "union_tag_invalid", loc: ["body"], ctx: { tag } }] },
    });
  });

  it("with a status that is none, an id that is none, and no object at all", async () => {
    const locs = async (body: unknown) =>
      ((await post(body)).body as { detail: { loc: unknown }[] }).detail.map(({ loc }) => loc);
    expect(await locs(taskDocument({ status: "DONE" }))).toEqual([["body", "ACQUISITION", "status"]]);
    expect(await locs(taskDocument({ device_id: "../../x" }))).toEqual([["body", "ACQUISITION", "device_id"]]);
    expect(await locs([])).toEqual([["body"]]);
    expect((await request("POST", `${exam}/task/new`)).status).toBe(422);
  });

  it.each([
    [{ progress: 1.5 }, "int_from_float", "Input should be a valid integer, got a number with a fractional part"],
    [{ progress: "a" }, "int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
    [{ progress: null }, "int_type", "Input should be a valid integer"],
    [{ is_template: 2 }, "bool_parsing", "Input should be a valid boolean, unable to interpret input"],
    [{ is_template: [] }, "bool_type", "Input should be a valid boolean"],
    [{ workflow_id: 1 }, "uuid_type", "UUID input should be a string, bytes or UUID object"],
    [{ name: 1 }, "string_type", "Input should be a valid string"],
  ])("%j in pydantic's words", async (facts, type, msg) => {
    const [[name, input]] = Object.entries(facts) as [[string, unknown]];
    const detail = [{ type, loc: ["body", "ACQUISITION", name], msg, input }];
    expect(await post(taskDocument(facts))).toMatchObject({ status: 422, body: { detail } });
  });

  it("and rules beyond the form answer 400", async () => {
    expect(await post(taskDocument({ status: "UPDATED" }))).toMatchObject({
      status: 400,
      body: { detail: "New task needs to have status NEW" },
    });
    expect(await post(taskDocument({ workflow_id: null }))).toMatchObject({
      status: 400,
      body: { detail: "Task instance needs workflow_id." },
    });
  });
});

describe("addresses", () => {
  it.each([
    ["GET", `${exam}/task/x`, 400, "Badly formed task_id."],
    ["GET", `${exam}/task/${UNKNOWN}`, 404, "Task not found"],
    ["GET", `${exam}/result/x`, 400, "Badly formed result_id."],
    ["GET", `${exam}/result/${UNKNOWN}`, 404, "Result not found"],
    ["DELETE", `${exam}/task/x`, 400, "Badly formed task_id."],
    ["DELETE", `${exam}/result/x`, 400, "Badly formed result_id."],
    ["GET", `${exam}/result`, 405, "Method Not Allowed"],
    ["GET", `${exam}/nothing/here`, 404, "Not Found"],
    ["GET", `${exam}/sequence/xyz`, 404, "MRI sequence with ID xyz not found."],
    ["GET", `${devices}/${UNKNOWN}`, 404, "Device not found"],
    ["DELETE", `${devices}/${UNKNOWN}`, 404, "Device not found"],
  ])("%s %s answers %i %s (A18)", async (method, url, status, detail) => {
    const token = await site.tokenOf("admin");
    expect(await request(method, url, { token })).toMatchObject({ status, body: { detail } });
  });

  it("of PUT with a malformed id answer 400, with an unknown one 404", async () => {
    const put = (id: string) => request("PUT", `${exam}/task/${id}`, { body: taskDocument() });
    expect((await put("x")).status).toBe(400);
    expect(await put(UNKNOWN)).toMatchObject({
      status: 404,
      body: { detail: "Could not update workflow, either because it does not exist, or for another reason." },
    });
  });

  it.each(["..%2f..%2fetc", "%00", "a%2fb", "..%5c.."])("with path characters in an id are refused: %s", async (id) => {
    for (const what of ["task", "result"]) expect((await request("GET", `${exam}/${what}/${id}`)).status).toBe(400);
  });

  it("with a slash too many lead to the right one", async () => {
    const answer = await request("GET", `${exam}/task/${UNKNOWN}/?a=1`);
    expect([answer.status, answer.headers.get("location")]).toEqual([307, `${exam}/task/${UNKNOWN}?a=1`]);
    expect((await request("GET", devices)).status).toBe(307);
  });

  it.each([
    ["GET", "result/", "result"],
    ["DELETE", `result/?result_id=${UNKNOWN}`, `result?result_id=${UNKNOWN}`],
    ["GET", "task/", "task"],
    ["GET", "sequence/", "sequence"],
  ])("with nothing behind the slash, too: %s %s", async (method, given, expected) => {
    const answer = await request(method, `${exam}/${given}`);
    expect([answer.status, answer.headers.get("location")]).toEqual([307, `${exam}/${expected}`]);
  });
});

describe("results", () => {
  const blank = (taskId: string) => request("POST", `${exam}/result?task_id=${taskId}`);

  it("begin blank (A16)", async () => {
    const task = await site.addTask();
    const answer = await blank(task.id);
    const { id, datetime_created, ...rest } = answer.body as Record<string, unknown>;
    expect([answer.status, typeof id, typeof datetime_created]).toEqual([201, "string", "string"]);
    expect(rest).toEqual({ type: "NOT_SET", directory: "", files: [], meta: null, task_id: task.id });
    expect((await request("GET", `${exam}/task/${task.id}`)).body).toMatchObject({ results: [{ id }] });
  });

  it("need a task that is none of the templates", async () => {
    expect(await blank(UNKNOWN)).toMatchObject({ status: 400, body: { detail: "Parent (task_id) does not exist." } });
    const template = await site.addTask({ is_template: true, workflow_id: null });
    expect(await blank(template.id)).toMatchObject({
      status: 400,
      body: { detail: "Result parent (task) must not be a template." },
    });
    expect(await request("POST", `${exam}/result`)).toMatchObject({
      status: 422,
      body: { detail: [{ type: "missing", loc: ["query", "task_id"], msg: "Field required", input: null }] },
    });
  });

  it("are set, all four fields at once, the same again changing nothing (A12)", async () => {
    const task = await site.addTask();
    const { id } = (await blank(task.id)).body as { id: string };
    const put = (body: object) => request("PUT", `${exam}/result/${id}`, { body });
    const set = { type: "MRD", directory: "/data/a", files: ["a.mrd"], meta: { a: 1 } };
    const first = await put(set);
    expect(first).toMatchObject({ status: 200, body: { ...set, id, task_id: task.id } });
    expect((await put(set)).body).toEqual(first.body);
    expect((await put({ type: "MRD", directory: "/data/a" })).body).toMatchObject({ files: [], meta: null });
    expect((await put({ ...set, type: "NPY" })).status).toBe(422);
    expect((await request("PUT", `${exam}/result/${UNKNOWN}`, { body: set })).status).toBe(404);
  });

  it.each(["path", "query"])("are deleted once, named in the %s (A17)", async (form) => {
    const task = await site.addTask();
    const { id } = (await blank(task.id)).body as { id: string };
    const url = form === "path" ? `${exam}/result/${id}` : `${exam}/result?result_id=${id}`;
    expect((await request("DELETE", url)).status).toBe(204);
    expect(await request("DELETE", url)).toMatchObject({
      status: 404,
      body: { detail: "Could not delete result, either because it does not exist, or for another reason." },
    });
    expect((await request("GET", `${exam}/result/all/${task.id}`)).body).toEqual([]);
  });
});

it("in the first version a task needs sequence and parameters (A15)", async () => {
  await using older = await openScannerSite({ environment: { RADFERRY_SCANHUB_API: "v1" } });
  const post = (facts: object) => older.request("POST", `${older.exam}/task/new`, { body: taskDocument(facts) });
  expect((await post({})).status).toBe(422);
  expect((await post({ sequence_id: "a".repeat(24), acquisition_parameter: null })).status).toBe(422);
  expect((await post({ sequence_id: "a".repeat(24), acquisition_parameter: PARAMETERS })).status).toBe(201);
});

it("a strict face resets what a PUT omits, and refuses what the state does not allow", async () => {
  await using strict = await openScannerSite({ environment: { RADFERRY_SCANHUB_STRICT: "true" } });
  const task = await strict.addTask({ calibration: ["shims"] });
  const { position: _, calibration: __, ...older } = task;
  const put = (facts: object) =>
    strict.request("PUT", `${strict.exam}/task/${task.id}`, { body: { ...older, ...facts } });
  expect((await put({ status: "FINISHED" })).body).toMatchObject({ calibration: [], position: 0 });
  expect((await put({ status: "INPROGRESS" })).status).toBe(409);
});
