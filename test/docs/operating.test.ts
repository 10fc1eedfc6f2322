import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { settingsTable } from "../../src/config/settings-table.ts";
import { JOB_STATES } from "../../src/store/job-states.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ROOT } from "../tidy/repository.ts";
import { blocksOf } from "./code-blocks.ts";
import { codeIn, rowsOf } from "./tables.ts";

const page = (name: string) => rowsOf(readFileSync(join(ROOT, "docs", name), "utf8"));

describe("the firewall table", () => {
  const rows = page("operating.md").filter(({ section }) => section === "Firewall");
  const settings = new Map(settingsTable().map((row) => [row.path, row]));

  it("names settings that there are, and their ports", () => {
    expect(rows.length).toBeGreaterThan(8);
    for (const { cells } of rows) {
      const [path] = codeIn(cells.get("setting"));
      if (path === undefined) continue;
      const setting = settings.get(path);
      expect(setting, path).toBeDefined();
      const usual = Number.parseInt(setting?.default ?? "", 10);
      if (!Number.isNaN(usual)) expect(cells.get("port"), path).toBe(String(usual));
    }
  });

  it("leaves out no port that a setting opens or goes to", () => {
    const named = new Set(rows.flatMap(({ cells }) => codeIn(cells.get("setting"))));
    const ports = [...settings.keys()].filter((path) => /(?:^|\.)port$/.test(path));
    expect(ports.filter((path) => !named.has(path))).toEqual([]);
  });

  it("has the API's port, which has no default in the settings", () => {
    const api = rows.find(({ cells }) => codeIn(cells.get("setting")).includes("http.port"));
    expect(settings.get("http.port")?.description).toContain(`Left out: ${api?.cells.get("port")},`);
  });
});

it("shows the letter that doctor prints", async () => {
  await using folder = await temporaryFolder();
  const [settings = ""] = blocksOf("operating.md", "yaml");
  const [letter = ""] = blocksOf("operating.md", "text");
  // Nobody answers there, at once.
  const here = settings.replace("@10.0.0.5:104", "@127.0.0.1:1");
  await writeFile(join(folder.path, "radferry.yaml"), `home: home\nstaging: { reserveGigabytes: 0 }\n${here}`);
  const doctor = promisify(execFile)(join(ROOT, "bin/radferry"), ["doctor"], { cwd: folder.path });
  const { stdout } = await doctor.catch((thrown: { readonly stdout: string }) => thrown);
  expect(stdout).toContain(`For the administrator of vna:\n  ${letter.replace("10.0.0.5:104", "127.0.0.1:1")}`);
});

it("explains every state that users see, the open ones first", () => {
  const states = page("glossary.md").flatMap(({ cells }) => codeIn(cells.get("state")));
  expect(states).toEqual(expect.arrayContaining(Object.keys(JOB_STATES)));
  expect(states.slice(0, 3).map((state) => Reflect.get(JOB_STATES, state))).toEqual([
    { done: false },
    { done: false },
    { done: false },
  ]);
  expect(states).toHaveLength(Object.keys(JOB_STATES).length);
});
