import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import type { InstanceStore } from "./incoming.ts";
import { InstanceError } from "./instance-error.ts";
import { openInstanceFolder } from "./instance-folder.ts";
import { keepInstances } from "./keep-instance.ts";

const study = syntheticStudy({ seed: 861, modality: "CT", instancesPerSeries: 3, rows: 8, columns: 8 });
const target = { studyInstanceUid: study.studyInstanceUid };
const names = study.instances.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`);

/** The body of a part. */
const part = (file: Uint8Array) => ({
  async pipe(sink: (pieces: readonly Uint8Array[]) => void | Promise<void>) {
    await sink([file.subarray(0, 100)]);
    await sink([file.subarray(100)]);
    return file.length;
  },
});

it("the next instance comes while one is kept, and no more", async () => {
  await using folder = await temporaryFolder();
  const store = await openInstanceFolder(folder.path, systemClock);
  const begun: number[] = [];
  const keptWhenBegun: number[] = [];
  let kept = 0;
  const watched: InstanceStore<string> = {
    async begin() {
      begun.push(begun.length);
      keptWhenBegun.push(kept);
      const incoming = await store.begin();
      return {
        write: (pieces) => incoming.write(pieces),
        source: () => incoming.source(),
        async keep(uid) {
          const path = await incoming.keep(uid);
          kept += 1;
          return path;
        },
        discard: () => incoming.discard(),
      };
    },
  };
  const open = async function* () {
    for (const { file } of study.instances) yield part(file);
  };
  const taken = await Array.fromAsync(keepInstances(open, watched, target, neverAborted()));
  expect(taken.map((each) => !(each instanceof InstanceError) && each.facts.sopInstanceUid)).toEqual(
    study.instances.map(({ sopInstanceUid }) => sopInstanceUid),
  );
  // The second is begun before the first is kept; the third waits until somebody has taken the first.
  expect(keptWhenBegun).toEqual([0, 0, 1]);
  expect((await readdir(folder.path)).sort()).toEqual([...names].sort());
});

it("what comes after the one that somebody wanted is given up, though its sender never ends", async () => {
  await using folder = await temporaryFolder();
  const store = await openInstanceFolder(folder.path, systemClock);
  const [first] = study.instances;
  if (first === undefined) throw new Error("no instance");
  const open = async function* (signal: AbortSignal) {
    yield part(first.file);
    await once(signal, "abort");
    signal.throwIfAborted();
    yield part(first.file);
  };
  for await (const _ of keepInstances(open, store, target, neverAborted())) break;
  expect(await readdir(folder.path)).toEqual([names[0]]);
});
