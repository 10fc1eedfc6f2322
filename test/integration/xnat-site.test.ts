import { chmod } from "node:fs/promises";

import { describe, expect, it } from "vitest";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type PracticeXnat, startXnat } from "../peers/xnat/start-xnat.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

const STUDIES = [
  syntheticStudy({ seed: 641, modality: "CT", series: 2, instancesPerSeries: 3 }),
  syntheticStudy({ seed: 642, modality: "MR", instancesPerSeries: 2 }),
];

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly code?: string;
  readonly message: string;
}

/** A trust's XNAT to fetch through, another one to deliver to, and a site between them. */
async function scene() {
  const opened = new AsyncDisposableStack();
  const trust = opened.use(await startXnat({ studies: STUDIES, projects: ["landing"] }));
  const research = opened.use(await startXnat({ projects: [PROJECT] }));
  const user = { username: "radferry", passwordFile: "password" };
  const site = opened.use(
    await makeSite({
      archives: [
        { name: "trust", kind: "xnat-dqr", url: trust.url, project: "landing", receiver: "XNAT:8104", ...user },
      ],
      dicomPort: 0,
      moreDestinations: [{ name: "research", kind: "xnat", url: research.url, ...user }],
      project: { profile: "basic" },
      retry: { attempts: 2, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.1 },
    }),
  );
  await chmod(await site.write("password", `${trust.password}\n`), 0o600);
  return { trust, research, site, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function failedChecks(site: Site): Promise<readonly string[]> {
  const { document } = await site.run("doctor");
  return (document.checks as readonly Check[]).filter(({ ok }) => !ok).map(({ check, code }) => `${check}: ${code}`);
}

function texts(xnat: PracticeXnat): string {
  return JSON.stringify(
    [...xnat.state.projects.values()].flatMap(({ subjects, experiments }) => [
      ...subjects.keys(),
      ...[...experiments.values()].map(({ label, scans, uid }) => [
        label,
        uid,
        [...scans.values()].map((scan) => scan.uid),
      ]),
    ]),
  );
}

describe("a site between two XNATs", () => {
  it("fetches through one by DQR, and delivers to the other under pseudonyms alone", async () => {
    await using opened = await scene();
    const { site, trust, research } = opened;
    const rows = STUDIES.map(({ accessionNumber, patientId }) => `${accessionNumber},${patientId}`);
    const cohort = await site.write("cohort.csv", ["accession_number,patient_id", ...rows, ""].join("\n"));
    const { document } = await site.run("cohort", "submit", cohort, "--project", PROJECT, "--wait");
    expect(document).toMatchObject({ accepted: 2, states: { delivered: 2 }, done: true });
    const { document: jobs } = await site.run("study", "list");
    expect(jobs).toMatchObject([
      { verdict: "complete", expected: 6, received: 6, delivered: 6 },
      { verdict: "complete", expected: 2, received: 2, delivered: 2 },
    ]);
    expect(trust.requests.filter((line) => line === "POST /xapi/dqr/import")).toHaveLength(2);
    expect(research.state.projects.get(PROJECT)?.experiments.size).toBe(2);
    const told = texts(research) + research.requests.join(" ");
    for (const identifier of STUDIES.flatMap(({ identifiers }) => identifiers)) expect(told).not.toContain(identifier);
    // Sessions are ended with the work.
    expect([trust.logins.count, research.logins.count]).toEqual([0, 0]);
  });

  it("asks XNATs in doctor what only they can get wrong (W12)", async () => {
    await using opened = await scene();
    const { site, trust, research } = opened;
    expect(await failedChecks(site)).toEqual([]);
    const [receiver] = trust.state.receivers;
    const [pacs] = trust.state.pacs;
    const landing = trust.state.projects.get("landing");
    if (receiver !== undefined) receiver.customProcessing = false;
    if (landing !== undefined) landing.dqrEnabled = false;
    pacs?.availability.splice(0);
    trust.switches.clockSkewMs = 300_000;
    research.state.projects.clear();
    expect(await failedChecks(site)).toEqual([
      "archive trust lets its project import by DQR: XNAT_PROJECT_NOT_ENABLED",
      "archive trust has a receiver for what DQR imports: XNAT_RECEIVER_UNSUITABLE",
      "archive trust has opening hours for the PACS behind it: XNAT_PACS_CLOSED",
      "archive trust has our time: XNAT_CLOCK_DIFFERS",
      `destination research has the project ${PROJECT}: XNAT_PROJECT_MISSING`,
    ]);
  });

  it("says what a user without the role lacks", async () => {
    await using opened = await scene();
    const { site, trust } = opened;
    trust.state.users.get("radferry")?.roles.clear();
    trust.switches.pacsAnswers = false;
    const failed = await failedChecks(site);
    expect(failed).toContain("archive trust has DQR, and lets our user use it: XNAT_DQR_FORBIDDEN");
    expect(failed).toContain("archive trust reaches the PACS behind it: XNAT_PACS_SILENT");
  });
});
