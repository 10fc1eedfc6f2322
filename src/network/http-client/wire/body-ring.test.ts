import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PieceIterator } from "../body-queue.ts";
import { createBodyRing } from "./body-ring.ts";

const BLOCK_BYTES = 1024 * 1024;

function createFlow() {
  const flow = {
    isPaused: false,
    left: [] as boolean[],
    pause() {
      flow.isPaused = true;
    },
    resume() {
      flow.isPaused = false;
    },
  };
  const ring = createBodyRing(flow);
  const begin = () => ring.begin((isRead) => flow.left.push(isRead));
  /** As the socket does: writes to the room that it was given. */
  const fill = (sizeBytes: number, byte: number): number => {
    const { memory, from } = ring.room();
    const length = Math.min(sizeBytes, memory.length - from);
    memory.fill(byte, from, from + length);
    ring.fill(length);
    return length;
  };
  return { flow, ring, begin, fill };
}

function borrowed(pieces: ReturnType<ReturnType<typeof createFlow>["begin"]>): PieceIterator {
  const iterator = pieces.borrow?.();
  if (iterator === undefined) throw new Error("nothing is lent");
  return iterator;
}

describe("a body in memory that is used again", () => {
  it("gives what has come as it lies, and what comes meanwhile next", async () => {
    const { begin, fill, ring, flow } = createFlow();
    const pieces = borrowed(begin());
    fill(10, 1);
    fill(20, 2);
    expect(bytesOf(pieces.takeNow?.())).toEqual([...Array(10).fill(1), ...Array(20).fill(2)]);
    expect(pieces.takeNow?.()).toBeUndefined();
    const waiting = pieces.next();
    fill(1, 3);
    expect(bytesOf((await waiting).value)).toEqual([3]);
    ring.end();
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
    expect(flow.left).toEqual([true]);
  });

  it("holds the socket back when the reader is behind, and lets it go on when memory is given back", () => {
    const { begin, fill, flow } = createFlow();
    const pieces = borrowed(begin());
    fill(BLOCK_BYTES, 1);
    expect(flow.isPaused).toBe(false);
    fill(BLOCK_BYTES, 2);
    expect(flow.isPaused).toBe(true);
    pieces.takeNow?.();
    expect(flow.isPaused).toBe(true);
    pieces.takeNow?.();
    expect(flow.isPaused).toBe(false);
  });

  it("never writes to what is lent, and loses nothing, whoever is faster", () => {
    const step = fc.record({ isTaken: fc.boolean(), bytes: fc.integer({ min: 1, max: BLOCK_BYTES }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { begin, fill, flow } = createFlow();
        const pieces = borrowed(begin());
        const sent: number[] = [];
        const came: number[] = [];
        let lent: { readonly bytes: Uint8Array; readonly before: string } | undefined;
        const take = (): boolean => {
          if (lent !== undefined) {
            expect(sumOf(lent.bytes)).toBe(lent.before);
            came.push(...runsOf(lent.bytes));
          }
          const bytes = pieces.takeNow?.();
          lent = bytes && { bytes, before: sumOf(bytes) };
          return bytes !== undefined;
        };
        for (const [number, { isTaken, bytes }] of steps.entries()) {
          if (isTaken) take();
          // TLS brings more although it is held back, once.
          else if (!flow.isPaused || number % 7 === 0) {
            fill(bytes, number + 1);
            sent.push(number + 1);
          }
        }
        while (take());
        expect(came.filter((byte, index) => byte !== came[index - 1])).toEqual(sent);
      }),
      { numRuns: 12 },
    );
  });

  it("tells what went wrong behind what came, as often as it is asked", async () => {
    const { begin, fill, ring, flow } = createFlow();
    const pieces = borrowed(begin());
    fill(1, 7);
    ring.end(new Error("cut"));
    expect(bytesOf((await pieces.next()).value)).toEqual([7]);
    await expect(pieces.next()).rejects.toThrow("cut");
    await expect(pieces.next()).rejects.toThrow("cut");
    expect(flow.left).toEqual([false]);
  });

  it("gives a reader that borrows nothing pieces of its own", async () => {
    const { begin, fill, ring } = createFlow();
    const pieces: Uint8Array[] = [];
    const reading = (async () => {
      for await (const piece of begin()) pieces.push(piece);
    })();
    for (let block = 1; block <= 10; block += 1) {
      fill(BLOCK_BYTES, block);
      await setImmediate();
    }
    ring.end();
    await reading;
    expect(pieces.flatMap(runsOf)).toEqual(Array.from({ length: 10 }, (_, index) => index + 1));
  });

  it("has nothing of the next answer for the reader of the last", async () => {
    const { begin, fill, ring, flow } = createFlow();
    const first = borrowed(begin());
    ring.end();
    await first.next();
    const second = borrowed(begin());
    fill(1, 9);
    expect(first.takeNow?.()).toBeUndefined();
    expect((await first.next()).done).toBe(true);
    await first.return?.();
    expect(bytesOf(second.takeNow?.())).toEqual([9]);
    expect(flow.left).toEqual([true]);
  });

  it("tells whether anything was left when its reader leaves", async () => {
    for (const [isTaken, isAsked, expected] of [
      [false, false, false],
      [true, false, false],
      [true, true, true],
    ] as const) {
      const { begin, fill, ring } = createFlow();
      const pieces = borrowed(begin());
      fill(1, 1);
      if (isTaken) pieces.takeNow?.();
      if (isAsked) pieces.takeNow?.();
      expect(ring.leave()).toBe(expected);
    }
  });
});

function bytesOf(value: unknown): readonly number[] | undefined {
  return value instanceof Uint8Array ? [...value] : undefined;
}

function sumOf(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

/** Each byte that differs from the one before it. */
function runsOf(bytes: Uint8Array): number[] {
  const runs: number[] = [];
  let last: number | undefined;
  for (const byte of bytes) {
    if (byte !== last) runs.push(byte);
    last = byte;
  }
  return runs;
}
