import { expect, it } from "vitest";
import { checkSettings, loadSettings } from "./load-settings.ts";
import { applyOverrides, environmentOverrides } from "./overrides.ts";

/** An archive of a list, as the environment has it. */
const archive = (number: number): Readonly<Record<string, string>> => ({
  [`RADFERRY__ARCHIVES__${number}__NAME`]: `a${number}`,
  [`RADFERRY__ARCHIVES__${number}__KIND`]: "dimse",
  [`RADFERRY__ARCHIVES__${number}__ADDRESS`]: `A${number}@h:104`,
});

it("takes the items of a list from the environment by their numbers, of however many digits", async () => {
  const numbers = [10, 0, 9, 1, 8, 2, 7, 3, 6, 4, 5];
  const environment: Readonly<Record<string, string>> = Object.assign({}, ...numbers.map(archive));
  const { settings } = await loadSettings({ environment, cwd: "/no/such/folder" });
  expect(settings.archives.map(({ name }) => name)).toEqual(numbers.map((_, number) => `a${number}`));
});

it("takes none that would leave a gap", async () => {
  const environment = { ...archive(0), ...archive(2) };
  const { problems } = await checkSettings({ environment, cwd: "/no/such/folder" });
  expect(problems.map(({ path, code }) => `${path} ${code}`)).toEqual(
    ["address", "kind", "name"].map((name) => `archives[2].${name} SETTING_INVALID`),
  );
});

it.each([
  ["/data/study #1", "/data/study #1"],
  ["/data/a: b", "/data/a: b"],
  ["& co", "& co"],
  ["!raw data", "!raw data"],
  ["0042", "0042"],
  ["'/data/in quotes'", "/data/in quotes"],
  [" /data/x\r", "/data/x"],
])("takes a text of the environment as it is written: %j", (written, path) => {
  const overrides = environmentOverrides({ RADFERRY__DESTINATIONS__0__PATH: written });
  const { values, findings } = applyOverrides({ destinations: [{ name: "store", kind: "folder" }] }, overrides);
  expect(findings).toEqual([]);
  expect(values).toMatchObject({ destinations: [{ path }] });
});
