import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { afterAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import { keepSequence } from "../../src/acquisition/sequences.ts";
import { getTask } from "../../src/compat/scanhub/exam-requests.ts";
import { openStandIn } from "../../src/compat/scanhub/stand-in.ts";
import { neverAborted } from "../../src/units/abort.ts";
import type { Role } from "../../src/units/actor.ts";
import { systemClock } from "../../src/units/clock.ts";
import { systemRandom } from "../../src/units/random.ts";
import { makeCertificate } from "../peers/certificates.ts";
import { connectDevice, openScannerSite, PULSEQ, type ScannerSite, taskDocument } from "../peers/scanhub-site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const site = await openScannerSite();
afterAll(() => site[Symbol.asyncDispose]());
const UNKNOWN = "7d3f2c1a-0000-4000-8000-0000000000ff";

/** What each may ask at the least: everything else is 403, whoever the task or device is. */
const ASKED: readonly (readonly [least: Role, method: string, path: string])[] = [
  ["viewer", "GET", `/exam/task/${UNKNOWN}`],
  ["viewer", "GET", "/exam/task/templates/all"],
  ["viewer", "GET", `/exam/result/${UNKNOWN}`],
  ["viewer", "GET", `/exam/result/all/${UNKNOWN}`],
  ["viewer", "GET", `/exam/sequence/${"a".repeat(24)}`],
  ["viewer", "GET", "/exam/sequences/all"],
  ["viewer", "GET", "/device/"],
  ["viewer", "GET", `/device/${UNKNOWN}`],
  ["operator", "POST", "/exam/task/new"],
  ["operator", "PUT", `/exam/task/${UNKNOWN}`],
  ["operator", "PUT", "/exam/task/reorder"],
  ["operator", "DELETE", `/exam/task/${UNKNOWN}`],
  ["operator", "POST", `/exam/result?task_id=${UNKNOWN}`],
  ["operator", "PUT", `/exam/result/${UNKNOWN}`],
  ["operator", "DELETE", `/exam/result/${UNKNOWN}`],
  ["operator", "DELETE", `/exam/result?result_id=${UNKNOWN}`],
  ["operator", "POST", "/exam/sequence"],
  ["operator", "DELETE", `/exam/sequence/${"a".repeat(24)}`],
  ["operator", "PUT", `/device/parameter/${UNKNOWN}`],
  ["operator", "POST", "/device/start_scan_via_websocket"],
  ["admin", "POST", "/device/createdevice"],
  ["admin", "DELETE", `/device/${UNKNOWN}`],
];
const ORDER: readonly Role[] = ["viewer", "operator", "admin"];

it.each(ORDER)("lets a token of the role %s do what it may, and nothing else", async (role) => {
  const token = await site.tokenOf(role);
  const base = site.exam.slice(0, -"/exam".length);
  for (const [least, method, path] of ASKED) {
    const body = method === "GET" || method === "DELETE" ? {} : { body: {} };
    const { status } = await site.request(method, `${base}${path}`, { token, ...body });
    const mayIt = ORDER.indexOf(role) >= ORDER.indexOf(least);
    expect([method, path, status === 403]).toEqual([method, path, !mayIt]);
    expect(status).not.toBe(401);
  }
});

it("asks for no role when it is strict, as the original", async () => {
  await using strict = await openScannerSite({ environment: { RADFERRY_SCANHUB_STRICT: "true" } });
  const token = await strict.tokenOf("viewer");
  const body = { ...taskDocument(), sequence_id: null };
  expect((await strict.request("POST", `${strict.exam}/task/new`, { token, body })).status).toBe(201);
});

it("takes no report of a device with a token that may only look", async () => {
  const { id } = await site.addTask();
  await using device = await connectDevice(site);
  const report = { command: "update_status", status: "BUSY", data: { progress: 5 }, task_id: id };
  device.say({ ...report, user_access_token: await site.tokenOf("viewer") });
  expect(await device.next()).toMatchObject({ message: "Error fetching task: 404: Task not found" });
  device.say({ ...report, user_access_token: site.token });
  expect(await device.next()).toMatchObject({ message: "Device BUSY update processed (progress=5%)." });
});

it("serves exams and scanners over TLS: https and wss, as scanners' software insists", async () => {
  await using folder = await temporaryFolder();
  const { certificate, certificateFile, keyFile } = await makeCertificate(folder.path, "face");
  const environment = { RADFERRY_TLS_CERTIFICATE_FILE: certificateFile, RADFERRY_TLS_KEY_FILE: keyFile };
  await using secure = await openScannerSite({ environment });
  const { id } = await wantedTask(secure);
  const content = Buffer.concat([Buffer.from("\x89HDF\r\n\x1a\n", "latin1"), Buffer.alloc(3_000_000, 9)]);
  const url = secure.webSocket;
  const credentials = { deviceId: secure.deviceId, deviceToken: secure.deviceToken };
  const stranger = new WebSocket(url, { headers: { "Device-Id": secure.deviceId } });
  await once(stranger, "error");
  await using device = await openStandIn({
    url,
    ...credentials,
    content: { bytes: content },
    fileName: "scan.mrd",
    steps: 2,
    stepMs: 0,
    clock: systemClock,
    random: systemRandom,
    rejectUnauthorized: false,
  });
  expect(await device.run(1, neverAborted())).toBe(1);
  const task = await getTask(id, secure.token, { url: secure.exam, tls: { certificateAuthorities: certificate } });
  expect(task).toMatchObject({ status: "FINISHED" });
  const [result] = task.results;
  expect(Buffer.from(await readFile(`${result?.directory}/scan.mrd`)).equals(content)).toBe(true);
});

/** Straight into the store: nothing here asks over TLS with the certificate of its own. */
async function wantedTask({ store, deviceId }: ScannerSite) {
  const world = { store, clock: systemClock, random: systemRandom };
  const facts = { name: "gre", description: "", sequenceType: "PULSEQ", tags: [], fileExtension: ".seq" };
  const sequence = await keepSequence(world, { ...facts, file: PULSEQ });
  const { workflow_id, ...fields } = taskDocument({ sequence_id: sequence.id });
  const columns = { workflowId: String(workflow_id), deviceId, isTemplate: false, status: "NEW", progress: 0 } as const;
  const more = { id: randomUUID(), fields: JSON.stringify(fields), creator: "anna", wantedAtMs: 1 };
  return await store.addScanTask({ ...columns, ...more }, systemClock.nowMs());
}

it("does every task that a stand-in for a scanner was sent, also one that came while it was at another", async () => {
  const tasks = [await site.addTask(), await site.addTask()];
  await using device = await openStandIn({
    url: site.webSocket,
    deviceId: site.deviceId,
    deviceToken: site.deviceToken,
    content: { sizeBytes: 10_000 },
    fileName: "scan.mrd",
    steps: 1,
    stepMs: 0,
    clock: systemClock,
    random: systemRandom,
  });
  for (const task of tasks)
    expect((await site.request("POST", `${site.devices}/start_scan_via_websocket`, { body: task })).status).toBe(200);
  expect(await device.run(2, AbortSignal.timeout(5_000))).toBe(2);
  for (const { id } of tasks) expect((await site.store.scanTask(id))?.status).toBe("FINISHED");
});
