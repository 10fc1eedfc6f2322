import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadProfile } from "../../deid/profiles/load-profile.ts";
import { projectKeyOf } from "../../deid/pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, text } from "../../deid/testing/objects.ts";
import { createStudyDeidentifier } from "../../deid/workers/study-run.ts";
import { createFolderDestination } from "../../delivery/folder/folder-destination.ts";
import type { JobChange } from "../../store/records.ts";
import { unpackJson } from "../../units/packed-json.ts";
import { createSemaphore } from "../../units/semaphore.ts";
import { deidentifyAndDeliver } from "../deliver.ts";
import type { StepContext, StepResult } from "../step.ts";
import type { HookSettings } from "./hook.ts";
import { findLaunch, type Launch, launchInGroup } from "./isolation.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hook-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const INSTANCES = ["1.2.826.0.1.3680043.9.7.3.1", "1.2.826.0.1.3680043.9.7.3.2"];
const profile = await loadProfile("research");
const key = projectKeyOf(Buffer.alloc(32, 4));
const deidentifier = createStudyDeidentifier({ profile, key, filters: {} });
const isolated = await findLaunch({ network: "none", maximumOutputBytes: 1e6 });

interface Outcome {
  readonly result: StepResult;
  /** Of the event that says why; empty where there is none. */
  readonly detail: Readonly<Record<string, unknown>>;
  /** What was delivered, below the study's folder. */
  readonly delivered: readonly string[];
  /** SHA-256 of copies as the account has them at last. */
  readonly sums: ReadonlyMap<string, string>;
  readonly report: Readonly<Record<string, unknown>>;
  /** What is left of the hook's workspace. */
  readonly left: readonly string[];
}

interface Given {
  /** A shell script: $1 is the input folder, $2 the output folder. */
  readonly script: string;
  readonly settings?: Partial<HookSettings>;
  /** The one of this machine unless told. */
  readonly launch?: Launch;
  readonly signal?: AbortSignal;
}

/** Runs the step on a study of two CT images of Meriadoc Brandybuck, with a script as its project's hook. */
async function processed(given: Given): Promise<Outcome> {
  const context = await contextOf(given);
  const result = await deidentifyAndDeliver(context.step);
  return await outcomeOf(result, context.written);
}

async function contextOf({ script, settings = {}, signal, launch }: Given) {
  const program = join(folder, "hook.sh");
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const hook: HookSettings = {
    command: [program],
    timeoutMs: 20_000,
    outputs: "both",
    maximumOutputBytes: 1e6,
    maximumOutputFiles: 100,
    network: isolated === undefined ? "allowed" : "none",
    parallel: 1,
    ...settings,
  };
  const staged = await Promise.all(
    INSTANCES.map(async (sopInstanceUid, index) => ({
      path: await put(
        join(folder, "in", `${index}.dcm`),
        await part10Bytes(ctImage([text(0x00080018, sopInstanceUid)])),
      ),
      ...{ sopInstanceUid, seriesInstanceUid: "1.2.826.0.1.3680043.9.7.2", modality: "CT", receivedAtMs: 1 },
    })),
  );
  const written: JobChange[] = [];
  const project = {
    name: "trial",
    profile,
    keyId: key.id,
    archives: [],
    destinations: [await createFolderDestination({ name: "store", path: join(folder, "store") })],
    optOut: new Set(),
    deidentifier,
    hook: {
      settings: hook,
      folder: join(folder, "hooks"),
      launch: launch ?? (await findLaunch(hook)),
      turns: createSemaphore(1),
    },
  };
  const ledger = () => {
    const made = new Map(
      written.flatMap((change) =>
        (change.ledger ?? []).flatMap((each) => (each.kind === "deidentified" ? [[each.sopInstanceUid, each]] : [])),
      ) as readonly (readonly [string, object])[],
    );
    return staged.map((each) => ({ ...each, ...made.get(each.sopInstanceUid), deidentifiedAtMs: 2 }));
  };
  const step = {
    services: {
      store: {
        ledger: async () => ledger(),
        releaseOf: async () => undefined,
        linkPseudonyms: async () => [],
        studyReport: async () => undefined,
        recordDelivery: async () => true,
      },
      projects: new Map([["trial", project]]),
      staging: { list: async () => staged },
      outbox: {
        folderOf: () => join(folder, "outbox"),
        remove: () => rm(join(folder, "outbox"), { recursive: true, force: true }),
      },
      clock: { nowMs: () => 0 },
      retry: { attempts: 3, firstDelayMs: 1, maximumDelayMs: 60_000 },
    },
    project,
    job: { id: "job-1", studyInstanceUid: "1.2.826.0.1.3680043.9.7.1", archive: "pacs", patientId: "P1" },
    signal: signal ?? new AbortController().signal,
    write: async (change: JobChange) => void written.push(change),
  } as unknown as StepContext;
  return { step, written };
}

