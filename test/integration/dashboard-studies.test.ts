import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium } from "../peers/chromium.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { checkPage } from "../support/page-checks.ts";
import { openStudySite, type StudySite } from "../support/study-site.ts";

describe.skipIf(!requirePeer("chromium"))("studies in a browser", () => {
  const opened = new AsyncDisposableStack();
  let site: StudySite;
  let browser: Browser;
  /** Of the first admin. */
  let page: Page;

  beforeAll(async () => {
    site = opened.use(await openStudySite());
    browser = await startChromium();
    opened.defer(() => browser.close());
    page = await logIn(site.api.admin);
  });
  afterAll(() => opened.disposeAsync());

  async function logIn(token: string): Promise<Page> {
    const made = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    made.setDefaultTimeout(15_000);
    await made.goto(site.api.url);
    await made.getByLabel("Token").fill(token);
    await made.keyboard.press("Enter");
    await made.getByRole("heading", { name: "Overview" }).waitFor();
    return made;
  }

  async function go(path: string, of: Page = page): Promise<void> {
    await of.goto(site.api.url + path);
    await of.locator("h1").waitFor();
  }

  const badge = (text: string, of: Page = page) => of.locator(".badge", { hasText: new RegExp(`^${text}$`) });
  const card = (title: string, of: Page = page) =>
    of.locator("section.card", { has: of.getByRole("heading", { name: title }) });
  const textOf = async (part: Locator) => {
    await part.first().waitFor();
    return (await part.allInnerTexts()).join("\n");
  };
  const audited = async () => JSON.stringify((await site.api.call("GET", "/audit?limit=50")).json);

  it("shows what became of a delivered study, and nothing of its patient", async () => {
    await go(`/studies/${site.delivered}`);
    await badge("delivered").first().waitFor();
    await page.getByRole("img", { name: /^A slice/ }).waitFor();
    await expect.poll(() => page.evaluate("document.querySelector('.thumbnail img').naturalWidth")).toBe(64);
    expect(await textOf(card("Receipts"))).toMatch(/research-store\s+confirmed\s+4\s+contents read back and compared/);
    expect(await textOf(card("Account by series"))).toMatch(/1\s+4\s+4\s+4\s+0\s+4/);
    expect(await textOf(card("What happened"))).toMatch(/confirmed by read-back[\s\S]+located/);
    const removed = card("What was removed");
    expect(await textOf(removed)).toMatch(/4 of 4 instances de-identified[\s\S]+none was found/);
    // The rows are there for who opens them, also by keyboard.
    await removed.locator("summary").focus();
    await page.keyboard.press("Enter");
    await removed.getByRole("row", { name: /\(0010,0010\) PatientName replaced by the pseudonym: 4/ }).waitFor();
    const html = await page.content();
    expect(site.identifiers.filter((identifier) => html.includes(identifier))).toEqual([]);
    expect(await checkPage(page, "study-delivered")).toEqual([]);
  });

  it("tells an admin who asks who it is of, after a warning, and writes that down first", async () => {
    expect(await audited()).not.toContain("identified-values-shown");
    await page.getByRole("button", { name: "Who is it?" }).click();
    const dialog = page.getByRole("dialog", { name: "Show who this study is of?" });
    await dialog.getByText(/written to the audit trail/).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    expect(await audited()).not.toContain("identified-values-shown");
    await page.getByRole("button", { name: "Who is it?" }).click();
    await dialog.getByRole("button", { name: /^Show it/ }).click();
    await card("Identity").getByText("Patient ID", { exact: true }).waitFor();
    expect(await textOf(card("Identity"))).toContain(site.studyInstanceUid);
    expect(await audited()).toContain("identified-values-shown");
    await page.getByRole("button", { name: "Hide it" }).click();
    expect(await page.content()).not.toContain(site.studyInstanceUid);
  });

  it("offers a viewer nothing that he may not do", async () => {
    const viewer = await logIn(await site.api.tokenOf("pat", "viewer"));
    for (const path of [`/studies/${site.lost[0]}`, "/failures", `/quarantine/${site.quarantined}`]) {
      await go(path, viewer);
      await viewer.locator(".error-card, .reason-card, .failures li").first().waitFor();
      expect(await viewer.locator("main").getByRole("button").allInnerTexts()).toEqual([]);
    }
    expect(await viewer.getByText("Who is it?").count()).toBe(0);
    await viewer.context().close();
  });

  it("groups failures by code with the remedy, leads to the studies, and retries those of one project", async () => {
    await go("/failures");
    const failure = card("STUDY_NOT_FOUND");
    expect(await textOf(failure)).toMatch(/Check the identifiers of the row[\s\S]+3 studies/);
    expect(await checkPage(page, "failures-some")).toEqual([]);
    await failure.getByRole("link", { name: "3 studies" }).click();
    await page.getByRole("heading", { name: "Studies" }).waitFor();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(3);
    await page.getByLabel("State").selectOption("delivered");
    await page.getByText("No study is like that.").waitFor();
    await page.getByRole("button", { name: /^Any code/ }).click();
    await page.getByRole("row", { name: new RegExp(site.delivered) }).waitFor();
    expect(new URL(page.url()).search).toBe("?state=delivered");

    await go("/failures");
    await page.getByRole("button", { name: "Try all again that ended with STUDY_NOT_FOUND" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Project").selectOption("heart");
    await dialog.getByRole("button", { name: "Try again" }).click();
    await page.getByText("1 study queued again.").waitFor();
    expect(await audited()).toContain('"code":"STUDY_NOT_FOUND","studies":1');
    // It is not found again, and counted anew, without the page being reloaded.
    await failure.getByRole("link", { name: "3 studies" }).waitFor();
  });

  it("cancels a study that waits, once somebody confirmed it", async () => {
    const [lost = ""] = site.lost;
    await site.api.call("PATCH", "/archives/practice", { body: { paused: true } });
    await go(`/studies/${lost}`);
    await page.getByRole("button", { name: "Try again" }).click();
    await badge("waiting").first().waitFor();
    await page.getByText("ARCHIVE_PAUSED").first().waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Go back" }).click();
    await badge("waiting").first().waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the study" }).click();
    await badge("cancelled").first().waitFor();
    await site.api.call("PATCH", "/archives/practice", { body: { paused: false } });
  });

  it("tells why each instance is in quarantine, and releases with named exceptions and a reason", async () => {
    await go("/quarantine");
    await page.getByRole("link", { name: site.quarantined }).click();
    await page.getByRole("heading", { name: /^Quarantined study/ }).waitFor();
    await page.getByRole("row", { name: /2 1 rejected burned-in-annotation BURNED_IN_ANNOTATION/ }).waitFor();
    await page.getByRole("row", { name: /3 1 rejected name in \(0028,3006\) IDENTIFIER_FOUND/ }).waitFor();
    expect(await checkPage(page, "quarantined-study")).toEqual([]);

    const release = page.getByRole("button", { name: "Release…" });
    await release.click();
    await page.getByText("Choose what is left out, or where an identifier may stand.").waitFor();
    await page.getByLabel("Leave out instance 2").focus();
    await page.keyboard.press("Space");
    await page.getByLabel(/^Let an identifier stand in/).check();
    await release.click();
    await page.getByText("Write why it may go.").waitFor();
    await page.getByLabel("Why it may go").fill("reviewed");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Release this study?" });
    await dialog.getByText("1 instance of 4 stay behind. An identifier may stand in (0028,3006).").waitFor();
    await dialog.getByRole("button", { name: "Release it" }).click();
    await page.getByRole("heading", { name: `Study ${site.quarantined}` }).waitFor();
    await badge("delivered").first().waitFor();
    await page.getByText(/Released .+ by first-admin: “reviewed”/).waitFor();
    await go("/quarantine");
    await page.getByText("No study is in quarantine.").waitFor();
  });

  it("says what is wrong where a study is not there", async () => {
    await go("/studies/job-000000000000");
    await page.getByRole("alert").getByText("JOB_NOT_FOUND").waitFor();
  });
});
