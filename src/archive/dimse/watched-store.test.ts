import { expect, it } from "vitest";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import type { IncomingInstance } from "../../network/dimse/service-types.ts";
import { watchStore } from "./watched-store.ts";

const signal = new AbortController().signal;

function incoming(sopInstanceUid: string, transferSyntaxUid: string): IncomingInstance {
  return {
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    sopInstanceUid,
    transferSyntaxUid,
    callingAeTitle: "ARCHIVE",
    calledAeTitle: "RADFERRY",
    remoteAddress: "127.0.0.1",
  };
}

it("keeps the first copy of an instance when a second one comes converted", async () => {
  const { received, handler } = memoryStore();
  const watched = watchStore(handler);
  for (const [syntax, bytes] of [
    ["1.2.840.10008.1.2.1", "as it was"],
    ["1.2.840.10008.1.2.4.50", "converted"],
  ] as const) {
    const sink = await watched.handler(incoming("1.2.3", syntax), signal);
    if ("refuse" in sink) throw new Error("refused");
    await sink.write(Buffer.from(bytes));
    expect(await sink.close()).toBe(0x0000);
  }
  expect(received.get("1.2.3")?.toString()).toBe("as it was");
  expect([[...watched.arrived], [...watched.refused]]).toEqual([["1.2.3"], []]);
});

it("tells what was refused, before its data set, within it or after it; what was cut off is neither", async () => {
  const watched = watchStore(async ({ sopInstanceUid }) =>
    sopInstanceUid === "1.1"
      ? { refuse: 0x0124 }
      : { write: () => {}, close: async () => 0xa700, abort: async () => {} },
  );
  expect(await watched.handler(incoming("1.1", "1.2"), signal)).toEqual({ refuse: 0x0124 });
  const second = await watched.handler(incoming("1.2", "1.2"), signal);
  if (!("refuse" in second)) expect(await second.close()).toBe(0xa700);
  const third = await watched.handler(incoming("1.3", "1.2"), signal);
  if (!("refuse" in third)) await third.abort();
  const fourth = await watched.handler(incoming("1.4", "1.2"), signal);
  if (!("refuse" in fourth)) await fourth.abort("INSTANCE_UID_DIFFERS");
  expect([[...watched.arrived], [...watched.refused]]).toEqual([[], ["1.1", "1.2", "1.4"]]);
});
