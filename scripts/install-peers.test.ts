import { describe, expect, it } from "vitest";
import { type Machine, providePeers } from "./install-peers.ts";

interface Trial {
  readonly machine: Machine;
  readonly lines: string[];
  readonly commands: string[];
}

/** A root's Debian that lacks dcmtk, has pynetdicom, and where installing works. */
function makeTrial(overrides: Partial<Machine> = {}): Trial {
  const [lines, commands]: [string[], string[]] = [[], []];
  const missing = new Set(["dcmtk"]);
  const machine: Machine = {
    isMissing: (name) => missing.has(name),
    isDebian: true,
    isRoot: true,
    environment: {},
    run: (program, args) => {
      commands.push([program, ...args].join(" "));
      for (const argument of args) missing.delete(argument);
      return true;
    },
    findPython: () => "python3",
    hasPythonPeers: () => true,
    makePythonPeers: (python) => {
      commands.push(`${python} makes the virtual environment`);
      return true;
    },
    print: (line) => {
      lines.push(line);
    },
    ...overrides,
  };
  return { machine, lines, commands };
}

it("says in one line what it installs, and installs what is missing", () => {
  const { machine, lines, commands } = makeTrial();
  expect(providePeers(machine)).toBe(true);
  expect(lines).toEqual(["installing the Debian packages dcmtk as test peers (RADFERRY_NO_INSTALL=1 declines)"]);
  expect(commands).toEqual(["apt-get update -qq", "apt-get install -y -qq --no-install-recommends dcmtk"]);
});

it("says and does nothing when all are there", () => {
  const { machine, lines, commands } = makeTrial({ isMissing: () => false });
  expect(providePeers(machine)).toBe(true);
  expect([...lines, ...commands]).toEqual([]);
});

describe("installs nothing, and names what is missing with how to get it,", () => {
  it.each<readonly [string, Partial<Machine>]>([
    ["when declined", { environment: { RADFERRY_NO_INSTALL: "1" } }],
    ["when it is not root", { isRoot: false }],
    ["when this is no Debian", { isDebian: false }],
  ])("%s", (_, overrides) => {
    const { machine, lines, commands } = makeTrial(overrides);
    expect(providePeers(machine)).toBe(true);
    expect(lines).toEqual(["missing test peer dcmtk: its tests are skipped (Debian: apt-get install dcmtk)"]);
    expect(commands).toEqual([]);
  });
});

it("goes on without a peer that could not be installed", () => {
  const { machine, lines } = makeTrial({ run: () => false });
  expect(providePeers(machine)).toBe(true);
  expect(lines.at(-1)).toContain("missing test peer dcmtk");
});

it("fails with CI=true when one is missing", () => {
  const { machine, lines } = makeTrial({ isRoot: false, environment: { CI: "true" } });
  expect(providePeers(machine)).toBe(false);
  expect(lines).toEqual(["missing test peer dcmtk: CI=true needs it (Debian: apt-get install dcmtk)"]);
});

describe("pynetdicom", () => {
  const absent = { isMissing: () => false, hasPythonPeers: () => false };
  const SKIPPED =
    "missing test peer pynetdicom: its tests are skipped (needs python3 3.10 with venv, and pip's package index)";

  it("is installed by any user, after one line that says so", () => {
    const { machine, lines, commands } = makeTrial({ ...absent, isRoot: false, isDebian: false });
    expect(providePeers(machine)).toBe(true);
    expect(lines).toEqual([
      "installing pynetdicom as a test peer into node_modules/.cache (RADFERRY_NO_INSTALL=1 declines)",
    ]);
    expect(commands).toEqual(["python3 makes the virtual environment"]);
  });

  it("gets the Python it needs from Debian", () => {
    const { machine, commands } = makeTrial({ ...absent, findPython: () => undefined });
    providePeers(machine);
    expect(commands.at(-1)).toBe("apt-get install -y -qq --no-install-recommends python3-venv");
  });

  it.each<readonly [string, Partial<Machine>]>([
    ["when declined", { environment: { RADFERRY_NO_INSTALL: "1", CI: "true" } }],
    ["when there is no Python", { isRoot: false, findPython: () => undefined }],
    ["when pip fails, even with CI=true", { makePythonPeers: () => false, environment: { CI: "true" } }],
  ])("is skipped by name %s", (_, overrides) => {
    const { machine, lines } = makeTrial({ ...absent, ...overrides });
    expect(providePeers(machine)).toBe(true);
    expect(lines.at(-1)).toBe(SKIPPED);
  });
});
