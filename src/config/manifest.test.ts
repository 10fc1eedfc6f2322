import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { checkSettings } from "./load-settings.ts";
import { manifest } from "./manifest.ts";
import { sampleSettings } from "./sample.ts";
import { settingsSchema } from "./schema-shape.ts";
import { settingsTable } from "./settings-table.ts";
import { parseWindow } from "./window.ts";

function pathsIn(value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) {
    const items = value.flatMap((item: unknown) => (typeof item === "object" ? pathsIn(item, `${path}[]`) : [path]));
    return [...new Set(items)];
  }
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, child]) => pathsIn(child, path === "" ? key : `${path}.${key}`));
}

it("describes every setting", () => {
  expect(settingsTable().filter(({ description }) => description === "")).toEqual([]);
});

it("shows every setting of this version in the sample, and nothing else", () => {
  const supported = settingsTable().filter((row) => row.supported);
  expect(pathsIn(parse(sampleSettings())).toSorted()).toEqual(supported.map(({ path }) => path).toSorted());
});

it("writes each description into the sample", () => {
  const sample = sampleSettings();
  for (const { description, supported } of settingsTable())
    if (supported) expect(sample).toContain(`# ${description}\n`);
});

it("accepts its own sample, but for the files it names", async () => {
  const folder = await mkdtemp(join(tmpdir(), "radferry-sample-"));
  await writeFile(join(folder, "radferry.yaml"), sampleSettings());
  const { problems } = await checkSettings({ environment: {}, cwd: folder });
  await rm(folder, { recursive: true });
  expect(problems.map(({ path, code }) => `${path} ${code}`)).toEqual([
    "projects[0].keyFile KEY_FILE_MISSING",
    "projects[0].optOut[0] OPT_OUT_UNREADABLE",
  ]);
});

it("has the same defaults in manifest, table and schema", () => {
  const defaults = manifest.parse({});
  expect(
    settingsTable()
      .filter(({ path }) => !path.includes("[]"))
      .map((row) => [row.path, row.default]),
  ).toEqual([
    ["home", defaults.home],
    ["store.kind", defaults.store.kind],
    ["store.urlFile", "required"],
    ["dicom.aeTitle", defaults.dicom.aeTitle],
    ["dicom.host", defaults.dicom.host],
    ["dicom.port", String(defaults.dicom.port)],
    ["http.host", defaults.http.host],
    ["http.port", String(defaults.http.port)],
    ["retry.attempts", String(defaults.retry.attempts)],
    ["retry.firstDelaySeconds", String(defaults.retry.firstDelaySeconds)],
    ["retry.maximumDelaySeconds", String(defaults.retry.maximumDelaySeconds)],
    ["staging.path", ""],
    ["staging.reserveGigabytes", String(defaults.staging.reserveGigabytes)],
    ["staging.keepDays", String(defaults.staging.keepDays)],
  ]);
  expect(settingsSchema()).toMatchObject({
    type: "object",
    additionalProperties: false,
    properties: { home: { default: defaults.home }, dicom: { properties: { port: { default: defaults.dicom.port } } } },
  });
});

it.each([
  ["Mon-Fri 20:00-08:00", { firstDay: 0, lastDay: 4, beginMinute: 1_200, endMinute: 480 }],
  ["Sun 00:00-24:00", { firstDay: 6, lastDay: 6, beginMinute: 0, endMinute: 1_440 }],
  ["Fri-Mon 08:00-09:30", { firstDay: 4, lastDay: 0, beginMinute: 480, endMinute: 570 }],
  ["Mon-Fri 8:00-9:00", undefined],
  ["Mon-Fri 25:00-26:00", undefined],
  ["Mon-Fri 08:00-08:00", undefined],
  ["weekdays", undefined],
])("reads the window %j", (text, window) => {
  expect(parseWindow(text)).toEqual(window);
});
