import { execFileSync, spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { DoctorDocument, OverviewDocument } from "../../src/operations/documents.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { systemClock } from "../../src/units/clock.ts";
import { startChromium } from "../peers/chromium.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { mountSmallDisk, type SmallDisk } from "../support/small-disk.ts";
import { ROOT } from "../tidy/repository.ts";

/** Enough for an empty store. */
const KILOBYTES = 8_000;
/** Longer than an answer about the store is given again. */
const LATER_MS = 3_000;

let disk: SmallDisk | undefined;
beforeEach(() => {
  disk = mountSmallDisk(KILOBYTES);
});
afterEach(() => disk?.[Symbol.dispose]());

/** What somebody sees who looks at the gateway from outside. */
async function seenOf({ call, service }: ApiSite) {
  const ready = await call("GET", "//health/ready");
  const { checks } = ready.json as { readonly checks: { readonly store: unknown } };
  const metrics = await call("GET", "//metrics");
  const overview = (await call("GET", "/overview")).json as OverviewDocument;
  const doctor: DoctorDocument = await service.gateway.operations.doctor(neverAborted());
  return {
    ready: [ready.status, checks.store],
    metric: /^radferry_store_writable (\d)$/m.exec(metrics.text)?.[1],
    overview: overview.storeTrouble?.code,
    doctor: doctor.checks.find(({ check }) => check === "store can be written")?.code,
  };
}

/** A gateway whose home is on a disk of its own; undefined where mounting is not allowed. */
async function openScene() {
  if (disk === undefined) return undefined;
  const fill = join(disk.path, "fill");
  let offMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offMs };
  const events: string[] = [];
  const note = (event: string): void => void events.push(event);
  const logger = { debug: note, info: note, warn: note, error: note };
  const site = await openApiSite({ settings: { home: disk.path }, clock, logger });
  return {
    site,
    events,
    fillUp() {
      spawnSync("dd", ["if=/dev/zero", `of=${fill}`, "bs=4k"]);
      offMs += LATER_MS;
    },
    async makeRoom() {
      await rm(fill);
      offMs += LATER_MS;
    },
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
}

it("a full disk below the home is seen by health, metrics, overview, doctor and log, until there is room", async ({
  skip,
}) => {
  await using scene = await openScene();
  if (scene === undefined) return skip();
  const { site, events } = scene;
  const well = { ready: [200, { ok: true }], metric: "1", overview: undefined, doctor: undefined };
  expect(await seenOf(site)).toEqual(well);
  scene.fillUp();
  const code = "STORE_FULL";
  expect(await seenOf(site)).toEqual({ ready: [503, { ok: false, code }], metric: "0", overview: code, doctor: code });
  await scene.makeRoom();
  expect(await seenOf(site)).toEqual(well);
  const told = events.filter((event) => event.startsWith("store can"));
  expect(told).toEqual(["store cannot be written", "store can be written again"]);
});

it.skipIf(!requirePeer("chromium"))("every page of the dashboard says that all work stands still", async ({ skip }) => {
  execFileSync("sh", [join(ROOT, "scripts/build-web.sh"), "--if-stale"], { stdio: ["ignore", "ignore", "inherit"] });
  await using opened = new AsyncDisposableStack();
  const scene = await openScene();
  if (scene === undefined) return skip();
  const { site } = opened.use(scene);
  const browser = await startChromium();
  opened.defer(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(site.url);
  await page.getByLabel("Token").fill(site.admin);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const line = page.getByRole("alert").getByText("All work stands still. STORE_FULL");
  expect(await line.count()).toBe(0);
  scene.fillUp();
  for (const path of ["/", "/cohorts"]) {
    await page.goto(site.url + path);
    await line.waitFor();
  }
  await scene.makeRoom();
  await page.goto(site.url);
  await page.getByText("No archive is configured.").waitFor();
  expect(await line.count()).toBe(0);
});
