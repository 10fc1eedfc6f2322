/** Memory of one size that is used again: much of it that comes and goes outside of the heap has all of the heap collected. */
export interface SpareMemory {
  /** With whatever is left in it. */
  take(): Buffer;
  /** Nobody else may hold it any more, or a view of it. */
  giveBack(memory: Buffer): void;
}

/**
 * @param maximumKept what is given back beyond so many is left to the garbage collector
 * @param isShared other threads may have views of it without a copy
 */
export function createSpareMemory(sizeBytes: number, maximumKept: number, isShared = false): SpareMemory {
  const allocate = (): Buffer =>
    isShared ? Buffer.from(new SharedArrayBuffer(sizeBytes)) : Buffer.allocUnsafeSlow(sizeBytes);
  const kept: Buffer[] = [];
  return {
    take: () => kept.pop() ?? allocate(),
    giveBack(memory) {
      if (kept.length < maximumKept && memory.length === sizeBytes) kept.push(memory);
    },
  };
}
