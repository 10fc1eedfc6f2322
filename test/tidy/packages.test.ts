import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isPermissive, licenceOf, mayServeTests, packagesWithHost, refusedLicences } from "./packages.ts";
import { ROOT } from "./repository.ts";

function json(path: string) {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8"));
}

const { dependencies, devDependencies, engines } = json("package.json");

describe("this repository", () => {
  it.each(Object.keys(dependencies))("may use %s", (name) => {
    expect(licenceOf(json(`node_modules/${name}/package.json`))).toSatisfy(isPermissive);
  });

  it.each(Object.keys(devDependencies))("may be made with %s", (name) => {
    expect(licenceOf(json(`node_modules/${name}/package.json`))).toSatisfy(mayServeTests);
  });

  it.each(["package-lock.json", "scripts/reference/package-lock.json"])(
    "leaves the registry to whoever installs by %s",
    (path) => {
      expect(packagesWithHost(json(path)), "run npm with omit-lockfile-registry-resolved").toEqual([]);
    },
  );

  it("is installed with permissive packages only", () => {
    const packageFile = (path: string) => json(`${path}/package.json`);
    expect(refusedLicences(json("package-lock.json"), packageFile)).toEqual([]);
  });

  it("asks for the Node that it needs", () => {
    expect(engines.node).toBe(">=24");
  });

  it("is judged by the command that developers run", () => {
    expect(readFileSync(join(ROOT, ".ci/run"), "utf8")).toMatch(/^npm test$/m);
  });
});

describe("the checks", () => {
  it.each(["MIT", "MIT OR GPL-3.0-only", "(Apache-2.0 AND MIT)"])("let %s pass", (licence) => {
    expect(isPermissive(licence)).toBe(true);
  });

  it("let tests use what the product may not be made of", () => {
    expect(["MPL-2.0", "GPL-3.0-only"].map(mayServeTests)).toEqual([true, false]);
    expect(isPermissive("MPL-2.0")).toBe(false);
  });

  it.each(["GPL-3.0-only", "MIT AND AGPL-3.0-only", "UNLICENSED", ""])("refuse %j", (licence) => {
    expect(isPermissive(licence)).toBe(false);
  });

  it("find a package that names its host", () => {
    const packages = { "": {}, "node_modules/a": { resolved: "https://example.org/a.tgz" }, "node_modules/b": {} };
    expect(packagesWithHost({ packages })).toEqual(["node_modules/a"]);
  });

  it("find an installed package under another licence, not one for development", () => {
    const packages = {
      "": {},
      "node_modules/a": { license: "GPL-3.0-only" },
      "node_modules/b": { dev: true },
      "node_modules/old": {},
      "node_modules/silent": {},
    };
    const packageFile = (path: string) => (path.endsWith("old") ? { licenses: [{ type: "MIT" }] } : {});
    expect(refusedLicences({ packages }, packageFile)).toEqual([
      "node_modules/a: GPL-3.0-only",
      "node_modules/silent: no licence",
    ]);
  });
});
