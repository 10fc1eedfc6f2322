import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { type SyntheticInstance, syntheticStudy } from "../peers/synthetic-studies.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/radferry", import.meta.url));
const STUDY = syntheticStudy({ seed: 91, modality: "CT", rows: 4, columns: 4, instancesPerSeries: 2 });

interface Serving extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ready: { readonly httpPort: number; readonly firstToken: string };
  /** Until the log has such an entry. */
  logged(isWanted: (entry: Readonly<Record<string, unknown>>) => boolean): Promise<Readonly<Record<string, unknown>>>;
}

async function serve(file: string): Promise<Serving> {
  const child = spawn(PROGRAM, ["-c", file, "serve", "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  const entries: Readonly<Record<string, unknown>>[] = [];
  const wake = new EventTarget();
  createInterface({ input: child.stderr }).on("line", (line) => {
    entries.push(JSON.parse(line));
    wake.dispatchEvent(new Event("line"));
  });
  let text = "";
  for await (const piece of child.stdout) {
    text += String(piece);
    if (text.trimEnd().endsWith("}")) break;
  }
  return {
    child,
    ready: JSON.parse(text),
    async logged(isWanted) {
      for (;;) {
        const entry = entries.find(isWanted);
        if (entry !== undefined) return entry;
        await once(wake, "line");
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

it("takes settings in at SIGHUP while a job runs, which finishes; a bad file changes nothing and is logged", async () => {
  await using folder = await temporaryFolder();
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  async function* send({ bytes }: SyntheticInstance): AsyncGenerator<Uint8Array> {
    asked.resolve();
    await gate.promise;
    yield bytes;
  }
  await using archive = await startPracticeArchive({ studies: [STUDY], faults: { send } });
  const file = join(folder.path, "radferry.yaml");
  await writeFile(join(folder.path, "lung.key"), `${"1".repeat(64)}\n`, { mode: 0o600 });
  const project = {
    name: "lung",
    archives: ["first"],
    destinations: ["store"],
    profile: "research",
    keyFile: "lung.key",
  };
  const settings = {
    ...{ home: "home", dicom: { port: 0 }, http: { port: 0 }, staging: { reserveGigabytes: 0 } },
    archives: [{ name: "first", kind: "dimse", address: archive.address, retrieve: "get" }],
    destinations: [{ name: "store", kind: "folder", path: "store" }],
  };
  await writeFile(file, stringify({ ...settings, projects: [project] }));
  await using service = await serve(file);
  const { httpPort, firstToken } = service.ready;
  const call = async (method: string, path: string, body?: string): Promise<Readonly<Record<string, unknown>>> => {
    const headers = { authorization: `Bearer ${firstToken}`, "content-type": "text/csv" };
    const url = `http://127.0.0.1:${httpPort}/api/v1${path}`;
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
    return (await answer.json()) as Readonly<Record<string, unknown>>;
  };
  const { cohort } = await call("POST", "/cohorts?project=lung", `study_instance_uid\n${STUDY.studyInstanceUid}\n`);
  await asked.promise;

  await writeFile(file, stringify({ ...settings, projects: [{ ...project, archives: ["second"] }] }));
  service.child.kill("SIGHUP");
  expect(await service.logged(({ event }) => event === "problem in the settings")).toMatchObject({
    level: "error",
    setting: "projects[0].archives[0]",
    code: "SETTING_REFERENCE_UNKNOWN",
    line: expect.any(Number),
  });

  await writeFile(file, stringify({ ...settings, archives: [], destinations: [], projects: [] }));
  service.child.kill("SIGHUP");
  await service.logged(({ event }) => event === "settings are as the file has them");
  expect(await service.logged(({ event }) => event === "settings reloaded")).toMatchObject({
    archive: "first",
    state: "removed",
  });
  expect(await call("GET", "/archives")).toEqual({ items: [] });
  gate.resolve();
  await service.logged(({ event, state }) => event === "job ended" && state === "delivered");
  expect(await call("GET", `/cohorts/${cohort}`)).toMatchObject({ done: true, states: { delivered: 1 } });
});
