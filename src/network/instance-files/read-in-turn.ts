import type { ParseOptions } from "../../dicom/parser-state.ts";
import { createSemaphore } from "../../units/semaphore.ts";

/**
 * What is sent to us may be made to take hundreds of times its bytes while it is read: deflated, or nothing but elements. The limits of an object hold
 * for all of them together where few are read at once, whoever sends them.
 */
const READ_AT_ONCE = 4;
const INFLATED_AT_ONCE = 1;
const reading = createSemaphore(READ_AT_ONCE);
const inflating = createSemaphore(INFLATED_AT_ONCE);

/** To be given to what reads. */
export type TurnOptions = Pick<ParseOptions, "beforeInflating">;

/** Reads a header when it is its turn; whatever it was inflated from is let go with it. */
export async function readInTurn<T>(
  read: (options: TurnOptions) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  using _turn = await reading.acquire(signal);
  return await inflateInTurn(read, signal);
}

/** The same of what is too short to be anything much, other than by being deflated. */
export async function inflateInTurn<T>(
  read: (options: TurnOptions) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  using held = new DisposableStack();
  return await read({
    beforeInflating: async () => void held.use(await inflating.acquire(signal)),
  });
}
