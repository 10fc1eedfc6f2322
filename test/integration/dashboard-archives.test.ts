import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { startChromium } from "../peers/chromium.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { PULSEQ } from "../peers/scanhub-site.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { runCli } from "../support/cli.ts";
import { checkPage } from "../support/page-checks.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ROOT } from "../tidy/repository.ts";

const NIGHTS = ["Mon-Fri 20:00-08:00"];
const MEASURED = "as it was measured";

describe.skipIf(!requirePeer("chromium"))("archives, scanners, audit, tokens and settings in a browser", () => {
  const opened = new AsyncDisposableStack();
  let site: ApiSite;
  let browser: Browser;
  let page: Page;
  let store: Store;
  let lake: string;
  let sequence: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    execFileSync("sh", [join(ROOT, "scripts/build-web.sh"), "--if-stale"], { stdio: ["ignore", "ignore", "inherit"] });
    const folder = opened.use(await temporaryFolder()).path;
    lake = join(folder, "lake");
    await mkdir(lake);
    await writeFile(join(folder, "lung.key"), `${"1".repeat(64)}\n`, { mode: 0o600 });
    const studies = [syntheticStudy({ seed: 95, modality: "CT", rows: 4, columns: 4, instancesPerSeries: 1 })];
    const { address } = opened.use(await startPracticeArchive({ studies }));
    const project = { name: "lung-ct", archives: ["vna"], destinations: ["store"], profile: "research" };
    site = opened.use(
      await openApiSite({
        environment: { DATA_LAKE_DIRECTORY: lake },
        settings: {
          archives: [
            {
              name: "vna",
              kind: "dimse",
              address,
              retrieve: "get",
              availability: { windows: NIGHTS, timeZone: "UTC" },
            },
            { name: "gone", kind: "dimse", address: "GONE@127.0.0.1:1", retrieve: "get" },
          ],
          destinations: [{ name: "store", kind: "folder", path: join(folder, "store") }],
          projects: [{ ...project, keyFile: join(folder, "lung.key") }],
        },
      }),
    );
    const home = join(site.service.folder, "home");
    store = opened.use(await openSqliteStore({ path: join(home, "radferry.db"), logger: silentLogger }));
    await writeFile(join(site.service.folder, "gre.seq"), PULSEQ);
    const world = { environment: { RADFERRY_HOME: home }, workingFolder: site.service.folder };
    const verb = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
      JSON.parse((await runCli(["scanner", ...args, "--json"], world)).stdout);
    sequence = String((await verb("sequence", "add", "gre.seq")).id);
    await verb("register", "MR3T");
    browser = await startChromium();
    opened.defer(() => browser.close());
    page = await (await browser.newContext({ reducedMotion: "reduce", acceptDownloads: true })).newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", ({ message }) => void complaints.push(message));
    page.on("console", (line) => {
      if (line.type() === "error" && !line.text().startsWith("Failed to load resource")) complaints.push(line.text());
    });
    await page.goto(site.url);
    await page.getByLabel("Token").fill(site.admin);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  });
  afterAll(() => opened.disposeAsync());

  const card = (name: string) => page.getByRole("region", { name: `Archive ${name}` });
  const archive = async (name: string) =>
    (await site.call("GET", `/archives/${name}`)).json as {
      readonly windows?: readonly string[];
      readonly studiesPerMinute?: number;
    };

  async function goTo(path: string, heading: string | RegExp): Promise<void> {
    await page.goto(site.url + path);
    await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  }

  it("shows why an archive may not be asked, and live what others do to it", async () => {
    await goTo("/archives", "Archives");
    await card("vna").getByText(NIGHTS.join()).waitFor();
    await site.call("POST", "/archives/vna/pause");
    await card("vna").getByText("Paused: it is asked for nothing more").waitFor();
    await page.getByRole("button", { name: "Resume vna" }).click();
    await page.getByRole("button", { name: "Pause vna" }).waitFor();
  });

  it("says whether an archive answers, and what to do when it does not", async () => {
    await page.getByRole("button", { name: "Echo vna" }).click();
    await card("vna")
      .getByText(/It answered in \d+ ms/)
      .waitFor();
    await page.getByRole("button", { name: "Echo gone" }).click();
    await card("gone")
      .getByText(/It did not answer.*CONNECTION_FAILED/)
      .waitFor();
  });

  it("sets a rate, and takes it back", async () => {
    await page.getByRole("button", { name: "Change the rate of vna" }).click();
    await page.getByLabel("Studies a minute").fill("12");
    await page.getByRole("button", { name: "Set the rate" }).click();
    await card("vna").getByText("12 studies a minute").waitFor();
    expect((await archive("vna")).studiesPerMinute).toBe(12);
    await page.getByRole("button", { name: "Change the rate of vna" }).click();
    await page.getByRole("button", { name: "As the settings say" }).click();
    await card("vna").getByText("any number of studies a minute").waitFor();
  });

  it("changes hours by keyboard", async () => {
    await page.getByRole("button", { name: "Change the hours of vna" }).click();
    await page.getByRole("button", { name: "Sat 10:00" }).focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    expect(await checkPage(page, "archives-hours")).toEqual([]);
    await page.getByRole("button", { name: "Keep these hours of vna" }).click();
    await card("vna").getByText("Sat 10:00-12:00").waitFor();
    expect((await archive("vna")).windows).toEqual([...NIGHTS, "Sat 10:00-12:00", "Sun 11:00-12:00"]);
  });

  it("changes hours by drawing with the mouse, and a whole day by its name", async () => {
    await page.getByRole("button", { name: "Change the hours of vna" }).click();
    await page.getByRole("button", { name: "Wed 09:00" }).hover();
    await page.mouse.down();
    for (const hour of ["10", "11"]) await page.getByRole("button", { name: `Wed ${hour}:00` }).hover();
    await page.mouse.up();
    await page.getByRole("button", { name: "Wed 15:00" }).hover();
    await page.getByRole("button", { name: "Open all of Sun" }).click();
    await page.getByRole("button", { name: "Keep these hours of vna" }).click();
    await card("vna").getByText("Wed 09:00-12:00").waitFor();
    expect((await archive("vna")).windows).toContain("Sun 00:00-24:00");
    await page.getByRole("button", { name: "Change the hours of vna" }).click();
    await page.getByRole("button", { name: "As the settings say" }).click();
    await card("vna").getByText(`${NIGHTS.join()}, by`).waitFor();
    expect((await archive("vna")).windows).toEqual(NIGHTS);
  });

  it("makes a scanner's task, follows it, and cancels it", async () => {
    await goTo("/scanners", "Scanners");
    await page.getByRole("button", { name: "New task" }).click();
    await page.getByLabel(/^Name/).fill("phantom");
    await page.getByLabel(/^Scanner/).selectOption({ label: "MR3T" });
    await page.getByRole("button", { name: "Make the task" }).click();
    await page.getByRole("heading", { level: 1, name: "phantom" }).waitFor();
    await page.getByText("waits for its scanner").waitFor();
    expect(await checkPage(page, "scanner-task")).toEqual([]);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Cancel the task" }).click();
    await page.getByText("ERROR").waitFor();
    await page.getByRole("link", { name: "Scanners" }).first().click();
    await page.getByLabel("In state").selectOption("ERROR");
    await page.getByRole("link", { name: "phantom" }).waitFor();
    await page.getByLabel("In state").selectOption("FINISHED");
    await page.getByText("No task is FINISHED.").waitFor();
  });

  it("makes one task where the answer to the first try is lost", async () => {
    await goTo("/scanners", "Scanners");
    await page.getByRole("button", { name: "New task" }).click();
    await page.getByLabel(/^Name/).fill("asked twice");
    await page.route(
      "**/api/v1/scan-tasks",
      async (route) => {
        await route.fetch();
        await route.abort();
      },
      { times: 1 },
    );
    await page.getByRole("button", { name: "Make the task" }).click();
    await page.getByText("UNREACHABLE").waitFor();
    await page.getByRole("button", { name: "Make the task" }).click();
    await page.getByRole("heading", { level: 1, name: "asked twice" }).waitFor();
    const { json } = await site.call("GET", "/scan-tasks");
    const { items } = json as { readonly items: readonly { readonly name: string }[] };
    expect(items.filter(({ name }) => name === "asked twice")).toHaveLength(1);
  });

  it("says that the sequences could not be read, and reads them again", async () => {
    await goTo("/scanners", "Scanners");
    await page.route("**/api/v1/scan-sequences", (route) => route.abort(), { times: 1 });
    await page.getByRole("button", { name: "New task" }).click();
    await page.getByRole("alert").getByRole("button", { name: "Try again" }).click();
    await page.getByLabel(/^Name/).fill("second look");
    await expect.poll(() => page.getByRole("button", { name: "Make the task" }).isEnabled()).toBe(true);
  });

  it("verifies what a scanner sent, and gives it out", async () => {
    const { json } = await site.call("POST", "/scan-tasks", { body: { sequence, name: "knee" } });
    const id = randomUUID();
    const directory = join(lake, id);
    await mkdir(directory);
    await writeFile(join(directory, "knee.dat"), MEASURED);
    await store.addScanResult({ id, taskId: String((json as { readonly id: string }).id) }, 1);
    const meta = JSON.stringify({ gateway: { sha256: createHash("sha256").update(MEASURED).digest("hex") } });
    await store.setScanResult(id, { type: "MRD", directory, files: ["knee.dat"], meta });
    await goTo("/scanners", "Scanners");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "knee.dat" }).click(),
    ]);
    expect(await readFile(await download.path(), "utf8")).toBe(MEASURED);
    await page.getByRole("button", { name: "Verify knee.dat" }).click();
    await page.getByText("Every file is as it was received.").waitFor();
  });

  it("verifies the audit trail", async () => {
    await goTo("/audit", "Audit trail");
    await page.getByText("scan-file-given-out").waitFor();
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("are as they were written").waitFor();
  });

  it("says that projects could not be read, and makes no token for all of them meanwhile", async () => {
    const projects = "**/api/v1/projects";
    await page.route(projects, (route) => route.abort());
    await goTo("/tokens", "Tokens");
    await page.reload();
    await page.getByRole("button", { name: "New token" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("The projects could not be read.").waitFor();
    await page.getByLabel("Name: whose it is").fill("nightly");
    expect(await dialog.getByRole("button", { name: "Make the token" }).isDisabled()).toBe(true);
    await page.unroute(projects);
    await dialog.getByRole("button", { name: "Try again" }).click();
    await dialog.getByLabel("lung-ct").waitFor();
    expect(await dialog.getByRole("button", { name: "Make the token" }).isDisabled()).toBe(false);
    await dialog.getByRole("button", { name: "Go back" }).click();
  });

  it("makes a token that is shown once, and revokes it", async () => {
    await goTo("/tokens", "Tokens");
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel(/^Name/).fill("nightly");
    await page.getByLabel("Role").selectOption("operator");
    await page.getByLabel("lung-ct").check();
    expect(await checkPage(page, "token-form")).toEqual([]);
    await page.getByRole("button", { name: "Make the token" }).click();
    const token = (await page.locator("dialog[open] code").textContent()) ?? "";
    expect((await site.call("GET", "/me", { token })).json).toMatchObject({ name: "nightly", projects: ["lung-ct"] });
    await page.getByRole("button", { name: "I have it" }).click();
    expect(await page.content()).not.toContain(token);
    await page.getByRole("button", { name: "Revoke nightly" }).click();
    await page.getByRole("button", { name: "Revoke the token" }).click();
    await page.getByText("revoked", { exact: true }).waitFor();
    expect((await site.call("GET", "/me", { token })).status).toBe(401);
  });

  it("takes settings in anew, and says what is wrong with them", async () => {
    const file = join(site.service.folder, "radferry.yaml");
    const settings = parse(await readFile(file, "utf8"));
    await goTo("/settings", "Settings in force");
    await writeFile(file, stringify({ ...settings, archives: settings.archives.slice(0, 1) }));
    await page.getByRole("button", { name: "Reload from the file" }).click();
    await page.getByText("archives removed: gone").waitFor();
    await expect.poll(() => page.getByRole("heading", { name: "Archive gone" }).count()).toBe(0);
    expect(await checkPage(page, "settings-reloaded")).toEqual([]);
    await writeFile(file, stringify({ ...settings, archives: [] }));
    await page.getByRole("button", { name: "Reload from the file" }).click();
    await page.getByRole("alert").getByText("projects[0].archives[0]").waitFor();
  });

  it("failed in none of its scripts, and broke no rule of its policy", () => {
    expect(complaints).toEqual([]);
  });
});
