import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium } from "../peers/chromium.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type DashboardSite, openDashboardSite } from "../support/dashboard-site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const NAME = "gateway.hospital.example";

/** To browsers only this machine is a secure context without TLS; in others they leave functions out. */
describe.skipIf(!requirePeer("chromium"))("the dashboard over plain HTTP, by the name of another machine", () => {
  const opened = new AsyncDisposableStack();
  let site: DashboardSite;
  let browser: Browser;
  let page: Page;
  let folder = "";
  const complaints: string[] = [];

  beforeAll(async () => {
    site = opened.use(await openDashboardSite());
    folder = opened.use(await temporaryFolder()).path;
    browser = await startChromium(`--host-resolver-rules=MAP ${NAME} 127.0.0.1`);
    opened.defer(() => browser.close());
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", ({ message }) => void complaints.push(message));
    await page.goto(site.api.url.replace("127.0.0.1", NAME));
    await page.getByLabel("Token").fill(site.api.admin);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  });
  afterAll(() => opened.disposeAsync());

  it("takes a cohort's file", async () => {
    expect(await page.evaluate("window.isSecureContext")).toBe(false);
    await page.getByRole("link", { name: "Cohorts" }).click();
    const file = join(folder, "wanted.csv");
    await writeFile(file, site.cohortFile);
    await page.locator('input[type="file"]').setInputFiles(file);
    await page.getByRole("button", { name: "Submit 7 rows to lung-ct" }).click();
    await page.getByRole("heading", { name: /^cohort-/ }).waitFor();
  });

  it("shows a token, which is copied by hand", async () => {
    await page.getByRole("link", { name: "Tokens" }).click();
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel(/^Name/).fill("dashboards");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByRole("button", { name: "I have it" }).waitFor();
    expect(await page.getByRole("button", { name: "Copy" }).count()).toBe(0);
  });

  it("failed in none of its scripts", () => {
    expect(complaints).toEqual([]);
  });
});
