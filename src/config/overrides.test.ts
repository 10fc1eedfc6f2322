import { expect, it } from "vitest";
import { applyOverrides, environmentOverrides } from "./overrides.ts";

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
