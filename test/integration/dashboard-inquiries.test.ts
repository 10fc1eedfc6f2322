import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyEvidence } from "../../src/operations/evidence/verify-evidence.ts";
import { startChromium } from "../peers/chromium.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type DashboardSite, openDashboardSite } from "../support/dashboard-site.ts";
import { checkPage } from "../support/page-checks.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe.skipIf(!requirePeer("chromium"))("plans, checks and evidence in a browser", () => {
  const opened = new AsyncDisposableStack();
  let site: DashboardSite;
  let browser: Browser;
  let page: Page;
  let folder = "";

  beforeAll(async () => {
    site = opened.use(await openDashboardSite());
    site.repairArchive();
    folder = opened.use(await temporaryFolder()).path;
    browser = await startChromium();
    opened.defer(() => browser.close());
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(site.api.url);
    await page.getByLabel("Token").fill(site.api.admin);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  });
  afterAll(() => opened.disposeAsync());

  it("asks the archives what a file would come to, before anything is submitted", async () => {
    await page.getByRole("link", { name: "Cohorts" }).click();
    const file = join(folder, "wanted.csv");
    await writeFile(file, site.cohortFile);
    await page.locator('input[type="file"]').setInputFiles(file);
    await page.getByRole("button", { name: "Ask the archives what it would come to" }).click();
    const plan = page.getByRole("region", { name: "Plan" });
    await plan.getByText("6 studies", { exact: true }).waitFor();
    await plan.getByText("12 series").waitFor();
    await expect.poll(() => plan.locator(".badge", { hasText: /^absent$/ }).count()).toBe(1);
    await expect.poll(() => plan.locator("tbody tr").count()).toBe(9);
    expect((await site.api.call("GET", "/cohorts")).json).toMatchObject({ items: [] });
    expect(await checkPage(page, "plan")).toEqual([]);
  });

  it("checks a cohort that is done, and gives out its evidence", async () => {
    await page.getByRole("button", { name: /^Submit / }).click();
    await page.getByRole("heading", { name: "7 of 7 studies done" }).waitFor();
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await page.getByText(/studies as delivered/).waitFor();
    expect(await checkPage(page, "check")).toEqual([]);

    const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Signed evidence").click()]);
    const path = join(folder, "evidence.zip");
    await download.saveAs(path);
    expect(await verifyEvidence(path)).toMatchObject({ ok: true, manifest: { rows: 9 } });
    const bytes = await readFile(path, "latin1");
    for (const { patientId } of site.studies) expect(bytes).not.toContain(patientId);
  });
});
