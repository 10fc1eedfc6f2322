/** Asks for many at once what others ask for one by one. */
export type Together<Item, Answer> = (item: Item) => Promise<Answer>;

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * One question is under way at a time; what comes meanwhile is the next. When one for several fails, each of them is asked for alone, so that none
 * spoils it for the others.
 * @param ask answers as many as it is asked for, in their order
 * @param atMost items of one question
 * @param ready what the next question waits for, beside the end of the one before; it never rejects
 */
export function together<Item, Answer>(
  ask: (items: readonly Item[]) => Promise<readonly Answer[]>,
  atMost: number,
  ready?: () => Promise<void> | undefined,
): Together<Item, Answer> {
  const waiting: Waiting<Item, Answer>[] = [];
  let isAsking = false;

  const askOne = async ({ item, resolve, reject }: Waiting<Item, Answer>): Promise<void> => {
    try {
      const [answer] = await ask([item]);
      resolve(answer as Answer);
    } catch (thrown) {
      reject(thrown);
    }
  };
  const askAll = async (group: readonly Waiting<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await ask(group.map(({ item }) => item));
      for (const [index, { resolve }] of group.entries()) resolve(answers[index] as Answer);
    } catch {
      for (const one of group) await askOne(one);
    }
  };
  const askOn = async (): Promise<void> => {
    // What is asked for within the same turn goes along.
    await Promise.resolve();
    while (waiting.length > 0) {
      await ready?.();
      const group = waiting.splice(0, atMost);
      const [only] = group;
      await (group.length === 1 && only !== undefined ? askOne(only) : askAll(group));
    }
    isAsking = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isAsking) return;
      isAsking = true;
      void askOn();
    });
}
