import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findPythonPeers, PYTHON_PACKAGES } from "../test/peers/python-peers.ts";
import { findPython, makePythonPeers, type RunProgram } from "./python-peers.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "python-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Makes what `python -m venv` makes, as far as it matters here. */
const makeInterpreter: RunProgram = (program, args) => {
  if (args.includes("venv") && program === "python3.12") {
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin", "python"), "");
  }
  return true;
};

it("takes the first Python that is new enough and can make virtual environments", () => {
  expect(findPython((interpreter) => interpreter.startsWith("python3.1"))).toBe("python3.14");
  expect(findPython(() => false)).toBeUndefined();
});

it("installs pinned packages into a virtual environment that is then found", () => {
  const commands: string[] = [];
  const isMade = makePythonPeers(folder, "python3.12", (program, args) => {
    commands.push([program, ...args].join(" "));
    return makeInterpreter(program, args);
  });
  expect(isMade).toBe(true);
  expect(commands[0]).toBe(`python3.12 -m venv --clear ${folder}`);
  expect(commands[1]).toMatch(new RegExp(`^${folder}/bin/python -m pip install .* ${PYTHON_PACKAGES.join(" ")}$`));
  expect(findPythonPeers(folder)).toBe(join(folder, "bin", "python"));
});

it("finds no virtual environment that pip could not fill", () => {
  const isMade = makePythonPeers(
    folder,
    "python3.12",
    (program, args) => makeInterpreter(program, args) && !args.includes("pip"),
  );
  expect(isMade).toBe(false);
  expect(findPythonPeers(folder)).toBeUndefined();
});

it("finds none that holds other versions", () => {
  makePythonPeers(folder, "python3.12", makeInterpreter);
  writeFileSync(join(folder, "radferry-packages.txt"), "pynetdicom==2.1.1");
  expect(findPythonPeers(folder)).toBeUndefined();
});
