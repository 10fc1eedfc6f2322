import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { readPart10File } from "../../src/dicom/reader.ts";
import { numberOf } from "../../src/dicom/values.ts";
import type { StudyDocument } from "../../src/operations/documents.ts";
import { findLaunch } from "../../src/pipeline/hook/isolation.ts";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { findPythonPeers, requirePythonPeers } from "../peers/python-peers.ts";
import { ctStudy, submit, withArchive } from "../support/rehearsal.ts";
import { openService, type Service } from "../support/service.ts";
import { ROOT } from "../tidy/repository.ts";

const isolated = (await findLaunch({ network: "none", maximumOutputBytes: 1e6 })) !== undefined;
/** Where nothing else is asked for, machines without namespaces run these tests too. */
const network = isolated ? "none" : "allowed";

interface Scene extends AsyncDisposable {
  readonly service: Service;
  /** The one study of its archive, when it is in this state. */
  until(state: string): Promise<StudyDocument>;
  delivered(extension: string): Promise<readonly string[]>;
}

/** A service with the hook, which has been asked for a CT study of two instances. */
async function openScene(
  hook: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>> = {},
): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const study = ctStudy(811, 2);
  const port = await freePort();
  const archive = opened.use(
    await startPracticeArchive({ studies: [study], destinations: [`RADFERRY@127.0.0.1:${port}`] }),
  );
  const settings = {
    dicom: { port },
    retry: { attempts: 3, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.2 },
    archives: [{ name: "practice", kind: "dimse", address: archive.address, retrieve: "move" }],
    destinations: [{ name: "store", kind: "folder", path: "store" }],
    projects: [
      {
        ...{ name: "trial", archives: ["practice"], destinations: ["store"], profile: "research", keyFile: "key" },
        hook: { network, ...hook },
      },
    ],
  };
  const service = opened.use(
    await openService({ settings, files: { key: `${"0123456789abcdef".repeat(4)}\n`, ...files } }),
  );
  const { operations } = service.gateway;
  const list = join(service.folder, "wanted.csv");
  await writeFile(list, `study_instance_uid\n${study.studyInstanceUid}\n`);
  await operations.submitCohort(list, "trial", {});
  const closing = opened.move();
  return {
    service,
    async until(state) {
      for (let look = 0; look < 1_000; look += 1) {
        const [found] = await Array.fromAsync(operations.listStudies({}));
        if (found?.state === state) return await operations.showStudy(found.id);
        await delay(20);
      }
      throw new Error(`the study was never ${state}`);
    },
    async delivered(extension) {
      const folder = join(service.folder, "store");
      const names = await readdir(folder, { recursive: true });
      return names.filter((name) => name.endsWith(extension)).map((name) => join(folder, name));
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Whether a process with the word in its command line is there. */
async function isRunning(word: string): Promise<boolean> {
  const lines = await Promise.all(
    (await readdir("/proc")).map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.some((line) => line.includes(word));
}

async function reportOf(scene: Scene) {
  const [path = ""] = await scene.delivered("radferry-report.json");
  return JSON.parse(await readFile(path, "utf8"));
}

describe("the examples", () => {
  it("write the checksums of what is delivered beside it", async () => {
    await using scene = await openScene({ command: [join(ROOT, "deploy/hooks/checksum-report.sh")], outputs: "files" });
    await scene.until("delivered");
    const [list = ""] = await scene.delivered("checksums.txt");
    const { files, processing, receipt } = await reportOf(scene);
    const told = files.map(({ path, sha256 }: { path: string; sha256: string }) => `${sha256}  ./${path}`);
    expect((await readFile(list, "utf8")).trim().split("\n")).toEqual(told);
    const name = expect.stringMatching(/^processed\/[0-9a-f]{12}\/checksums.txt$/);
    expect(processing).toMatchObject({ replaced: 0, files: [{ path: name }] });
    expect(receipt).toMatchObject({ instances: 2, attached: 1, proof: "sha256" });
  });

  it.skipIf(!requirePythonPeers())("blank a corner of each image with pydicom", async () => {
    const command = [findPythonPeers() ?? "", join(ROOT, "deploy/hooks/blank-corner.py"), "2", "3"];
    await using scene = await openScene({ command, outputs: "instances" });
    await scene.until("delivered");
    expect((await reportOf(scene)).processing).toMatchObject({ replaced: 2, files: [] });
    const images = await scene.delivered(".dcm");
    expect(images).toHaveLength(2);
    for (const path of images) {
      await using image = await readPart10File(path);
      const rowBytes = 2 * (numberOf(image.dataSet, tags.Columns) ?? 0);
      const rows = numberOf(image.dataSet, tags.Rows) ?? 0;
      // 16 bits a pixel, one frame, last in its file.
      const pixels = (await readFile(path)).subarray(-rows * rowBytes);
      for (const row of [0, 1])
        expect(pixels.subarray(row * rowBytes, row * rowBytes + 6).toString("hex")).toBe("00".repeat(6));
      expect(pixels.subarray(2 * rowBytes).some((byte) => byte !== 0)).toBe(true);
    }
  });
});

it("is quarantined with what the program printed for operators alone, and delivered once the program is mended", async () => {
  await using scene = await openScene({ command: ["hook.sh"] }, { "hook.sh": "#!/bin/sh\necho NOISE >&2; exit 3\n" });
  const { service } = scene;
  const study = await scene.until("quarantined");
  expect(study).toMatchObject({ code: "HOOK_FAILED" });
  expect(study.events.map(({ detail }) => detail)).toContainEqual(expect.objectContaining({ exit: 3 }));
  expect(JSON.stringify(study)).not.toContain("NOISE");
  const hooks = join(service.folder, "home", "hooks");
  expect(await readFile(join(hooks, study.id, "stderr.txt"), "utf8")).toBe("NOISE\n");
  await writeFile(join(service.folder, "hook.sh"), "#!/bin/sh\nexit 0\n");
  await service.gateway.operations.retryStudy(study.id);
  await scene.until("delivered");
  expect(await readdir(hooks)).toEqual([]);
});

it("leaves nobody behind when the service is killed, and the hook is run again", async () => {
  const studies = [ctStudy(813, 1)];
  await withArchive(
    {},
    studies,
    async ({ site }) => {
      const seen = join(site.folder, "seen");
      const script = `#!/bin/sh\n[ -e ${seen} ] && exit 0\n: > ${seen}\nsetsid sleep 86394.25 & sleep 86394.5\n`;
      await chmod(await site.write("hook.sh", script), 0o755);
      await submit(site, studies);
      const service = await site.serve();
      while (!(await isRunning("86394.25"))) await delay(20);
      await service.kill();
      await using _again = await site.serve();
      while (await isRunning("86394.")) await delay(20);
      const isDelivered = async () =>
        (await readdir(site.delivered, { recursive: true })).join().includes("report.json");
      while (!(await isDelivered())) await delay(50);
    },
    { project: { hook: { command: ["hook.sh"], network } } },
  );
}, 90_000);
