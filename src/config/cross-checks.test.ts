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

/** What is wrong with settings, each of which is right by itself. */
function wrongTogether(settings: Readonly<Record<string, unknown>>): readonly string[] {
  const findings = crossCheck(readLoosely({ home: "/srv/home", ...settings }, "/srv"));
  return findings.map(({ path, code }) => `${path.join(".")} ${code}`);
}

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
  for (const path of ["/fast", "/fast/staging", "/fast/staging/out", "home"])
    expect(problemsOf(path, { path: "/fast/staging" })).toEqual(["destinations.0.path SETTING_INVALID"]);
});

it("takes one beside them, in home too", () => {
  for (const path of ["research", "home/delivered", "home/outbox-of-ours", "homes"])
    expect(problemsOf(path)).toEqual([]);
});

it.each<readonly [string, Readonly<Record<string, unknown>>, readonly string[]]>([
  [
    "two destinations of one name",
    {
      destinations: [
        { name: "d", kind: "folder", path: "a" },
        { name: "d", kind: "folder", path: "b" },
      ],
    },
    ["destinations.1.name SETTING_DUPLICATE"],
  ],
  [
    "two rules of one name, of which the second names no project and no archive that is there",
    {
      archives: [{ name: "vna", kind: "dimse", retrieve: "get" }],
      projects: [{ name: "lung", archives: ["vna"] }],
      intake: {
        rules: [
          { name: "r", project: "lung", archive: "vna" },
          { name: "r", project: "heart", archive: "pacs" },
        ],
      },
    },
    [
      "intake.rules.1.name SETTING_DUPLICATE",
      "intake.rules.1.project SETTING_REFERENCE_UNKNOWN",
      "intake.rules.1.archive SETTING_REFERENCE_UNKNOWN",
    ],
  ],
  [
    "a project that gets studies from nowhere",
    { projects: [{ name: "lung" }, { name: "heart" }], intake: { rules: [{ name: "r", project: "lung" }] } },
    ["projects.1.archives SETTING_INVALID"],
  ],
  [
    "an archive that is searched through itself, or one like it",
    {
      archives: [
        { name: "xds", kind: "rad69", search: "xds" },
        { name: "other", kind: "rad69", search: "vna" },
        { name: "vna", kind: "dicomweb" },
      ],
    },
    ["archives.0.search SETTING_REFERENCE_UNKNOWN"],
  ],
  ["delays of one length", { retry: { firstDelaySeconds: 5, maximumDelaySeconds: 5 } }, []],
  [
    "any free port, where no archive sends to it",
    { dicom: { port: 0 }, archives: [{ name: "vna", kind: "dimse", retrieve: "get" }] },
    [],
  ],
  [
    "no port, where there is none without TLS",
    {
      dicom: { port: 0, tls: { only: true, port: 2_762, certificateFile: "c" } },
      archives: [{ name: "vna", kind: "dimse", retrieve: "move" }],
    },
    [],
  ],
  ["any free port for both listeners", { dicom: { port: 0, tls: { port: 0 } } }, []],
])("tells of %s what is wrong", (_, settings, expected) => {
  expect(wrongTogether(settings)).toEqual(expected);
});
