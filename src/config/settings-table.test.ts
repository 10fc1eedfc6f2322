import { expect, it } from "vitest";
import { applyOverrides, environmentOverrides } from "./overrides.ts";
import { settingsTable } from "./settings-table.ts";

const rows = settingsTable();

it("names every setting once", () => {
  expect(new Set(rows.map(({ path }) => path)).size).toBe(rows.length);
  expect(rows.find(({ path }) => path === "dicom.aeTitle")?.variable).toBe("RADFERRY__DICOM__AE_TITLE");
});

it.each(rows.map(({ path, variable }) => ({ path, variable })))(
  "has $variable of the environment set $path",
  ({ path, variable }) => {
    const { sources, findings } = applyOverrides({}, environmentOverrides({ [variable]: "1" }));
    expect(findings).toEqual([]);
    const [set = ""] = sources.keys();
    expect(set.replace(/\[0\]$/, "")).toBe(path.replaceAll("[]", "[0]"));
  },
);

it("names each choice once, whatever kinds of thing have the setting", () => {
  const twice = settingsTable().filter(({ type }) => new Set(type.split(" | ")).size < type.split(" | ").length);
  expect(twice.map(({ path }) => path)).toEqual([]);
});
