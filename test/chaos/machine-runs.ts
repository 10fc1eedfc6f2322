import { spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ErrorCode } from "../../src/errors/registry.ts";
import type { HealthFacts } from "../../src/http/services.ts";
import { type Clock, systemClock } from "../../src/units/clock.ts";
import type { ApiSite } from "../support/api.ts";
import { mountSmallDisk, type SmallDisk } from "../support/small-disk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { FaultKind } from "./fault-proxy.ts";
import { IMPATIENT_SECONDS, type MachineName } from "./machine-kinds.ts";
import { type ArchiveWay, killMachine, type StoreKind } from "./machine-peers.ts";
import { rehearseScene, type SceneOptions } from "./machine-scene.ts";
import { rehearseOnPostgres } from "./postgres-runs.ts";
import type { Outcome } from "./rehearse.ts";
import { signalAll } from "./signals.ts";

/** Undefined: it cannot be played on this machine, which says so. */
export type MachineRun = (seed: number) => Promise<Outcome | undefined>;

const killArchive = (archive: ArchiveWay): MachineRun => {
  return (seed) =>
    rehearseScene(seed, {
      archive,
      strike: (scene) => killMachine(scene.archive),
      mend: (scene) => scene.archive.start(),
    });
};

const stopArchive = (archive: ArchiveWay, peer: SceneOptions["peer"] = {}): MachineRun => {
  return (seed) =>
    rehearseScene(seed, {
      ...{ archive, peer },
      strike: (scene) => signalAll(scene.archive.pid, "SIGSTOP"),
      mend: (scene) => signalAll(scene.archive.pid, "SIGCONT"),
    });
};

const killStore = (destination: StoreKind): MachineRun => {
  return (seed) =>
    rehearseScene(seed, {
      ...{ destination, slow: "destination" },
      strike: ({ store }) => store && killMachine(store),
      mend: ({ store }) => store?.start(),
    });
};

const stopStore = (destination: StoreKind, peer: SceneOptions["peer"] = {}): MachineRun => {
  return (seed) =>
    rehearseScene(seed, {
      ...{ destination, slow: "destination", peer },
      strike: (scene) => signalAll(scene.store?.pid, "SIGSTOP"),
      mend: (scene) => signalAll(scene.store?.pid, "SIGCONT"),
    });
};

const killGateway = (options: Partial<SceneOptions>): MachineRun => {
  return (seed) =>
    rehearseScene(seed, {
      ...options,
      isProcess: true,
      async strike({ gateway }) {
        await gateway?.kill();
        await gateway?.start();
      },
    });
};

const STOPPED_MS = 5_000;

const stopGateway: MachineRun = (seed) =>
  rehearseScene(seed, {
    isProcess: true,
    async strike({ gateway }) {
      gateway?.signal("SIGSTOP");
      await delay(STOPPED_MS);
      gateway?.signal("SIGCONT");
    },
  });

/** While the study is fetched, our clock jumps. */
const jump = (byMs: number): MachineRun => {
  return (seed) => {
    let offMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offMs };
    return rehearseScene(seed, {
      clock,
      strike: () => {
        offMs = byMs;
      },
    });
  };
};

const nothing = (): void => undefined;

const onSmallDisk = (
  kilobytes: number,
  options: (disk: SmallDisk, fill: string) => Partial<SceneOptions> & Pick<SceneOptions, "strike">,
): MachineRun => {
  return async (seed) => {
    using disk = mountSmallDisk(kilobytes);
    if (disk === undefined) return undefined;
    return await rehearseScene(seed, {
      mend: () => disk.resize(ROOMY_KILOBYTES),
      ...options(disk, join(disk.path, "fill")),
    });
  };
};

const ROOMY_KILOBYTES = 60_000;

/** The home is on a disk with room; what it has for de-identified copies is a disk of its own. */
const fillOutbox: MachineRun = async (seed) => {
  await using home = await temporaryFolder();
  const outbox = join(home.path, "outbox");
  await mkdir(outbox);
  using disk = mountSmallDisk(60, outbox);
  if (disk === undefined) return undefined;
  return await rehearseScene(seed, {
    settings: { home: home.path },
    home: home.path,
    strike: nothing,
    mend: () => disk.resize(ROOMY_KILOBYTES),
  });
};

/** Writes until nothing more goes into it. */
function fillUp(file: string): void {
  spawnSync("dd", ["if=/dev/zero", `of=${file}`, "bs=4k"]);
}

function remount(path: string, mode: "ro" | "rw"): void {
  spawnSync("mount", ["-o", `remount,${mode}`, path]);
}

function codeOf({ json }: { readonly json: unknown }): ErrorCode | undefined {
  return (json as { readonly code?: ErrorCode }).code;
}

