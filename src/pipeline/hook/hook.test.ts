import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { extname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFolderDestination } from "../../delivery/folder/folder-destination.ts";
import { deidentifyAndDeliver } from "../deliver.ts";
import type { StepContext } from "../step.ts";
import {
  contextOf,
  editing,
  folder,
  INSTANCES,
  isolated,
  isRunning,
  outcomeOf,
  processed,
  quarantined,
  untilGone,
  useFolder,
} from "./hook-scene.testing.ts";
import { launchInGroup } from "./isolation.ts";

useFolder();

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

  it("has its files delivered to the destinations alone that are to get them, and its images to all", async () => {
    const script = 'mkdir "$2/files"; echo fine > "$2/files/quality.txt"';
    const { step } = await contextOf({ script, settings: { filesTo: ["other"] } });
    const other = await createFolderDestination({ name: "other", path: join(folder, "other") });
    const project = { ...step.project, destinations: [...step.project.destinations, other] };
    expect(await deidentifyAndDeliver({ ...step, project })).toMatchObject({ state: "delivered" });
    const kindsIn = async (place: string) =>
      (await readdir(join(folder, place), { recursive: true }))
        .map(extname)
        .filter((kind) => /^.(dcm|txt)$/.test(kind));
    expect(await kindsIn("store")).toEqual([".dcm", ".dcm"]);
    expect((await kindsIn("other")).sort()).toEqual([".dcm", ".dcm", ".txt"]);
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
    await untilGone("86399.25");
    await untilGone("86399.5");
  });

  it("leaves nobody behind when it is done and a child of it goes on", async () => {
    const outcome = await processed({ script: "setsid sleep 86398.25 & exit 0" });
    expect(outcome.result).toMatchObject({ state: "delivered" });
    await untilGone("86398.25");
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
    await untilGone("86397.25");
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

describe("without namespaces", () => {
  const launch = launchInGroup({ maximumOutputBytes: 1e6 });

  it("a hook that hangs is ended with what it started, also where that has left its group", async () => {
    const script = "setsid sleep 86396.25 & sleep 86396.5";
    const outcome = await processed({ script, launch, settings: { timeoutMs: 400 } });
    expect(outcome).toMatchObject(quarantined("HOOK_TIMED_OUT"));
    await untilGone("86396.25");
    await untilGone("86396.5");
  });

  it("a hook does not outlive us", async () => {
    const [program = "", ...args] = launch.commandOf(["sleep", "86395.25"]);
    const child = spawn(program, args, { detached: true, stdio: ["ignore", "ignore", "ignore", "pipe"] });
    while (!(await isRunning("86395.25"))) await new Promise(setImmediate);
    // As it does when our process ends, however it ends.
    child.stdio[3]?.destroy();
    await once(child, "exit");
    await untilGone("86395.25");
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

it("is run again where it is another program by now: what the other made is not delivered", async () => {
  const making = (text: string) => `mkdir "$2/files"; echo ${text} > "$2/files/made.txt"`;
  const { step, written } = await contextOf({ script: making("before") });
  const [destination] = step.project.destinations;
  const cut = {
    ...destination,
    conclude: () => Promise.reject(new Error("cut")),
    send: () => Promise.reject(new Error("cut")),
  };
  const project = { ...step.project, destinations: [cut] } as unknown as StepContext["project"];
  await expect(deidentifyAndDeliver({ ...step, project })).rejects.toThrow("cut");
  const program = join(folder, "other.sh");
  await writeFile(program, `#!/bin/sh\n${making("now")}\n`, { mode: 0o755 });
  const { hook } = step.project;
  const other = { ...hook, settings: { ...hook?.settings, command: [program] } };
  const now = { ...step, project: { ...step.project, hook: other } } as unknown as StepContext;
  const { delivered } = await outcomeOf(await deidentifyAndDeliver(now), written);
  const made = (await readdir(join(folder, "store"), { recursive: true })).filter((name) => name.endsWith("made.txt"));
  expect([delivered.length, made.length]).toEqual([4, 1]);
  expect(await readFile(join(folder, "store", made[0] ?? ""), "utf8")).toBe("now\n");
});

it("has no more of its program at work at once than it may", async () => {
  const turn = join(folder, "at-work");
  const script = `mkdir '${turn}' || exit 1; sleep 0.2; rmdir '${turn}'`;
  const { step } = await contextOf({ script });
  const jobs = ["job-1", "job-2"].map((id) => ({
    ...step,
    job: { ...step.job, id },
    services: { ...step.services, outbox: { ...step.services.outbox, folderOf: () => join(folder, `outbox-${id}`) } },
  }));
  const results = await Promise.all(jobs.map((each) => deidentifyAndDeliver(each)));
  expect(results).toMatchObject([{ state: "delivered" }, { state: "delivered" }]);
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
