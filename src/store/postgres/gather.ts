import { GatewayError } from "../../errors/gateway-error.ts";

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (answer: R) => void;
  readonly reject: (thrown: unknown) => void;
}

/**
 * What is asked while an answer is under way is asked together when it is there: one round trip and one sync of the server's log serve all.
 * Nobody waits for others to come. What waits is limited by who asks.
 * @param most items of one question
 * @param ask answers the first of the items, one at least; the rest is asked again. What it throws, each of them is told
 */
export function gather<T, R>(
  most: number,
  ask: (items: readonly T[]) => Promise<readonly R[]>,
): (item: T) => Promise<R> {
  let waiting: Waiting<T, R>[] = [];
  let isUnderWay = false;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        const answers = await ask(batch.map(({ item }) => item));
        if (answers.length === 0) throw new GatewayError("INTERNAL", { what: "nothing was answered" });
        for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer);
        waiting = [...batch.slice(answers.length), ...waiting];
      } catch (thrown) {
        for (const { reject } of batch) reject(thrown);
      }
    }
    isUnderWay = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isUnderWay) return;
      isUnderWay = true;
      // What is asked in this turn goes along.
      setImmediate(work);
    });
}
