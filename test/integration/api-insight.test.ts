import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { followEvents } from "../support/event-stream.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const STUDY = syntheticStudy({ seed: 81, modality: "CT", rows: 16, columns: 16, instancesPerSeries: 3 });
const LOST = ["1.2.826.0.1.3680043.10.1.1", "1.2.826.0.1.3680043.10.1.2"];

const opened = new AsyncDisposableStack();
let site: ApiSite;
let delivered: string;

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder());
  for (const [name, digit] of [
    ["lung", "1"],
    ["heart", "2"],
  ] as const)
    await writeFile(join(folder.path, `${name}.key`), `${digit.repeat(64)}\n`, { mode: 0o600 });
  const port = await freePort();
  const destinations = [`RADFERRY@127.0.0.1:${port}`];
  const archive = opened.use(await startPracticeArchive({ studies: [STUDY], destinations }));
  const project = { archives: ["practice"], destinations: ["store"], profile: "research" };
  const keyFile = (name: string): string => join(folder.path, `${name}.key`);
  site = opened.use(
    await openApiSite({
      settings: {
        dicom: { port },
        archives: [{ name: "practice", kind: "dimse", address: archive.address, retrieve: "move" }],
        destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
        projects: [
          { name: "lung", ...project, keyFile: keyFile("lung") },
          { name: "heart", ...project, keyFile: keyFile("heart") },
        ],
      },
    }),
  );
  const id = await submitted("lung", [STUDY.studyInstanceUid, ...LOST]);
  delivered = String(id);
  await submitted("heart", LOST.slice(0, 1));
});
afterAll(() => opened.disposeAsync());

/** Submits studies and waits until each is done; returns the first one's id. */
async function submitted(project: string, uids: readonly string[]): Promise<unknown> {
  await using events = await followEvents(site.url, site.admin);
  await events.until(({ event }) => event === "overview");
  const headers = { "content-type": "text/csv" };
  const body = `study_instance_uid\n${uids.join("\n")}\n`;
  const { json } = await site.call("POST", `/cohorts?project=${project}`, { body, headers });
  const { cohort } = json as { readonly cohort: string };
  const done = new Set<unknown>();
  await events.until(({ event, data }) => {
    if (event === "study" && (data.state === "delivered" || data.state === "not-found")) done.add(data.id);
    return done.size === uids.length;
  });
  const { items } = (await site.call("GET", `/studies?cohort=${cohort}`)).json as {
    readonly items: readonly { readonly id: string }[];
  };
  return items[0]?.id;
}

it("counts what was delivered, now and in every hour before", async () => {
  for (const span of ["hour", "day"]) {
    const { status, json } = await site.call("GET", `/throughput?span=${span}`);
    const { buckets } = json as { readonly buckets: readonly Readonly<Record<string, number>>[] };
    const sum = (name: string): number => buckets.reduce((total, bucket) => total + (bucket[name] ?? 0), 0);
    expect({ status, length: buckets.length }).toEqual({ status: 200, length: span === "hour" ? 48 : 60 });
    expect([sum("studies"), sum("instances")]).toEqual([1, 3]);
    expect(sum("bytes")).toBeGreaterThan(3 * 16 * 16 * 2);
  }
  const { json } = await site.call("GET", "/throughput?span=day&project=heart");
  expect((json as { readonly buckets: readonly unknown[] }).buckets.at(-1)).toMatchObject({ studies: 0, bytes: 0 });
});

it("tells what was removed from a delivered study, and how its delivery was proven", async () => {
  const { status, json, text } = await site.call("GET", `/studies/${delivered}/report`);
  expect({ status, json }).toMatchObject({
    status: 200,
    json: {
      outcome: "delivered",
      hasThumbnail: true,
      counts: { instances: 3, deidentified: 3 },
      verification: { hits: 0 },
    },
  });
  const { elements } = json as { readonly elements: readonly { readonly keyword: string }[] };
  expect(elements).toContainEqual({ tag: "(0010,0010)", keyword: "PatientName", actions: { pseudonym: 3 } });
  expect(text).not.toContain(STUDY.studyInstanceUid);
  expect((await site.call("GET", `/studies/${delivered}`)).json).toMatchObject({
    deliveries: [{ destination: "store", state: "confirmed", proof: "sha256" }],
  });
});

