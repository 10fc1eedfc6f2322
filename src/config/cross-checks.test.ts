import { expect, it } from "vitest";
import { crossCheck } from "./cross-checks.ts";
import { readLoosely } from "./loose-settings.ts";

const CLEARED = [
  "archives",
  "ftps",
  "hooks",
  "keys",
  "outbox",
  "searches",
  "sftp",
  "staging",
  "uploads",
  "zip",
] as const;

/** What is wrong with a folder that studies are delivered to, beside the home /srv/home. */
function problemsOf(path: string, staging = {}): readonly string[] {
  const destinations = [{ name: "research", kind: "folder", path }];
  const settings = readLoosely({ home: "/srv/home", staging, destinations }, "/srv");
  return crossCheck(settings).map((finding) => `${finding.path.join(".")} ${finding.code}`);
}

it.each(CLEARED)("refuses a destination in home/%s, which the gateway clears by itself", (name) => {
  for (const path of [`home/${name}`, `home/${name}/below`, `home/x/../${name}`])
    expect(problemsOf(path)).toEqual(["destinations.0.path SETTING_INVALID"]);
});

it("refuses a destination that home or staging lies in, and one in staging", () => {
  for (const path of ["/", "/srv", "home"]) expect(problemsOf(path)).toEqual(["destinations.0.path SETTING_INVALID"]);
  expect(problemsOf("/fast/staging/out", { path: "/fast/staging" })).toEqual(["destinations.0.path SETTING_INVALID"]);
});

it("takes one beside them, in home too", () => {
  for (const path of ["research", "home/delivered", "home/outbox-of-ours", "homes"])
    expect(problemsOf(path)).toEqual([]);
});
