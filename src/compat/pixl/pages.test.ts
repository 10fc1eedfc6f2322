import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, it } from "vitest";
import { ROOT } from "../../../test/tidy/repository.ts";
import { readPixlSettings, usualEnvironment } from "./settings.ts";

/** Read by the program itself. */
const HOME = ["RADFERRY_HOME", "/var/lib/radferry"] as const;
/** PIXL's compose file says where; the rest of the world is this machine. */
const TIME_ZONE = "Europe/London";
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

it("has every name that is read in the sample, with what is taken where it is missing", () => {
  const sample = parseEnv(read("deploy/pixl/.env.sample"));
  const usual = Object.fromEntries([...usualEnvironment(), HOME]);
  const expected = Object.fromEntries(Object.entries(usual).map(([name, value]) => [name, value ?? ""]));
  expect(sample).toEqual({ ...expected, TZ: TIME_ZONE });
});

it("has every name that is read in the page's tables, with what is taken where it is missing", () => {
  const rows = [...read("docs/pixl.md").matchAll(/^\| `([A-Z_]+)` \| (.*?) ?\|/gm)];
  const usual = Object.fromEntries([...usualEnvironment(), HOME]);
  const expected = Object.fromEntries(Object.entries(usual).map(([name, value]) => [name, value ?? "needed"]));
  expect(Object.fromEntries(rows.map(([, name = "", value = ""]) => [name, value]))).toEqual(expected);
});

it("starts with PIXL's own sample, once that is filled in", () => {
  const sample = parseEnv(read("deploy/pixl/.env.sample"));
  const filled = Object.fromEntries(
    [...usualEnvironment()].flatMap(([name, value]) => (value === undefined ? [[name, valueFor(name)]] : [])),
  );
  const settings = readPixlSettings({ ...sample, ...filled });
  expect([settings.maximumInFlight, settings.handsOver, settings.timeZone]).toEqual([5, false, TIME_ZONE]);
});

function valueFor(name: string): string {
  if (name.endsWith("_URL")) return "http://orthanc:8042";
  return name === "PIXL_MAX_MESSAGES_IN_FLIGHT" ? "5" : "NAME";
}
