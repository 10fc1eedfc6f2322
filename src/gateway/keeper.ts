import { errorFields } from "../observe/error-fields.ts";
import type { Logger } from "../units/logger.ts";
import { type Composition, partsOf } from "./composition.ts";

/** Has the composition that is in force, and closes what is not any more once nobody works with it. */
export interface Keeper extends AsyncDisposable {
  readonly current: Composition;
  /** What is in force now stays open until it is disposed. */
  hold(): Disposable;
  /** From now on the other one is in force. */
  replace(next: Composition): void;
}

/** @param logger is told when something cannot be closed */
export function createKeeper(first: Composition, logger: Logger): Keeper {
  let current = first;
  let number = 0;
  /** Who holds which composition, by its number. */
  const holders = new Map<number, number>();
  let retired: { readonly last: number; readonly part: AsyncDisposable }[] = [];
  const closing = new Set<Promise<void>>();

  const close = (part: AsyncDisposable): void => {
    const closed = Promise.resolve(part[Symbol.asyncDispose]())
      .catch((thrown: unknown) => logger.warn("something could not be closed", errorFields(thrown)))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };
  /** What came with an older composition may be worked with by whoever holds that one or an older one. */
  const sweep = (): void => {
    const oldest = Math.min(...holders.keys(), Number.POSITIVE_INFINITY);
    const free = retired.filter(({ last }) => last < oldest);
    retired = retired.filter(({ last }) => last >= oldest);
    for (const { part } of free) close(part);
  };

  return {
    get current() {
      return current;
    },
    hold() {
      const held = number;
      holders.set(held, (holders.get(held) ?? 0) + 1);
      return {
        [Symbol.dispose]() {
          const left = (holders.get(held) ?? 0) - 1;
          if (left > 0) holders.set(held, left);
          else holders.delete(held);
          sweep();
        },
      };
    },
    replace(next) {
      const kept = new Set(partsOf(next));
      const gone = partsOf(current).filter((part) => !kept.has(part));
      retired.push(...gone.map((part) => ({ last: number, part })));
      current = next;
      number += 1;
      sweep();
    },
    async [Symbol.asyncDispose]() {
      for (const part of [...partsOf(current), ...retired.map((each) => each.part)]) close(part);
      retired = [];
      await Promise.all(closing);
    },
  };
}
