import { createHash, randomUUID } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { PULSEQ } from "../peers/scanhub-site.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { runCli } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const opened = new AsyncDisposableStack();
let site: ApiSite;
let store: Store;
let lake: string;
let sequence: string;
let device: string;

beforeAll(async () => {
  lake = join(opened.use(await temporaryFolder()).path, "lake");
  await mkdir(lake);
  site = opened.use(await openApiSite({ environment: { DATA_LAKE_DIRECTORY: lake } }));
  const home = join(site.service.folder, "home");
  store = opened.use(await openSqliteStore({ path: join(home, "radferry.db"), logger: silentLogger }));
  await writeFile(join(site.service.folder, "gre.seq"), PULSEQ);
  const verb = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const world = { environment: { RADFERRY_HOME: home }, workingFolder: site.service.folder };
    return JSON.parse((await runCli(["scanner", ...args, "--json"], world)).stdout);
  };
  sequence = String((await verb("sequence", "add", "gre.seq")).id);
  device = String((await verb("register", "MR3T")).device_id);
});
afterAll(() => opened.disposeAsync());

const itemsOf = async (path: string) =>
  (await site.call("GET", path)).json as { items: unknown[]; next: string | null };

async function newTask(name: string): Promise<string> {
  const { status, json } = await site.call("POST", "/scan-tasks", { body: { sequence, device, name } });
  expect({ status, json }).toMatchObject({ status: 201, json: { name, status: "NEW", waiting: true } });
  return String((json as { readonly id: string }).id);
}

/** As a device-manager writes one: it says where the files are. */
async function newResult(directory: string, files: readonly string[], meta?: object): Promise<string> {
  const id = randomUUID();
  const task = await newTask("of a result");
  await store.addScanResult({ id, taskId: task }, 1);
  await store.setScanResult(id, { type: "MRD", directory, files, meta: meta && JSON.stringify(meta) });
  return id;
}

it("lists scanners and the sequences that they know", async () => {
  expect(await itemsOf("/scanners")).toMatchObject({
    items: [{ id: device, name: "MR3T", status: "OFFLINE", deaf: false, revokedAt: null }],
  });
  expect(await itemsOf("/scan-sequences")).toMatchObject({ items: [{ id: sequence, name: "gre", type: "PULSEQ" }] });
});

it("makes, shows, cancels and retries a task, and writes down who did", async () => {
  const id = await newTask("knee");
  expect((await site.call("GET", `/scan-tasks/${id}`)).json).toMatchObject({ id, sequence, attempts: [], results: [] });
  const cancelled = await site.call("POST", `/scan-tasks/${id}/cancel`);
  expect(cancelled).toMatchObject({ status: 200, json: { id, cancelled: true, wasRunning: false } });
  expect(await site.call("POST", `/scan-tasks/${id}/cancel`)).toMatchObject({
    status: 409,
    json: { code: "SCAN_TASK_NOT_SCHEDULED" },
  });
  expect(await site.call("POST", `/scan-tasks/${id}/retry`)).toMatchObject({ status: 200, json: { waiting: true } });
  const { items } = await itemsOf("/audit?limit=20");
  const told = items.filter((each) => (each as { readonly event: string }).event === "scan-task-changed");
  expect(told).toMatchObject([
    { actor: { name: "first-admin" }, detail: { what: "made", task: id } },
    { detail: { what: "cancelled" } },
    { detail: { what: "retried" } },
  ]);
});

it("shows the timeline of an attempt", async () => {
  const taskId = await newTask("head");
  const claim = { id: randomUUID(), origin: "local", taskId, upsUid: "2.25.1", transactionUid: "2.25.2" };
  const rest = { deviceId: device, previousStatus: "NEW", leaseMs: 1_000 } as const;
  const none = { workflowId: undefined, tokenHash: undefined, parameter: undefined };
  await store.claimAcquisition({ ...claim, ...rest, ...none }, 5);
  expect((await site.call("GET", `/scan-tasks/${taskId}`)).json).toMatchObject({
    attempts: [{ attempt: 1, state: "claimed", upsState: "IN PROGRESS", device, events: [{ event: "claimed" }] }],
  });
  expect(await site.call("POST", `/scan-tasks/${taskId}/retry`)).toMatchObject({
    status: 409,
    json: { code: "SCAN_TASK_TAKEN" },
  });
});

it("lists tasks by state, page after page", async () => {
  for (const name of ["one", "two", "three"]) await newTask(name);
  const all = await itemsOf("/scan-tasks?status=NEW&limit=200");
  const paged: unknown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await itemsOf(`/scan-tasks?status=NEW&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
    paged.push(...page.items);
    cursor = page.next;
  }
  expect(paged).toEqual(all.items);
  expect(await itemsOf("/scan-tasks?status=FINISHED")).toEqual({ items: [], next: null });
  for (const list of ["/scan-tasks", "/scan-results"])
    expect((await site.call("GET", `${list}?cursor=gone`)).status).toBe(422);
});

it("verifies a result and gives its file out, once that is written down", async () => {
  const content = "as it was measured";
  const sha256 = createHash("sha256").update(content).digest("hex");
  const folder = join(lake, "a");
  await mkdir(folder);
  await writeFile(join(folder, "knee (1).raw"), content);
  const id = await newResult(folder, ["knee (1).raw"], { gateway: { sha256 } });
  expect(await itemsOf("/scan-results?limit=1")).toMatchObject({ items: [{ id, type: "MRD", sha256 }] });
  const verdict = await site.call("POST", `/scan-results/${id}/verify`);
  expect(verdict.json).toMatchObject({ id, whole: true, files: [{ verdict: "same", sizeBytes: content.length }] });
  const given = await site.call("GET", `/scan-results/${id}/files/knee%20(1).raw`);
  expect(given).toMatchObject({ status: 200, text: content });
  expect(given.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''knee%20%281%29.raw");
  expect(given.headers.get("content-type")).toBe("application/octet-stream");
  expect(given.headers.get("repr-digest")).toBe(`sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`);
  expect(await itemsOf("/audit?limit=2")).toMatchObject({
    items: [
      { event: "scan-file-given-out", actor: { name: "first-admin" }, detail: { result: id } },
      { event: "audit-read" },
    ],
  });
  await writeFile(join(folder, "knee (1).raw"), `${content}!`);
  expect((await site.call("POST", `/scan-results/${id}/verify`)).json).toMatchObject({
    whole: false,
    files: [{ verdict: "changed" }],
  });
});

it.each([
  ["lies elsewhere", () => "/etc", "hostname"],
  ["leads out of its folder", () => lake, "../secret"],
])("reads nothing of a result that %s", async (_, folder, file) => {
  const id = await newResult(folder(), [file]);
  const given = await site.call("GET", `/scan-results/${id}/files/${encodeURIComponent(file)}`);
  expect(given).toMatchObject({
    status: 422,
    json: { code: expect.stringMatching(/^SCAN_(?:RESULT_UNFIT|FILE_NAME)/) },
  });
  expect((await site.call("POST", `/scan-results/${id}/verify`)).status).toBe(422);
});

it("follows no link out of the lake", async () => {
  await symlink("/etc", join(lake, "etc"));
  const id = await newResult(join(lake, "etc"), ["hostname"]);
  expect(await site.call("GET", `/scan-results/${id}/files/hostname`)).toMatchObject({
    status: 422,
    json: { code: "SCAN_RESULT_UNFIT" },
  });
});
