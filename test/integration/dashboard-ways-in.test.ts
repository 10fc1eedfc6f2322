import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium } from "../peers/chromium.ts";
import { freePort } from "../peers/free-port.ts";
import { type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { checkPage, tabThrough } from "../support/page-checks.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ROOT } from "../tidy/repository.ts";

const small = (seed: number) =>
  syntheticStudy({ modality: "CT", rows: 2, columns: 2, instancesPerSeries: 1, seed: 1_300 + seed });
/** More than a page has room for. */
const STUDIES = Array.from({ length: 53 }, (_, index) => small(index));
const PUSHED = [small(201), small(202)];

describe.skipIf(!requirePeer("chromium"))("searches, standing cohorts and what was sent unasked, in a browser", () => {
  const opened = new AsyncDisposableStack();
  let site: ApiSite;
  let archive: PracticeArchive;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    execFileSync("sh", [join(ROOT, "scripts/build-web.sh"), "--if-stale"], { stdio: ["ignore", "ignore", "inherit"] });
    const folder = opened.use(await temporaryFolder());
    const projects = ["brain", "lung"];
    for (const [index, name] of projects.entries())
      await writeFile(join(folder.path, name), `${String(index + 1).repeat(64)}\n`, { mode: 0o600 });
    archive = opened.use(await startPracticeArchive({ studies: STUDIES }));
    site = opened.use(
      await openApiSite({
        settings: {
          dicom: { port: await freePort() },
          intake: { quietSeconds: 600, rules: [{ name: "trial", callingAeTitles: ["CT1"], project: "lung" }] },
          archives: [{ name: "vna", kind: "dimse", address: archive.address, retrieve: "get" }],
          destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
          projects: projects.map((name) => ({
            ...{ name, archives: ["vna"], destinations: ["store"], profile: "research" },
            keyFile: join(folder.path, name),
          })),
        },
      }),
    );
    browser = await startChromium();
    opened.defer(() => browser.close());
    page = await logIn(site.admin);
  });
  afterAll(() => opened.disposeAsync());

  async function logIn(token: string): Promise<Page> {
    const own = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    own.setDefaultTimeout(15_000);
    await own.goto(site.url);
    await own.getByLabel("Token").fill(token);
    await own.getByRole("button", { name: "Log in" }).click();
    await own.getByRole("heading", { name: "Overview" }).waitFor();
    return own;
  }

  /** Goes there without loading the page anew. */
  const go = (name: string, on = page) => on.getByRole("link", { name, exact: true }).click();
  const push = async ({ instances }: SyntheticStudy): Promise<void> => {
    for (const { file } of instances) {
      const body = Buffer.concat([Buffer.from("--B\r\n\r\n"), file, Buffer.from("\r\n--B--")]);
      const headers = { "content-type": 'multipart/related; type="application/dicom"; boundary=B' };
      expect(await site.call("POST", "//dicomweb/studies", { body, headers })).toMatchObject({ status: 200 });
    }
  };

  it("tells what a search would ask too much of, then counts, then shows page by page", async () => {
    await go("Search");
    const form = page.getByRole("form", { name: "What to look for" });
    await form.getByLabel("For the project").selectOption("lung");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByRole("alert").getByText("SEARCH_TOO_BROAD").waitFor();
    await form.getByLabel("From").fill("1950-01-01");
    await form.getByLabel("Description").fill("/made-up/i");
    await form.getByLabel("To").fill("1950-12-31");
    await form.getByText("To search asks vna 1 question; 729 at most, up to 728 to divide dates").waitFor();
    expect(await page.getByText("The archive was asked").count()).toBe(0);
    await form.getByLabel("To").fill("");
    await page.getByRole("button", { name: "Only count" }).click();
    await page.getByText("The archive was asked 1 question.").waitFor();
    await page.getByText("Nothing of it is kept.").waitFor();
    expect(await page.getByRole("checkbox", { name: "Row 1" }).count()).toBe(0);
    await form.getByLabel("Description").press("Enter");
    await page.getByRole("heading", { name: "53 studies" }).waitFor();
    await page.getByText("Rows 1 to 50 of 53").waitFor();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(50);
  });

  it("submits all rows but some, or only some", async () => {
    const row = (number: number) => page.getByRole("checkbox", { name: `Row ${number}`, exact: true });
    await row(2).uncheck();
    await page.getByRole("button", { name: "Next" }).click();
    await row(53).uncheck();
    expect(await checkPage(page, "search")).toEqual([]);
    await page.getByRole("button", { name: "Submit 51 of 53 studies to lung" }).waitFor();
    await page.getByRole("button", { name: "Choose none" }).click();
    expect(await page.getByRole("button", { name: /^Submit 0 of/ }).isDisabled()).toBe(true);
    await row(51).check();
    await page.getByRole("button", { name: "Back" }).click();
    await row(1).check();
    await page.getByRole("button", { name: "Submit 2 of 53 studies to lung" }).click();
    await page.getByRole("heading", { name: "2 of 2 studies done" }).waitFor();
  });

  it("looks for one patient, and repeats that by a timetable", async () => {
    await go("Search");
    const [study] = STUDIES;
    const form = page.getByRole("form", { name: "What to look for" });
    await form.getByLabel("For the project").selectOption("lung");
    await form.getByLabel("Patient ID").fill(study?.patientId ?? "");
    await form.getByText("More").click();
    await form.getByLabel("Other keys").fill(`StudyInstanceUID=${study?.studyInstanceUid}`);
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByRole("heading", { name: "1 study" }).waitFor();
    await page.getByRole("button", { name: "Repeat it by a timetable" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("nightly");
    await dialog.getByLabel("Times, as").fill("26:00");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("STANDING_TIMETABLE_INVALID").waitFor();
    expect(await checkPage(page, "search-standing")).toEqual([]);
    await dialog.getByLabel("Times, as").fill("Mon-Fri 02:00, Sun 14:30");
    await dialog.getByLabel("Studies from").fill("-400w");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Standing cohorts" }).waitFor();
    expect((await site.call("GET", "/standing-cohorts/nightly")).json).toMatchObject({
      ...{ project: "lung", archive: "vna", times: ["Mon-Fri 02:00", "Sun 14:30"] },
      wish: { queries: [{ from: "-400w" }] },
    });
  });

  it("runs it, tells why it waits, pauses it, goes on with it, and removes it", async () => {
    const line = page.locator("tbody tr", { hasText: "nightly" }).first();
    await site.call("POST", "/archives/vna/pause");
    await page.getByRole("button", { name: "Run now: nightly" }).click();
    await line.getByText("waits: vna is paused").waitFor();
    expect(await checkPage(page, "standing")).toEqual([]);
    await site.call("POST", "/archives/vna/resume");
    await line.getByText(/^\d+ found, /).waitFor();
    await page.getByRole("button", { name: "Pause nightly" }).click();
    await line.getByText("paused", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Resume nightly" }).click();
    await page.getByRole("button", { name: "Pause nightly" }).waitFor();
    const onlooker = await logIn(await site.tokenOf("onlooker", "viewer"));
    await go("Cohorts", onlooker);
    await onlooker.getByRole("heading", { name: "Standing cohorts" }).waitFor();
    expect(await onlooker.getByRole("button", { name: /nightly/ }).count()).toBe(0);
    expect(await onlooker.getByRole("link", { name: "Search" }).count()).toBe(0);
    await page.getByRole("button", { name: "Remove nightly" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
    await page.getByRole("heading", { name: "Standing cohorts" }).waitFor({ state: "detached" });
  });

  it("says on the overview what was sent and is held; operators assign it, admins discard it", async () => {
    for (const study of PUSHED) await push(study);
    const operator = await logIn(await site.tokenOf("day-shift", "operator"));
    await operator.getByRole("link", { name: "2 studies sent to us" }).click();
    await operator.getByText("INTAKE_NO_RULE").first().waitFor();
    expect(await operator.getByRole("button", { name: /^Discard/ }).count()).toBe(0);
    await operator
      .getByRole("button", { name: /^Assign/ })
      .first()
      .click();
    await operator.getByRole("dialog").getByLabel("Project").selectOption("lung");
    await operator.keyboard.press("Tab");
    await operator.keyboard.press("Enter");
    await operator.locator("tbody tr").nth(1).waitFor({ state: "detached" });
    await go("Sent to us");
    await page.getByRole("button", { name: /^Discard/ }).waitFor();
    expect(await checkPage(page, "intake")).toEqual([]);
    await page.getByRole("button", { name: /^Discard/ }).click();
    expect(await checkPage(page, "intake-discard")).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "Discard the study" }).click();
    await page.getByText("No study waits for a decision.").waitFor();
    await page.getByLabel("Given to a project").check();
    await page.getByText("for lung").waitFor();
  });

  it("is not for who may see some projects alone, and goes by keyboard", async () => {
    const limited = await logIn(await site.tokenOf("lung-only", "operator", ["lung"]));
    for (const name of ["Search", "Sent to us"]) {
      await go(name, limited);
      await limited.getByText(/takes a token/).waitFor();
    }
    await go("Search");
    await page.getByRole("form", { name: "What to look for" }).waitFor();
    await page.getByLabel("Modality").focus();
    expect((await tabThrough(page, 4)).slice(1)).toEqual([
      { text: "More", isVisible: true },
      { text: "Search", isVisible: true },
      { text: "Only count", isVisible: true },
    ]);
  });
});
