import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requirePeer } from "../peers/require-peer.ts";
import { type BrokerWorld, openBrokerWorld, rehearseBroker } from "./broker-runs.ts";
import { recordFigures } from "./figures.ts";
import { CONNECTION_KINDS, type FailureKind } from "./kinds.ts";
import { BROKER_KINDS, MACHINE_KINDS } from "./machine-kinds.ts";
import { MACHINE_RUNS } from "./machine-runs.ts";
import { type Outcome, rehearseConnection } from "./rehearse.ts";
import { openWorld, type World } from "./world.ts";

const hasPeers = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so"), requirePeer("sshd")].every(Boolean);
/** Of as many digits each: where in a stream an image lies follows from the length of its UIDs. */
const FIRST_SEED = 20_000;

const secondsOf: Record<string, number> = {};
afterAll(() => recordFigures(secondsOf));

async function expectAsTold(kind: FailureKind, rehearse: () => Promise<Outcome | undefined>): Promise<boolean> {
  const startedAtMs = performance.now();
  const { seen, end, isDamageUnseen = false } = kind;
  const outcome = await rehearse();
  if (outcome === undefined) return false;
  expect(outcome).toEqual({ seen, end, problems: [], isDamageUnseen });
  secondsOf[kind.name] = Math.round((performance.now() - startedAtMs) / 1_000);
  return true;
}

describe.skipIf(!hasPeers).concurrent("a study comes to what the table of failures says", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    return () => world[Symbol.asyncDispose]();
  });

  it.each(CONNECTION_KINDS.map((kind, index) => ({ kind, index, name: kind.name })))("$name", async (each) => {
    const { kind, index } = each;
    await expectAsTold(kind, () => rehearseConnection(kind, world, FIRST_SEED + index));
  });
});

const hasMachines = hasPeers && requirePeer("initdb");
const hasBroker = hasMachines && requirePeer("rabbitmq-server");

describe.skipIf(!hasMachines).concurrent("programs, disks and clocks: a study comes to what the table says", () => {
  it.for(MACHINE_KINDS.map((kind, index) => ({ kind, index, name: kind.name })))(
    "$name",
    async ({ kind, index }, { skip }) => {
      const seed = FIRST_SEED + CONNECTION_KINDS.length + index;
      if (!(await expectAsTold(kind, () => MACHINE_RUNS[kind.name](seed)))) skip();
    },
  );
});

describe.skipIf(!hasBroker)("the broker: messages come to what the table says", () => {
  let world: BrokerWorld;
  beforeAll(async () => {
    world = await openBrokerWorld();
    return () => world[Symbol.asyncDispose]();
  }, 120_000);

  it.each(BROKER_KINDS.map((kind, index) => ({ kind, index, name: kind.name })))("$name", async ({ kind, index }) => {
    await expectAsTold(kind, () => rehearseBroker(kind.name, world, FIRST_SEED + 1_000 + index * 100));
  });
});