/** A probe of health is told what was found a moment before. */
async function healthTells({ call }: Pick<ApiSite, "call">, code: ErrorCode | undefined): Promise<boolean> {
  for (let looks = 0; looks < HEALTH_LOOKS; looks += 1, await delay(HEALTH_LOOK_MS)) {
    const { status, json } = await call("GET", "//health/ready");
    const { checks } = json as { readonly checks: HealthFacts["checks"] };
    if (status === 503 && code !== undefined && checks.store.code === code) return true;
  }
  return false;
}

const HEALTH_LOOKS = 50;
const HEALTH_LOOK_MS = 100;
const HOUR_MS = 3_600_000;
const IMPATIENT = { answerTimeoutSeconds: IMPATIENT_SECONDS };
const postgres = (kind: Exclude<FaultKind, "slow" | "corrupt">): MachineRun => {
  return (seed) =>
    rehearseOnPostgres(seed, { strike: ({ proxy }) => proxy.strike(kind), mend: ({ proxy }) => proxy.mend() });
};

export const MACHINE_RUNS: Readonly<Record<MachineName, MachineRun>> = {
  "archive killed, C-MOVE": killArchive("move"),
  "archive killed, C-GET": killArchive("get"),
  "archive killed, WADO-RS": killArchive("dicomweb"),
  "archive stopped, C-MOVE": stopArchive("move"),
  "archive stopped, C-GET": stopArchive("get"),
  "archive stopped, WADO-RS": stopArchive("dicomweb"),
  "archive stopped, WADO-RS, 10 s": stopArchive("dicomweb", IMPATIENT),
  "archive killed, Orthanc": killArchive("orthanc"),
  "archive stopped, Orthanc": stopArchive("orthanc"),
  "dcmqrscp killed, C-MOVE": killArchive("dcmqrscp-move"),
  "dcmqrscp killed, C-GET": killArchive("dcmqrscp-get"),
  "dcmqrscp stopped, C-MOVE": stopArchive("dcmqrscp-move"),
  "dcmqrscp stopped, C-GET": stopArchive("dcmqrscp-get"),
  "destination killed, C-STORE": killStore("dimse"),
  "destination killed, STOW-RS": killStore("dicomweb"),
  "destination killed, Orthanc": killStore("orthanc"),
  "destination killed, S3": killStore("s3"),
  "destination killed, SFTP": killStore("sftp"),
  "destination stopped, C-STORE": stopStore("dimse"),
  "destination stopped, STOW-RS": stopStore("dicomweb"),
  "destination stopped, STOW-RS, 10 s": stopStore("dicomweb", IMPATIENT),
  "destination stopped, Orthanc": stopStore("orthanc"),
  "destination stopped, S3": stopStore("s3"),
  "destination stopped, SFTP": stopStore("sftp"),
  "gateway killed, fetching": killGateway({}),
  "gateway killed, delivering": killGateway({ destination: "dimse", slow: "destination" }),
  "gateway stopped": stopGateway,
  "clock an hour ahead": jump(HOUR_MS),
  "clock an hour back": jump(-HOUR_MS),
  "staging full": onSmallDisk(60, (disk) => ({
    settings: { staging: { path: disk.path, reserveGigabytes: 0 } },
    strike: nothing,
  })),
  "outbox full": fillOutbox,
  "folder full": onSmallDisk(60, (disk) => ({ destinationPath: disk.path, strike: nothing })),
  "folder read-only": onSmallDisk(ROOMY_KILOBYTES, (disk) => ({
    destinationPath: disk.path,
    strike: () => remount(disk.path, "ro"),
    mend: () => remount(disk.path, "rw"),
  })),
  "store full": onSmallDisk(8_000, (disk, fill) => ({
    settings: { home: disk.path },
    home: disk.path,
    strike: () => fillUp(fill),
    // What cannot be written down cannot be shown of the study: whoever asks for a change, or for the gateway's health, is told.
    async see({ site }) {
      const code = codeOf(await site.call("POST", "/tokens", { body: { name: "next", role: "viewer" } }));
      return (await healthTells(site, code)) ? code : undefined;
    },
  })),
  "postgres refused": postgres("refused"),
  "postgres cut": postgres("cut"),
  "postgres stalled": postgres("stalled"),
  "postgres half-open": postgres("half-open"),
  "postgres killed": (seed) =>
    rehearseOnPostgres(seed, { strike: ({ server }) => server.kill(), mend: ({ server }) => server.restart() }),
  "postgres stopped": (seed) =>
    rehearseOnPostgres(seed, {
      strike: ({ server }) => signalAll(server.pid, "SIGSTOP"),
      mend: ({ server }) => signalAll(server.pid, "SIGCONT"),
    }),
};
