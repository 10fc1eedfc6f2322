import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium } from "../peers/chromium.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type DashboardSite, openDashboardSite } from "../support/dashboard-site.ts";
import { checkPage, tabThrough, transferredBytes } from "../support/page-checks.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const FIRST_PAINT_BYTES = 150_000;

describe.skipIf(!requirePeer("chromium"))("the dashboard in a browser", () => {
  const opened = new AsyncDisposableStack();
  let site: DashboardSite;
  let browser: Browser;
  let page: Page;
  let cohort = "";
  /** What a page complained about: scripts that failed, and what the policy refused. */
  const complaints: string[] = [];

  beforeAll(async () => {
    site = opened.use(await openDashboardSite());
    browser = await startChromium();
    opened.defer(() => browser.close());
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", ({ message }) => void complaints.push(message));
    page.on("console", (line) => {
      // What the API refused is shown, and the browser says it a second time.
      if (line.type() === "error" && !line.text().startsWith("Failed to load resource")) complaints.push(line.text());
    });
  });
  afterAll(() => opened.disposeAsync());

  const state = (text: string) => page.locator(".badge", { hasText: new RegExp(`^${text}$`) });
  const studyRow = (text: string) => page.locator("tbody tr", { hasText: text });

  it("paints first with no more than 150 KB, and shows nothing to who is not logged in", async () => {
    const bytes = await transferredBytes(page, () => page.goto(site.api.url, { waitUntil: "networkidle" }));
    process.stdout.write(`the first paint of the log-in transferred ${bytes} bytes\n`);
    expect(bytes).toBeLessThanOrEqual(FIRST_PAINT_BYTES);
    await page.getByRole("heading", { name: "Radferry" }).waitFor();
    expect(await checkPage(page, "log-in")).toEqual([]);
  });

  it("says what is wrong with a token, and lets a good one in", async () => {
    await page.getByLabel("Token").fill(`radferry_${"x".repeat(43)}`);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("API_TOKEN_INVALID").waitFor();
    await page.getByLabel("Token").fill(site.api.admin);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    const bytes = await transferredBytes(page, async () => {
      await page.reload();
      await page.locator(".chart canvas").waitFor();
    });
    process.stdout.write(`the first paint of the overview transferred ${bytes} bytes\n`);
    expect(bytes).toBeLessThanOrEqual(FIRST_PAINT_BYTES);
  });

  it("shows the findings of a dropped file before anything is submitted", async () => {
    await page.getByRole("link", { name: "Cohorts" }).click();
    const zone = page.getByRole("region", { name: "Cohort file" });
    await zone.waitFor();
    const files = await page.evaluateHandle(`(() => {
      const files = new DataTransfer();
      files.items.add(new File([${JSON.stringify(site.cohortFile)}], "wanted.csv", { type: "text/csv" }));
      return files;
    })()`);
    await zone.dispatchEvent("dragover", { dataTransfer: files });
    await zone.dispatchEvent("drop", { dataTransfer: files });
    await page.getByRole("button", { name: "Submit 7 rows to lung-ct" }).waitFor();
    await expect.poll(() => studyRow("UID_INVALID").count()).toBe(1);
    expect((await site.api.call("GET", "/cohorts")).json).toMatchObject({ items: [] });
    expect(await checkPage(page, "findings")).toEqual([]);
  });

  it("submits it, and shows how it comes to its end without being reloaded", async () => {
    await page.evaluate("window.wasNotReloaded = true");
    await page.getByRole("button", { name: "Submit 7 rows to lung-ct" }).click();
    await page.getByRole("heading", { name: /^cohort-/ }).waitFor();
    cohort = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await page.getByRole("heading", { name: "7 of 7 studies done" }).waitFor();
    expect(await page.evaluate("window.wasNotReloaded")).toBe(true);
    await page.getByRole("button", { name: "delivered 4" }).waitFor();
    expect(await checkPage(page, "cohort")).toEqual([]);
  });

  it("gives out every row with what became of it", async () => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByText("Export as CSV").click()]);
    await using folder = await temporaryFolder();
    const path = join(folder.path, "export.csv");
    await file.saveAs(path);
    expect((await readFile(path, "utf8")).trim().split("\n")).toHaveLength(10);
  });

  it("tells of a failed study, and tries it again", async () => {
    await page.getByRole("button", { name: /^failed/ }).click();
    await studyRow("failed").getByRole("link").click();
    await page.getByRole("heading", { name: /^Study / }).waitFor();
    await state("failed").first().waitFor();
    expect(await checkPage(page, "study-failed")).toEqual([]);
    site.repairArchive();
    await page.getByRole("button", { name: /^(?:Retry|Try)/ }).click();
    await state("delivered").first().waitFor();
    await page.getByRole("img", { name: /slice/ }).waitFor();
    expect(await checkPage(page, "study")).toEqual([]);
  });

  it("pauses an archive, and shows so on the overview", async () => {
    await page.getByRole("link", { name: "Archives", exact: true }).click();
    await page.getByRole("heading", { name: "Archives" }).waitFor();
    await page
      .getByRole("button", { name: /^Pause/ })
      .last()
      .click();
    await state("paused").first().waitFor();
    expect(await checkPage(page, "archives")).toEqual([]);
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    await state("paused").first().waitFor();
    expect(await checkPage(page, "overview")).toEqual([]);
  });

  it.each(["cohorts", "studies", "failures", "quarantine", "scanners", "audit", "tokens", "settings", "no-such-page"])(
    "has nothing serious to complain about on /%s",
    async (path) => {
      await page.goto(`${site.api.url}/${path}`);
      await page.locator("h1").waitFor();
      await page.waitForLoadState("networkidle").catch(() => undefined);
      expect(await checkPage(page, path)).toEqual([]);
    },
  );

  it("shows what a quarantined study is held for", async () => {
    await page.goto(`${site.api.url}/quarantine`);
    await studyRow("IDENTIFIER_FOUND").getByRole("link").click();
    await page.getByRole("heading", { name: /job-/ }).waitFor();
    await page.getByText("IDENTIFIER_FOUND").first().waitFor();
    expect(await checkPage(page, "quarantined-study")).toEqual([]);
  });

  it("is used without a mouse", async () => {
    await page.goto(`${site.api.url}/cohorts/${cohort}`);
    await page.getByRole("heading", { name: /^cohort-/ }).waitFor();
    await page.getByText("Export as CSV").waitFor();
    const seen = await tabThrough(page, 24);
    expect(seen.filter(({ isVisible }) => !isVisible)).toEqual([]);
    const texts = seen.map(({ text }) => text);
    expect(texts[0]).toBe("Skip to the page");
    for (const text of ["Cohorts", "Log out", "Export as CSV"]) expect(texts).toContain(text);
  });

  it("failed in none of its scripts, and broke no rule of its policy", () => {
    expect(complaints).toEqual([]);
  });

  it("shows nothing any more after the log-out", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
    await page.reload();
    await page.getByLabel("Token").waitFor();
  });
});
