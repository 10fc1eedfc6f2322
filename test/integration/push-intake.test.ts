import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { runProgram } from "../peers/process.ts";
import { requirePeer } from "../peers/require-peer.ts";
import type { SyntheticInstance } from "../peers/synthetic-studies.ts";
import { ctStudy, studiesOf, until } from "../support/rehearsal.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

const [hasStorescu, hasDcmsend, hasOrthanc] = [requirePeer("storescu"), requirePeer("dcmsend"), requirePeer("Orthanc")];

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly code: string | null;
  readonly project: string | null;
  readonly instances: number;
}

const RULES = [
  { name: "unwanted", callingAeTitles: ["UNWANTED"], refuse: "Send this to the PACS" },
  { name: "other-trial", callingAeTitles: ["OTHER"], project: "other" },
  { name: "scanners", callingAeTitles: ["CT1", "ORTHANC"], modalities: ["CT"], project: PROJECT },
  { name: "routers", tokens: ["router"], project: PROJECT },
];

/** A site that takes in what is sent, beside an archive that nobody answers for. */
async function startSite(intake: Readonly<Record<string, unknown>> = {}) {
  const [dicomPort, deadPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  const site = await makeSite({
    dicomPort,
    archives: [{ name: "away", address: `AWAY@127.0.0.1:${deadPort}`, retrieve: "get" }],
    moreProjects: ["other"],
    http: { port: httpPort },
    intake: { quietSeconds: 0.5, longestSeconds: 20, rules: RULES, ...intake },
  });
  return { site, dicomPort, httpPort, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

async function filesOf(site: Site, instances: readonly SyntheticInstance[]): Promise<readonly string[]> {
  const folder = join(site.folder, "to-send");
  await mkdir(folder, { recursive: true });
  const files = instances.map(({ sopInstanceUid }) => join(folder, `${sopInstanceUid}.dcm`));
  await Promise.all(instances.map(({ file }, index) => writeFile(files[index] ?? "", file)));
  return files;
}

async function send(
  { site, dicomPort }: Awaited<ReturnType<typeof startSite>>,
  instances: readonly SyntheticInstance[],
  { as = "CT1", by = "storescu" } = {},
) {
  const files = await filesOf(site, instances);
  const args = ["-d", "-aet", as, "-aec", "RADFERRY", "127.0.0.1", String(dicomPort), ...files];
  return await runProgram(by, args, site.folder);
}

/** What sends one instance, and says whether it was acknowledged. */
type Sending = (instance: SyntheticInstance) => Promise<boolean>;

/** By STOW-RS, with a token of its own. */
async function storing({ site, httpPort }: Awaited<ReturnType<typeof startSite>>): Promise<Sending> {
  const { document } = await site.run("token", "create", "router", "--role", "sender");
  const headers = {
    authorization: `Bearer ${String(document.token)}`,
    "content-type": 'multipart/related; type="application/dicom"; boundary=B',
  };
  return async ({ file }) => {
    const body = Buffer.concat([Buffer.from("--B\r\n\r\n"), file, Buffer.from("\r\n--B--")]);
    const url = `http://127.0.0.1:${httpPort}/dicomweb/studies`;
    const answer = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
    return answer?.status === 200;
  };
}

const BY: Readonly<Record<string, (at: Awaited<ReturnType<typeof startSite>>) => Promise<Sending>>> = {
  "C-STORE": async (at) => async (one) => (await send(at, [one])).exitCode === 0,
  "STOW-RS": storing,
};

async function listed(site: Site): Promise<readonly Listed[]> {
  return JSON.parse((await site.run("intake", "list")).stdout);
}

const isDelivered = (count: number) => (studies: readonly { readonly state: string; readonly delivered: number }[]) =>
  studies.length > 0 && studies.every(({ state, delivered }) => state === "delivered" && delivered === count);

const study = ctStudy(71);
const [first, ...others] = study.instances;
if (first === undefined) throw new Error("the study is empty");

describe.skipIf(!hasStorescu)("a site that studies are pushed to", () => {
  it("delivers what a rule gives to a project, and what comes later after it", async () => {
    await using at = await startSite();
    const { site } = at;
    await using _ = await site.serve();
    expect((await send(at, others)).exitCode).toBe(0);
    expect(await until(site, isDelivered(others.length))).toMatchObject([{ verdict: "complete" }]);
    expect((await send(at, [first], hasDcmsend ? { by: "dcmsend" } : {})).exitCode).toBe(0);
    await until(site, isDelivered(study.instances.length));
    expect(await listed(site)).toMatchObject([
      { state: "queued", project: PROJECT, instances: study.instances.length },
    ]);
    const delivered = await readdir(site.delivered, { recursive: true });
    expect(delivered.filter((name) => name.endsWith(".dcm"))).toHaveLength(study.instances.length);
    const { stdout } = await site.run("audit", "verify");
    expect(stdout).toContain("true");
  });

  it("refuses what a rule refuses, with the reason", async () => {
    await using at = await startSite();
    await using service = await at.site.serve();
    const { exitCode, output } = await send(at, [first], { as: "UNWANTED" });
    expect(exitCode).not.toBe(0);
    expect(output).toContain("Send this to the PACS");
    expect(service.log()).toContain("INTAKE_REFUSED");
    expect(await listed(at.site)).toEqual([]);
  });

  it("holds what no rule speaks of until somebody assigns it", async () => {
    await using at = await startSite();
    const { site } = at;
    await using _ = await site.serve();
    expect((await send(at, study.instances, { as: "STRANGER" })).exitCode).toBe(0);
    const [held] = await listed(site);
    expect(held).toMatchObject({ state: "held", code: "INTAKE_NO_RULE", instances: study.instances.length });
    expect(await studiesOf(site)).toEqual([]);
    await site.run("intake", "assign", held?.id ?? "", "--project", PROJECT);
    await until(site, isDelivered(study.instances.length));
    const again = await site.run("intake", "assign", held?.id ?? "", "--project", PROJECT);
    expect(again.stdout + again.stderr).toContain("INTAKE_NOT_HELD");
  });

  it("holds a study that the rules of two projects claim, and forgets it when it is discarded", async () => {
    await using at = await startSite({ quietSeconds: 15 });
    const { site } = at;
    await using _ = await site.serve();
    await send(at, [first]);
    await send(at, others, { as: "OTHER" });
    const [held] = await listed(site);
    expect(held).toMatchObject({ state: "held", code: "INTAKE_RULES_DIFFER" });
    await site.run("intake", "discard", held?.id ?? "");
    expect(await listed(site)).toEqual([]);
    expect(await studiesOf(site)).toEqual([]);
  });

  it.each(Object.entries(BY))(
    "keeps every instance that it acknowledged by %s when it is killed",
    async (_, sendingBy) => {
      await using at = await startSite({ quietSeconds: 1 });
      const { site } = at;
      const isTaken = await sendingBy(at);
      const sent = ctStudy(72, 6);
      const acknowledged = new Set<string>();
      for (let round = 0; acknowledged.size < sent.instances.length; round += 1) {
        const service = await site.serve();
        const rest = sent.instances.filter(({ sopInstanceUid }) => !acknowledged.has(sopInstanceUid));
        const sending = Promise.all(
          rest.map(async (one) => {
            if (await isTaken(one)) acknowledged.add(one.sopInstanceUid);
          }),
        );
        // Three lives are cut short; the one after them is let live.
        if (round < 3) await Promise.race([delay(60 + 90 * round), sending]).then(() => service.kill());
        await sending;
        await service[Symbol.asyncDispose]();
      }
      await using _service = await site.serve();
      const [job] = await until(site, isDelivered(sent.instances.length));
      expect(job).toMatchObject({ verdict: "complete", received: sent.instances.length });
    },
    60_000,
  );

  it.skipIf(!hasOrthanc)("takes what Orthanc routes to it by itself", async () => {
    await using at = await startSite();
    const { site, dicomPort } = at;
    await using _ = await site.serve();
    const script = await site.write(
      "route.lua",
      'function OnStoredInstance(id) SendToModality(id, "destination0") end\n',
    );
    await using orthanc = await startOrthanc({
      aeTitle: "ORTHANC",
      moveDestinations: [{ aeTitle: "RADFERRY", port: dicomPort }],
      configuration: { LuaScripts: [script] },
    });
    for (const { file } of study.instances)
      await fetch(`http://127.0.0.1:${orthanc.httpPort}/instances`, { method: "POST", body: new Uint8Array(file) });
    await until(site, isDelivered(study.instances.length));
  });
});
