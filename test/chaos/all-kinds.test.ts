import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requirePeer } from "../peers/require-peer.ts";
import { recordFigures } from "./figures.ts";
import { CONNECTION_KINDS, type FailureKind } from "./kinds.ts";
import { type Outcome, rehearseConnection } from "./rehearse.ts";
import { openWorld, type World } from "./world.ts";

const hasPeers = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so"), requirePeer("sshd")].every(Boolean);
/** Of as many digits each: where in a stream an image lies follows from the length of its UIDs. */
const FIRST_SEED = 20_000;

const secondsOf: Record<string, number> = {};
afterAll(() => recordFigures(secondsOf));

async function expectAsTold(kind: FailureKind, rehearse: () => Promise<Outcome>): Promise<void> {
  const startedAtMs = performance.now();
  const { seen, end, isDamageUnseen = false } = kind;
  expect(await rehearse()).toEqual({ seen, end, problems: [], isDamageUnseen });
  secondsOf[kind.name] = Math.round((performance.now() - startedAtMs) / 1_000);
}

describe.skipIf(!hasPeers).concurrent("a study comes to what the table of failures says", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    return () => world[Symbol.asyncDispose]();
  });

  it.each(CONNECTION_KINDS.map((kind, index) => ({ kind, index, name: kind.name })))("$name", ({ kind, index }) =>
    expectAsTold(kind, () => rehearseConnection(kind, world, FIRST_SEED + index)),
  );
});