async function outcomeOf(result: StepResult, written: readonly JobChange[]): Promise<Outcome> {
  const events = result.kind === "end" ? (result.change?.events ?? []) : [];
  const names = await readdir(join(folder, "store"), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const changes = written.flatMap(({ ledger = [] }) => ledger);
  const packed = written.map(({ report }) => report).findLast((report) => report instanceof Uint8Array);
  const report = packed instanceof Uint8Array ? await unpackJson(packed) : {};
  return {
    result,
    detail: events[0]?.detail ?? {},
    delivered: files.map((path) => path.split("/").slice(-2).join("/")).sort(),
    sums: new Map(
      changes.flatMap((each) => (each.kind === "deidentified" ? [[each.sopInstanceUid, each.sha256]] : [])),
    ),
    report: report as Readonly<Record<string, unknown>>,
    left: (await readdir(join(folder, "hooks", "job-1")).catch(() => [])).sort(),
  };
}

function quarantined(code: string) {
  return { result: { kind: "end", state: "quarantined", code }, delivered: [], left: ["stderr.txt", "stdout.txt"] };
}

/** Whether a process with the word in its command line is there. */
async function isRunning(word: string): Promise<boolean> {
  const lines = await Promise.all(
    (await readdir("/proc")).map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.some((line) => line.includes(word) && !line.includes("sh\0-c"));
}

/** Writes the input's images to the output with `edit` done to their bytes. */
function editing(edit: string): string {
  const program = [
    'const { readdirSync, readFileSync, writeFileSync, mkdirSync } = require("node:fs");',
    "const [input, output] = process.argv.slice(-2); mkdirSync(`${output}/instances`, { recursive: true });",
    "for (const name of readdirSync(input, { recursive: true })) if (name.endsWith('.dcm')) {",
    "  let bytes = readFileSync(`${input}/${name}`);",
    `  ${edit};`,
    '  writeFileSync(`${output}/instances/${name.split("/")[1]}`, bytes); }',
  ].join("\n");
  return `exec '${process.execPath}' -e '${program.replaceAll("'", "'\\''")}' "$1" "$2"`;
}

describe("a processing hook", () => {
  it("that makes nothing lets the study go as it is", async () => {
    const { result, delivered, left } = await processed({ script: "exit 0" });
    expect(result).toMatchObject({ state: "delivered" });
    expect(delivered.filter((name) => name.endsWith(".dcm"))).toHaveLength(2);
    expect(left).toEqual([]);
  });

  it("is told what it gets, and by the files what the study is", async () => {
    const script = [
      'mkdir -p "$2/files"',
      'env | cut -d= -f1 | sort | tr "\\n" " " > "$2/files/environment.txt"',
      'find "$1" -type f | wc -l > "$2/files/count.txt"',
      'cp "$RADFERRY_STUDY" "$2/files/study.json"; chmod u+w "$2/files/study.json"',
    ].join("\n");
    await processed({ script });
    const [set = ""] = await attachmentSets();
    const read = (name: string) => readFile(join(set, name), "utf8");
    expect(await read("environment.txt")).toBe(
      "HOME LANG PATH PWD RADFERRY_CONTRACT RADFERRY_INPUT RADFERRY_OUTPUT RADFERRY_PROJECT RADFERRY_PSEUDONYM " +
        "RADFERRY_STUDY RADFERRY_STUDY_INSTANCE_UID RADFERRY_WORK TMPDIR ",
    );
    expect((await read("count.txt")).trim()).toBe("2");
    expect(JSON.parse(await read("study.json"))).toMatchObject({ contract: 1, project: "trial", instances: [{}, {}] });
  });

  it("has its files delivered beside the series, with their sums in the study's report", async () => {
    const { result, delivered, report } = await processed({
      script: 'mkdir -p "$2/files/sub"; echo fine > "$2/files/sub/quality.txt"',
    });
    expect(result).toMatchObject({ state: "delivered" });
    expect(delivered).toContain("sub/quality.txt");
    expect(report.processing).toMatchObject({ replaced: 0, files: [{ sizeBytes: 5 }] });
  });

  it("has images delivered in the form that it gave them, and the account tells their sums", async () => {
    const before = await processed({ script: "exit 0" });
    await rm(join(folder, "store"), { recursive: true });
    const { result, sums, report } = await processed({
      script: editing('bytes.fill(0, bytes.length - 8); bytes.write("Brandybuck", 3)'),
    });
    expect(result).toMatchObject({ state: "delivered" });
    expect(report.processing).toMatchObject({ replaced: 2 });
    const images = await deliveredImages();
    expect(images.map((bytes) => bytes.indexOf("Brandybuck"))).toEqual([-1, -1]);
    expect(images.map((bytes) => bytes.subarray(-8).toString("hex"))).toEqual(["00".repeat(8), "00".repeat(8)]);
    for (const uid of INSTANCES) expect(sums.get(uid)).not.toBe(before.sums.get(uid));
  });

  async function deliveredImages(): Promise<readonly Buffer[]> {
    const names = await readdir(join(folder, "store"), { recursive: true });
    return await Promise.all(
      names.filter((name) => name.endsWith(".dcm")).map((name) => readFile(join(folder, "store", name))),
    );
  }

  async function attachmentSets(): Promise<readonly string[]> {
    const names = await readdir(join(folder, "store"), { recursive: true, withFileTypes: true });
    return names
      .filter(({ parentPath }) => parentPath.endsWith("/processed"))
      .map(({ parentPath, name }) => join(parentPath, name));
  }
});

describe("a hook that fails", () => {
  it.each([
    ["exits with 1", "echo MRN4455667 >&2; exit 1", "HOOK_FAILED", { exit: 1 }],
    ["is ended by a signal", "kill -KILL $$", "HOOK_FAILED", { exit: 137 }],
    ["says that the study is unfit", "exit 65", "HOOK_REJECTED_STUDY", { exit: 65 }],
  ])("because it %s quarantines the study", async (_, script, code, detail) => {
    const outcome = await processed({ script });
    expect(outcome).toMatchObject({ ...quarantined(code), detail });
    expect(outcome.report).toMatchObject({ outcome: "quarantined" });
    expect(JSON.stringify([outcome.result, outcome.report])).not.toContain("MRN4455667");
  });

  it("because it cannot work now is run again later", async () => {
    await expect(processed({ script: "exit 75" })).rejects.toThrow(
      expect.objectContaining({ code: "HOOK_TRY_LATER", class: "transient" }),
    );
    expect(await readdir(join(folder, "hooks"))).toEqual([]);
  });

  it("by hanging is ended with what it started, also where that has left its group", async () => {
    const script = "setsid sleep 86399.25 & sleep 86399.5";
    const outcome = await processed({ script, settings: { timeoutMs: 400 } });
    expect(outcome).toMatchObject(quarantined("HOOK_TIMED_OUT"));
    expect([await isRunning("86399.25"), await isRunning("86399.5")]).toEqual([false, false]);
  });

  it("leaves nobody behind when it is done and a child of it goes on", async () => {
    const outcome = await processed({ script: "setsid sleep 86398.25 & exit 0" });
    expect(outcome.result).toMatchObject({ state: "delivered" });
    expect(await isRunning("86398.25")).toBe(false);
  });

  it("is ended when the job is stopped, and its workspace goes", async () => {
    const stop = new AbortController();
    const running = processed({ script: 'echo > "$2/ready"; sleep 86397.25', signal: stop.signal });
    const ready = join(folder, "hooks", "job-1", "output", "ready");
    while (
      !(await readFile(ready).then(
        () => true,
        () => false,
      ))
    )
      await new Promise(setImmediate);
    stop.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    expect(await isRunning("86397.25")).toBe(false);
    expect(await readdir(join(folder, "hooks"))).toEqual([]);
  });

  it.each([
    ["one file too long", 'yes > "$2/long"; exit 0'],
    ["too much in many files", 'for i in 1 2 3 4 5 6 7; do head -c 300000 /dev/zero > "$2/$i"; done; sleep 60'],
    ["too many files", 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); : > "$2/$i"; done; sleep 60'],
    ["too much where it works", "head -c 900000 /dev/zero > a; head -c 900000 /dev/zero > b; sleep 60"],
    ["too many folders before it ends", 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); mkdir "$2/$i"; done'],
  ])("by writing %s is stopped", async (_, script) => {
    expect(await processed({ script })).toMatchObject(quarantined("HOOK_OUTPUT_LIMIT"));
  });

  it("cannot print without end: the beginning is kept, and nothing of it is told", async () => {
    const outcome = await processed({
      script: "yes NOISE | head -c 20000000; yes NOISE | head -c 20000000 >&2; exit 3",
    });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_FAILED"), detail: { exit: 3 } });
    const printed = await readFile(join(folder, "hooks", "job-1", "stdout.txt"));
    expect(printed.length).toBe(64 * 1024);
    expect(JSON.stringify(outcome)).not.toContain("NOISE");
  });

  it("by asking for more memory than it may have", async () => {
    const script = `exec '${process.execPath}' -e 'Buffer.alloc(1e9)'`;
    const outcome = await processed({ script, settings: { maximumMemoryBytes: 256e6 } });
    expect(outcome).toMatchObject(quarantined("HOOK_FAILED"));
  });
});

describe("a hook that touches its input", () => {
  it.each([
    ["writes into a copy", 'f=$(find "$1" -name "*.dcm" | head -n 1); chmod u+w "$f"; printf X >> "$f"'],
    ["replaces a copy", 'f=$(find "$1" -name "*.dcm" | head -n 1); chmod -R u+w "$1"; rm "$f"; echo other > "$f"'],
    ["removes a copy", 'chmod -R u+w "$1"; rm "$(find "$1" -name "*.dcm" | head -n 1)"'],
    ["adds a file", 'chmod -R u+w "$1"; echo more > "$1/more"'],
    ["writes into the outbox", 'f="$1/../../../outbox/0.dcm"; chmod u+w "$f"; printf X >> "$f"'],
  ])("and %s delivers nothing", async (_, script) => {
    expect(await processed({ script })).toMatchObject(quarantined("HOOK_CHANGED_INPUT"));
  });
});

describe("what a hook leaves in its output", () => {
  it.each([
    ["a link to somebody's file", 'mkdir "$2/files"; ln -s /etc/passwd "$2/files/report.txt"', "not-a-plain-file"],
    [
      "a second name of a file",
      'mkdir "$2/files"; echo x > "$2/files/a"; ln "$2/files/a" "$2/files/b"',
      "not-a-plain-file",
    ],
    ["a link in the place of a folder", 'ln -s /etc "$2/files"', "not-a-plain-file"],
    ["a pipe", 'mkdir "$2/files"; mkfifo "$2/files/pipe"', "not-a-plain-file"],
    ["a name with a blank", 'mkdir "$2/files"; echo x > "$2/files/a b"', "path-characters"],
    ["a name with a line feed", 'mkdir "$2/files"; echo x > "$2/files/$(printf "a\\nb")"', "path-characters"],
    ["a hidden name", 'mkdir "$2/files"; echo x > "$2/files/.bashrc"', "path-characters"],
    [
      "names that differ by case alone",
      'mkdir "$2/files"; echo x > "$2/files/a"; echo x > "$2/files/A"',
      "path-collides",
    ],
    ["a file beside the two folders", 'echo x > "$2/report.txt"', "place"],
    ["no DICOM among the instances", 'mkdir "$2/instances"; echo x > "$2/instances/a.dcm"', "instance-unreadable"],
    [
      "DICOM among the files",
      'mkdir "$2/files"; cp "$(find "$1" -name "*.dcm" | head -n 1)" "$2/files/a"',
      "dicom-among-files",
    ],
    [
      "one instance twice",
      'mkdir "$2/instances"; f=$(find "$1" -name "*.dcm" | head -n 1); cp "$f" "$2/instances/a"; cp "$f" "$2/instances/b"',
      "instance-twice",
    ],
  ])("is refused when it is %s", async (_, script, reason) => {
    const outcome = await processed({ script });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_OUTPUT_REFUSED"), detail: { reason } });
  });

  it.each([
    [
      "the patient's id in a report",
      'echo "quality of MRN4455667: good" > "$2/files/report.txt"',
      "identifier: id in content",
    ],
    ["the patient's name in a file's name", 'echo x > "$2/files/brandybuck.txt"', "identifier: name in name"],
    [
      "the name within binary data",
      'printf "\\000\\001Brandybuck\\000" > "$2/files/volume.nii"',
      "identifier: name in content",
    ],
  ])("is searched, and refused for %s", async (_, script, reason) => {
    const outcome = await processed({ script: `mkdir "$2/files"; ${script}` });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_OUTPUT_REFUSED"), detail: { reason } });
  });

  it.each([
    ["the name among the pixels", 'bytes.write("BRANDYBUCK", bytes.length - 20)', "identifier: name in (7FE0,0010)"],
    [
      "another patient id",
      'bytes.write("X", bytes.indexOf("LO", bytes.indexOf(Buffer.from([16, 0, 32, 0]))) + 4)',
      "element-changed (0010,0020)",
    ],
    ["bytes behind its end", "bytes = Buffer.concat([bytes, Buffer.alloc(4)])", "length-beyond-parent"],
  ])("is refused as an image with %s", async (_, edit, reason) => {
    const outcome = await processed({ script: editing(edit) });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_OUTPUT_REFUSED"), detail: { reason } });
  });

  it.each([
    ["files", editing(""), "instances-not-expected"],
    ["instances", 'mkdir "$2/files"; echo x > "$2/files/x"', "files-not-expected"],
  ] as const)("is refused where only %s are asked for", async (outputs, script, reason) => {
    const outcome = await processed({ script, settings: { outputs } });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_OUTPUT_REFUSED"), detail: { reason } });
  });
});

describe("without namespaces", () => {
  const launch = launchInGroup({ maximumOutputBytes: 1e6 });

  it("a hook that hangs is ended with what it started, also where that has left its group", async () => {
    const script = "setsid sleep 86396.25 & sleep 86396.5";
    const outcome = await processed({ script, launch, settings: { timeoutMs: 400 } });
    expect(outcome).toMatchObject(quarantined("HOOK_TIMED_OUT"));
    expect([await isRunning("86396.25"), await isRunning("86396.5")]).toEqual([false, false]);
  });

  it("a hook does not outlive us", async () => {
    const [program = "", ...args] = launch.commandOf(["sleep", "86395.25"]);
    const child = spawn(program, args, { detached: true, stdio: ["ignore", "ignore", "ignore", "pipe"] });
    while (!(await isRunning("86395.25"))) await new Promise(setImmediate);
    // As it does when our process ends, however it ends.
    child.stdio[3]?.destroy();
    await once(child, "exit");
    expect(await isRunning("86395.25")).toBe(false);
  });

  it("a hook is done when it is", async () => {
    expect((await processed({ script: "exit 0", launch })).result).toMatchObject({ state: "delivered" });
  });

  it("a hook's limits hold", async () => {
    const outcome = await processed({ script: 'yes > "$2/long"; exit 0', launch });
    expect(outcome).toMatchObject(quarantined("HOOK_OUTPUT_LIMIT"));
  });
});

it("finds what its hook made when it was cut short while delivering, and does not run it again", async () => {
  const counting = `echo run >> '${join(folder, "runs")}'; mkdir "$2/files"; date +%N > "$2/files/when.txt"`;
  const { step, written } = await contextOf({ script: counting });
  const [destination] = step.project.destinations;
  const cut = { ...destination, conclude: () => Promise.reject(new Error("cut")) };
  const project = { ...step.project, destinations: [cut] } as unknown as StepContext["project"];
  await expect(deidentifyAndDeliver({ ...step, project })).rejects.toThrow("cut");
  const outcome = await outcomeOf(await deidentifyAndDeliver(step), written);
  expect(outcome.result).toMatchObject({ state: "delivered" });
  expect(await readFile(join(folder, "runs"), "utf8")).toBe("run\n");
  expect(outcome.left).toEqual([]);
});

describe.skipIf(isolated === undefined)("the network", () => {
  it("is not there", async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const connecting = `exec '${process.execPath}' -e 'require("node:net").connect(${port}, "127.0.0.1").on("connect", () => process.exit(0)).on("error", () => process.exit(9))'`;
    try {
      expect(await processed({ script: connecting })).toMatchObject({ detail: { exit: 9 } });
      const open = await processed({ script: connecting, settings: { network: "allowed" } });
      expect(open.result).toMatchObject({ state: "delivered" });
    } finally {
      server.close();
    }
  });
});

it("is not run where it cannot be kept from the network", async () => {
  const { step } = await contextOf({ script: `echo run >> '${join(folder, "runs")}'` });
  const hook = { ...step.project.hook, launch: undefined };
  const project = { ...step.project, hook } as unknown as StepContext["project"];
  expect(await deidentifyAndDeliver({ ...step, project })).toMatchObject({ kind: "pause", code: "HOOK_NOT_ISOLATED" });
  expect(await readdir(folder)).not.toContain("runs");
});
