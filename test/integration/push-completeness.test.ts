import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { runProgram } from "../peers/process.ts";
import { requirePeer } from "../peers/require-peer.ts";
import type { SyntheticInstance } from "../peers/synthetic-studies.ts";
import { ctStudy, until } from "../support/rehearsal.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

const study = ctStudy(73);
const [, ...others] = study.instances;
const RULE = { name: "scanners", project: PROJECT, archive: "practice" };
/** The archive is asked after the first, and waited for until the second. */
const PATIENCE = { quietSeconds: 0.5, longestSeconds: 3 };
const NEVER_SO_LONG = { quietSeconds: 0.5, longestSeconds: 600 };

interface PushedTo {
  readonly site: Site;
  send(instances: readonly SyntheticInstance[]): Promise<void>;
  /** Of the only job: what its timeline has of the archive. */
  said(): Promise<unknown>;
}

/** A site that asks an archive, which has the whole study unless it is told otherwise. */
async function withSite(
  {
    intake,
    studies = [study],
    project = {},
    archive: start = () => startPracticeArchive({ studies }),
  }: {
    readonly intake: Readonly<Record<string, unknown>>;
    readonly studies?: readonly (typeof study)[];
    readonly project?: Readonly<Record<string, unknown>>;
    readonly archive?: () => Promise<Pick<PracticeArchive, "address"> & AsyncDisposable>;
  },
  use: (at: PushedTo) => Promise<void>,
): Promise<void> {
  await using archive = await start();
  const dicomPort = await freePort();
  await using site = await makeSite({
    dicomPort,
    archives: [{ name: "practice", address: archive.address, retrieve: "get" }],
    project: { archives: [], ...project },
    intake: { ...intake, rules: [RULE] },
  });
  const folder = join(site.folder, "to-send");
  await mkdir(folder);
  await using _ = await site.serve();
  await use({
    site,
    async send(instances) {
      const files = instances.map(({ sopInstanceUid }) => join(folder, `${sopInstanceUid}.dcm`));
      await Promise.all(instances.map(({ file }, index) => writeFile(files[index] ?? "", file)));
      const args = ["-aet", "CT1", "-aec", "RADFERRY", "127.0.0.1", String(dicomPort), ...files];
      expect((await runProgram("storescu", args, site.folder)).exitCode).toBe(0);
    },
    async said() {
      const [job] = JSON.parse((await site.run("study", "list")).stdout);
      const { document } = await site.run("study", "show", job.id);
      const events = document.events as readonly { readonly detail: { readonly archive?: string } }[];
      return events.map(({ detail }) => detail).filter(({ archive }) => archive === "practice");
    },
  });
}

const isAt = (state: string) => (studies: readonly { readonly state: string }[]) => studies[0]?.state === state;

describe.skipIf(!requirePeer("storescu"))("a site that asks an archive how much a pushed study should hold", () => {
  it("waits beyond the quiet period for what the archive has more, and not for longer", async () => {
    await withSite({ intake: NEVER_SO_LONG }, async ({ site, send, said }) => {
      await send(others);
      const open = async () => JSON.parse((await site.run("intake", "list")).stdout);
      const { length } = study.instances;
      await expect.poll(open, { timeout: 10_000 }).toMatchObject([{ state: "open", expected: length }]);
      await send(study.instances);
      const [job] = await until(site, isAt("delivered"));
      expect(job).toMatchObject({ verdict: "complete", expected: length, delivered: length });
      expect(await said()).toMatchObject([{ listed: length, missing: 0 }]);
    });
  });

  it.each([
    ["delivers it as partial", "deliver", "delivered"],
    ["holds it", "hold", "held"],
  ])("%s by the project's choice when what is missing never comes", async (_, partial, state) => {
    await withSite({ intake: PATIENCE, project: { partial } }, async ({ site, send, said }) => {
      await send(others);
      const [job] = await until(site, isAt(state));
      const [expected, received] = [study.instances.length, others.length];
      expect(job).toMatchObject({ verdict: "partial", expected, received });
      expect(await said()).toMatchObject([{ listed: expected, missing: 1 }]);
    });
  });

  it("goes by what it has when the archive has less", async () => {
    const less = { ...study, instances: others };
    await withSite({ intake: NEVER_SO_LONG, studies: [less] }, async ({ site, send, said }) => {
      await send(study.instances);
      const [job] = await until(site, isAt("delivered"));
      expect(job).toMatchObject({ verdict: "complete", expected: study.instances.length });
      expect(await said()).toMatchObject([{ listed: others.length, instances: study.instances.length }]);
    });
  });

  it("goes by the quiet period when the archive is down, and says so", async () => {
    const address = `AWAY@127.0.0.1:${await freePort()}`;
    const archive = async () => ({ address, [Symbol.asyncDispose]: () => Promise.resolve() });
    await withSite({ intake: NEVER_SO_LONG, archive }, async ({ site, send, said }) => {
      await send(others);
      expect(await until(site, isAt("delivered"))).toMatchObject([{ verdict: "complete" }]);
      expect(await said()).toMatchObject([{ code: "CONNECTION_FAILED" }]);
    });
  });
});
