import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openGateway } from "../../gateway/open-gateway.ts";

const SETTINGS = `
home: ./home
archives:
  - { name: vna, kind: dimse, address: VNA@127.0.0.1:104, availability: { studiesPerMinute: 30 } }
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), SETTINGS);
});
afterEach(() => folder[Symbol.asyncDispose]());

async function archive(...args: readonly string[]): ReturnType<typeof runCli> {
  return await runCli(["archive", ...args], { workingFolder: folder.path, openGateway });
}

async function listed(): Promise<unknown> {
  const { stdout } = await archive("list", "--json");
  return JSON.parse(stdout)[0];
}

it("pauses and resumes an archive, for every program that comes later", async () => {
  expect(await listed()).toMatchObject({ state: "open", studiesPerMinute: 30, changed: [] });
  expect((await archive("pause", "vna")).stdout).toContain("vna is paused\n");
  expect(await listed()).toMatchObject({ state: "paused" });
  await archive("resume", "vna");
  expect(await listed()).toMatchObject({ state: "open" });
});

it("changes the rate, lifts it, and goes back to the settings'", async () => {
  await archive("rate", "vna", "5", "--bytes-per-second", "1000000");
  expect(await listed()).toMatchObject({
    studiesPerMinute: 5,
    bytesPerSecond: 1_000_000,
    changed: ["studiesPerMinute", "bytesPerSecond"],
  });
  await archive("rate", "vna", "unlimited");
  expect(await listed()).not.toHaveProperty("studiesPerMinute");
  await archive("rate", "vna", "configured");
  expect(await listed()).toMatchObject({ studiesPerMinute: 30, changed: ["bytesPerSecond"] });
});

it("changes the windows, and tells when the next one opens", async () => {
  // Two weekdays ahead, so that it is closed whenever this runs.
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const day = days[(new Date().getUTCDay() + 2) % days.length];
  await archive("windows", "vna", `${day} 01:30-02:00`, "--time-zone", "UTC");
  expect(await listed()).toMatchObject({
    state: "closed",
    opensAt: expect.stringMatching(/T01:30:00\.000Z$/),
    windows: [`${day} 01:30-02:00`],
    timeZone: "UTC",
  });
  await archive("windows", "vna", "--always");
  expect(await listed()).toMatchObject({ state: "open", changed: ["windows"] });
  await archive("windows", "vna");
  expect(await listed()).toMatchObject({ state: "open", changed: ["windows"] });
  await archive("windows", "vna", "--configured");
  expect(await listed()).toMatchObject({ state: "open", changed: [] });
});

it("leaves no trace of who only looks, and one of what was set back", async () => {
  const changes = async (): Promise<readonly unknown[]> => {
    const { stdout } = await runCli(["audit", "tail", "--json"], { workingFolder: folder.path, openGateway });
    return JSON.parse(stdout).filter(({ event }: { event: string }) => event === "archive-controlled");
  };
  expect((await archive("windows", "vna")).stdout).toBe("vna is open\nwindows: always\nrate: 30 studies/min\n");
  await archive("rate", "vna");
  expect(await changes()).toEqual([]);
  await archive("rate", "vna", "configured");
  expect(await changes()).toMatchObject([{ detail: { archive: "vna", changed: "studiesPerMinute" } }]);
});

it("lists rate and windows", async () => {
  await archive("windows", "vna", "Mon-Sun 00:00-24:00", "--time-zone", "UTC");
  const { stdout } = await archive("list");
  expect(stdout).toMatch(/STATE +RATE +WINDOWS\n.*30 studies\/min +Mon-Sun 00:00-24:00 \(UTC\)\n$/);
});

it.each([[[]], [["StudyDescription=*", "PatientName"]], [["--yes-all"]]])(
  "asks an archive for everything only when that is said, and how much of it: %j",
  async (keys) => {
    const { exitCode, stderr } = await archive("find", "vna", ...keys);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("SEARCH_TOO_BROAD")]);
    const meant = await archive("find", "vna", ...keys.filter((key) => key !== "--yes-all"), "--yes-all", "--max", "5");
    expect(meant.stderr).toContain("CONNECTION_FAILED");
  },
);

it.each([
  [["rate", "vna", "fast"]],
  [["rate", "vna", "0"]],
  [["rate", "vna", "5", "--bytes-per-second", "-1"]],
  [["windows", "vna", "weekdays"]],
  [["windows", "vna", "Mon 08:00-09:00", "--time-zone", "Mars"]],
  [["windows", "vna", "Mon 08:00-09:00", "--always"]],
  [["windows", "vna", "Mon 08:00-09:00", "--configured"]],
  [["windows", "vna", "--always", "--configured"]],
  [["windows", "vna", "--time-zone", "Europe/London"]],
])("refuses %j as wrong usage", async (args) => {
  expect((await archive(...args)).exitCode).toBe(2);
});

it("knows no archive that is not configured", async () => {
  expect((await archive("pause", "pacs")).exitCode).not.toBe(0);
});
