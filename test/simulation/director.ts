import type { Store } from "../../src/store/store.ts";
import type { Faults } from "./faults.ts";
import { type CrashMoment, type Machine, SIMULATED } from "./machine.ts";
import { createMemoryDisk, type MemoryDisk, SystemError } from "./memory-disk.ts";
import type { Scene } from "./scene.ts";
import { type Life, lives, NOBODY, type Scheduler } from "./scheduler.ts";
import type { RunningNode } from "./simulated-node.ts";

/** Starts, kills, stops and starts again; fills disks and sets clocks. */
export interface Director {
  readonly machine: Machine;
  /** The program that runs on a node now; its last one when none does. */
  lifeOf(node: string): Life;
  running(): readonly RunningNode[];
  begin(): void;
  /** From now on nothing dies any more, and everything that is down comes up. */
  endChaos(): void;
}

interface Machinery {
  readonly node: string;
  life: Life;
  program: RunningNode | undefined;
  /** Until its program dies; undefined: it does not. */
  writesLeft: number | undefined;
}

interface DirectorOptions {
  readonly scene: Scene;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly ignoresSyncs: boolean;
  connect(): Store;
  startNode(store: Store, life: Life): Promise<RunningNode>;
}

interface Stage extends DirectorOptions {
  readonly disk: MemoryDisk;
  readonly machines: readonly Machinery[];
  /** By the first folder of a path. */
  readonly fullUntilMs: Map<string, number>;
  crashesLeft: number;
}

const MOST_WRITES = 400;
const ROOM_BYTES = 1_000_000_000;
const FULL_MS = 90_000;
/** A program that does not end by itself is killed. */
const STOP_MS = 30_000;

export function createDirector(options: DirectorOptions): Director {
  const { scene, scheduler, faults, ignoresSyncs } = options;
  const machines = scene.nodes.map((node, index): Machinery => {
    const life = { node, isAlive: false, skewMs: scene.skewsMs[index] ?? 0, bootedAtMs: scheduler.nowMs - 1_000 };
    return { node, life, program: undefined, writesLeft: undefined };
  });
  const disk = createMemoryDisk();
  const stage: Stage = { ...options, disk, machines, fullUntilMs: new Map(), crashesLeft: scene.crashes };
  const machine: Machine = {
    scheduler,
    disk,
    crashAt: (life) => crashAt(stage, life),
    kill: (life) => kill(stage, life),
    ignoresSyncs,
    // Where there are several, it is on the network.
    isShareOwn: scene.nodes.length === 1,
    checkRoom(path) {
      if (isFull(stage, path)) throw new SystemError("ENOSPC", "write");
    },
    freeBytes: (path) => (isFull(stage, path) ? 0 : ROOM_BYTES),
  };
  return {
    machine,
    lifeOf: (node) => of(stage, node).life,
    running: () => machines.flatMap(({ program, life }) => (program && life.isAlive ? [program] : [])),
    begin() {
      for (const on of machines)
        scheduler.at(scheduler.nowMs + scheduler.between(0, 2_000), () => start(stage, on), NOBODY);
      scheduler.at(scheduler.nowMs + scheduler.between(1_000, scene.chaosMs / 4), () => trouble(stage), NOBODY);
    },
    endChaos() {
      faults.isOn = false;
      stage.fullUntilMs.clear();
      for (const on of machines) {
        on.writesLeft = undefined;
        if (!on.life.isAlive) start(stage, on);
      }
    },
  };
}

function of({ machines }: Stage, node: string): Machinery {
  const found = machines.find((each) => each.node === node);
  if (found === undefined) throw new Error(`no machine ${node}`);
  return found;
}

function isFull({ fullUntilMs, scheduler }: Stage, path: string): boolean {
  const [device = ""] = path.slice(SIMULATED.length).split("/", 1);
  return (fullUntilMs.get(device) ?? 0) > scheduler.nowMs;
}

function start(stage: Stage, on: Machinery): void {
  const { scheduler, faults, connect, startNode } = stage;
  const life = { ...on.life, isAlive: true };
  on.life = life;
  on.program = undefined;
  const dies = faults.isOn && stage.crashesLeft > 0 && scheduler.chance(0.8);
  on.writesLeft = dies ? Math.ceil(scheduler.random.next() ** 2 * MOST_WRITES) : undefined;
  scheduler.note(`start ${life.node}`);
  lives.run(life, () =>
    startNode(connect(), life).then(
      (program) => {
        on.program = program;
      },
      // It could not begin: whoever looks after it tries again.
      () => down(stage, on, false),
    ),
  );
}

function down(stage: Stage, on: Machinery, isPowerCut: boolean): void {
  const { scheduler, faults, disk } = stage;
  if (!on.life.isAlive) return;
  on.life.isAlive = false;
  on.program = undefined;
  if (isPowerCut) {
    disk.cutPower(on.node, scheduler.chance, scheduler.random.next);
    on.life.bootedAtMs = scheduler.nowMs;
  }
  if (faults.isOn && scheduler.chance(0.2)) setClock(stage, on);
  const backInMs = faults.isOn ? scheduler.between(500, 120_000) : 1_000;
  scheduler.at(scheduler.nowMs + backInMs, () => on.life.isAlive || start(stage, on), NOBODY);
}

function kill(stage: Stage, life: Life): void {
  const { scheduler, faults } = stage;
  const on = of(stage, life.node);
  if (on.life !== life) return;
  stage.crashesLeft -= 1;
  const isPowerCut = scheduler.chance(0.5);
  faults.count(isPowerCut ? "power is cut" : "program is killed");
  scheduler.note(`kill ${life.node}`);
  down(stage, on, isPowerCut);
}

function crashAt(stage: Stage, life: Life): CrashMoment | undefined {
  const on = of(stage, life.node);
  if (on.life !== life || on.writesLeft === undefined) return undefined;
  on.writesLeft -= 1;
  if (on.writesLeft > 0) return undefined;
  on.writesLeft = undefined;
  return stage.faults.isOn ? stage.scheduler.pick(["before", "after"]) : undefined;
}

function setClock({ scheduler, faults }: Stage, on: Machinery): void {
  faults.count("clock is set");
  on.life.skewMs = scheduler.chance(0.7) ? scheduler.between(-20_000, 20_000) : scheduler.between(-150_000, 150_000);
}

/** As SIGTERM does. */
function stop(stage: Stage, on: Machinery): void {
  const { scheduler, faults } = stage;
  const { life, program } = on;
  if (program === undefined || !life.isAlive) return;
  faults.count("program is stopped");
  const end = (): void => {
    if (on.life === life) down(stage, on, false);
  };
  lives.run(life, () => void program[Symbol.asyncDispose]().then(end, end));
  scheduler.at(scheduler.nowMs + STOP_MS, end, NOBODY);
}

/** Something happens to a machine, and then to the next. */
function trouble(stage: Stage): void {
  const { scheduler, faults, scene, machines, fullUntilMs } = stage;
  if (!faults.isOn) return;
  const on = scheduler.pick(machines);
  const roll = scheduler.random.next();
  if (roll < 0.2) setClock(stage, on);
  else if (roll < 0.4) stop(stage, on);
  else if (roll < 0.6) {
    faults.count("disk is full");
    fullUntilMs.set(scheduler.chance(0.6) ? on.node : "share", scheduler.nowMs + scheduler.between(100, FULL_MS));
  }
  const nextMs = scheduler.nowMs + scheduler.between(5_000, scene.chaosMs / 4) / scene.severity;
  scheduler.at(nextMs, () => trouble(stage), NOBODY);
}
