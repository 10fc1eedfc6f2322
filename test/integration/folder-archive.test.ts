import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import type { StatusDocument } from "../../src/operations/documents.ts";
import { runProgram } from "../peers/process.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { writeZip } from "../peers/xnat/zip.ts";
import { runCli } from "../support/cli.ts";
import { openService, type Service } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const small = { rows: 4, columns: 4 } as const;
const ZIPPED = syntheticStudy({ ...small, seed: 911, modality: "CT", instancesPerSeries: 3 });
const ON_MEDIUM = syntheticStudy({ ...small, seed: 912, modality: "MR", series: 2, instancesPerSeries: 2 });
const DAMAGED = syntheticStudy({ ...small, seed: 913, modality: "CT", instancesPerSeries: 4 });
const LATE = syntheticStudy({ ...small, seed: 914, modality: "CT", instancesPerSeries: 2 });

const opened = new AsyncDisposableStack();
afterAll(() => opened.disposeAsync());

async function put(path: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/** A medium as vendors write it: names of eight capitals and digits, and a DICOMDIR that lists them. PS3.10 8.2, 8.6. */
async function burn(folder: string, { instances }: SyntheticStudy): Promise<void> {
  for (const [number, { file }] of instances.entries()) await put(join(folder, "DICOM", `IM${number}`), file);
  const args = ["+r", "+id", folder, "+D", join(folder, "DICOMDIR"), "-Pgp", "DICOM"];
  const { exitCode, output } = await runProgram("dcmmkdir", args, folder);
  if (exitCode !== 0) throw new Error(output);
}

describe.skipIf(!requirePeer("dcmmkdir"))("a service whose archive is a folder of vendors' exports", () => {
  let service: Service;
  let [lake, delivered] = ["", ""];

  beforeAll(async () => {
    const { path } = opened.use(await temporaryFolder());
    [lake, delivered] = [join(path, "lake"), join(path, "delivered")];
    const entries = ZIPPED.instances.map(({ file }, number) => ({ name: `export/IMG${number}.dcm`, bytes: file }));
    await put(join(lake, "2026", "export.zip"), writeZip(entries));
    await burn(join(lake, "disc-1"), ON_MEDIUM);
    await burn(join(lake, "disc-2"), DAMAGED);
    await rm(join(lake, "disc-2", "DICOM", "IM1"));
    service = opened.use(
      await openService({
        settings: {
          retry: { attempts: 2, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.2 },
          archives: [{ name: "exports", kind: "folder", path: lake }],
          destinations: [{ name: "research-store", kind: "folder", path: delivered }],
          projects: [
            {
              ...{ name: "trial", archives: ["exports"], destinations: ["research-store"], profile: "research" },
              keyFile: "trial.key",
            },
          ],
        },
        files: { "trial.key": "0123456789abcdef".repeat(4) },
      }),
    );
  });

  /** Hands studies in by the verb, and waits for their end. */
  async function ferried(...studies: readonly SyntheticStudy[]): Promise<StatusDocument> {
    const wanted = studies.map(({ studyInstanceUid }) => studyInstanceUid);
    await writeFile(join(service.folder, "wanted.csv"), `study_instance_uid\n${wanted.join("\n")}\n`);
    const submit = ["cohort", "submit", "wanted.csv", "--project", "trial", "--json"];
    const { stdout } = await runCli(submit, { workingFolder: service.folder, openGateway });
    const { cohort }: { readonly cohort: string } = JSON.parse(stdout);
    return await vi.waitFor(
      async () => {
        const status = await service.gateway.operations.cohortStatus(cohort);
        expect(status.done).toBe(true);
        return status;
      },
      { timeout: 30_000, interval: 50 },
    );
  }

  async function deliveredInstances(): Promise<number> {
    const names = await readdir(delivered, { recursive: true });
    return names.filter((name) => name.endsWith(".dcm")).length;
  }

  it("delivers what lies in a zip and on a medium, and holds back what a DICOMDIR lists and nobody has", async () => {
    expect(await ferried(ZIPPED, ON_MEDIUM, DAMAGED)).toMatchObject({ total: 3, states: { delivered: 2, held: 1 } });
    expect(await deliveredInstances()).toBe(ZIPPED.instances.length + ON_MEDIUM.instances.length);
  });

  it("keeps what it knows of the folder for its owner alone, and finds what came while it was stopped", async () => {
    const index = join(service.folder, "home", "archives", "exports.index");
    expect((await stat(index)).mode & 0o777).toBe(0o600);
    await put(join(service.folder, "home", "archives", "former.index"), "of an archive that is none any more");
    for (const [number, { file }] of LATE.instances.entries()) await put(join(lake, "late", `${number}.dcm`), file);
    const before = await deliveredInstances();
    await service.restart();
    expect(await ferried(LATE)).toMatchObject({ states: { delivered: 1 } });
    expect(await deliveredInstances()).toBe(before + LATE.instances.length);
    expect(await readdir(dirname(index))).toEqual(["exports.index"]);
  });
});