it("shows a slice of a delivered study, as an image and nothing else", async () => {
  const response = await fetch(`${site.url}/api/v1/studies/${delivered}/thumbnail`, {
    headers: { authorization: `Bearer ${site.admin}` },
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  const png = Buffer.from(await response.arrayBuffer());
  expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
  // Width and height. ISO/IEC 15948 11.2.
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([16, 16]);
});

it("has neither of a study that was not found", async () => {
  const { json } = await site.call("GET", "/studies?code=STUDY_NOT_FOUND&project=heart");
  const [{ id } = { id: "" }] = (json as { readonly items: readonly { readonly id: string }[] }).items;
  for (const [part, code] of [
    ["report", "STUDY_REPORT_NOT_KEPT"],
    ["thumbnail", "STUDY_THUMBNAIL_NOT_KEPT"],
  ])
    expect(await site.call("GET", `/studies/${id}/${part}`)).toMatchObject({ status: 404, json: { code } });
});

it("shows who is limited to a project no report, no picture and no failure of another", async () => {
  const token = await site.tokenOf("heart-only", "viewer", ["heart"]);
  for (const part of ["report", "thumbnail"])
    expect(await site.call("GET", `/studies/${delivered}/${part}`, { token })).toMatchObject({
      status: 404,
      json: { code: "JOB_NOT_FOUND" },
    });
  const { json } = await site.call("GET", "/failures", { token });
  expect(json).toMatchObject({ items: [{ code: "STUDY_NOT_FOUND", studies: 1, projects: { heart: 1 } }] });
});

it("groups failures by code, and has all of one code tried again", async () => {
  const { json } = await site.call("GET", "/failures");
  expect(json).toEqual({
    items: [
      {
        code: "STUDY_NOT_FOUND",
        class: "permanent",
        message: "No archive of the project has the study.",
        remedy: expect.stringContaining("Check the identifiers"),
        studies: 3,
        waiting: 0,
        states: { "not-found": 3 },
        projects: { lung: 2, heart: 1 },
      },
    ],
  });
  expect((await site.call("GET", "/studies?code=STUDY_NOT_FOUND&limit=2")).json).toMatchObject({
    items: [{ project: "lung" }, { project: "lung" }],
    next: expect.any(String),
  });
  const heart = await site.tokenOf("heart-operator", "operator", ["heart"]);
  const retry = (token: string, query = "") => site.call("POST", `/failures/STUDY_NOT_FOUND/retry${query}`, { token });
  await using events = await followEvents(site.url, site.admin);
  await events.until(({ event }) => event === "overview");
  expect(await retry(heart)).toMatchObject({ status: 200, json: { retried: 1 } });
  expect(await retry(heart, "?project=lung")).toMatchObject({ status: 404, json: { code: "PROJECT_UNKNOWN" } });
  await events.until(({ event, data }) => event === "study" && data.state === "not-found" && data.project === "heart");
  expect(await retry(site.admin, "?project=lung")).toMatchObject({ json: { retried: 2 } });
  const audit = (await site.call("GET", "/audit?limit=20")).json as { readonly items: readonly unknown[] };
  expect(audit.items).toContainEqual(
    expect.objectContaining({
      event: "studies-retried",
      project: "lung",
      detail: { code: "STUDY_NOT_FOUND", studies: 2 },
    }),
  );
});

it.each([
  ["GET", "/studies?code=NO_SUCH_CODE", 422],
  ["GET", "/studies?code=toString", 422],
  ["POST", "/failures/NO_SUCH_CODE/retry", 422],
  ["GET", "/throughput?span=year", 422],
  ["GET", "/throughput?project=none", 404],
  ["POST", "/failures/STUDY_NOT_FOUND/retry?cohort=none", 404],
])("answers %s %s with a problem", async (method, path, status) => {
  expect(await site.call(method, path)).toMatchObject({ status, json: { status } });
});
