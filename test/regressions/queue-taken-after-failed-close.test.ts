import { EventEmitter } from "node:events";
import { expect, it, vi } from "vitest";
import { type IntakeOptions, startIntake } from "../../src/compat/pixl/intake/intake.ts";
import { createTokenBuckets } from "../../src/compat/pixl/intake/token-buckets.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { systemClock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";

/** A consumer of the library's own kind: one whose close was cut off by a lost connection stays closing, and never starts again. */
class CutOffConsumer extends EventEmitter {
  state: "closed" | "open" | "closing" = "closed";
  readonly #isCutOff: boolean;

  constructor(isCutOff: boolean) {
    super();
    this.#isCutOff = isCutOff;
  }

  start(): void {
    if (this.state === "closed") this.state = "open";
  }

  async close(): Promise<void> {
    this.state = "closing";
    if (this.#isCutOff) throw new Error("channel closed");
    this.state = "closed";
  }
}

function createBroker(trouble?: GatewayError) {
  const consumers: CutOffConsumer[] = [];
  const consumer = (queue: string) => {
    const made = new CutOffConsumer(true);
    if (queue === "imaging-primary") consumers.push(made);
    return made;
  };
  const broker: IntakeOptions["broker"] = { trouble, consumer, publish: async () => undefined };
  return { broker, consumers };
}

const store = {
  unfinishedInboxMessages: async () => 0,
  addInboxMessage: async () => ({ id: "1", isJoined: false }),
};

it("takes from a queue again after the broker went away while the queue was closed", async () => {
  const buckets = createTokenBuckets(systemClock, 1);
  const { broker, consumers } = createBroker();
  const common = { store, buckets, maximumUnfinished: 1, clock: systemClock, logger: silentLogger };
  await using intake = startIntake({ ...common, broker });
  const newest = () => consumers.at(-1)?.state;
  await vi.waitFor(() => expect(newest()).toBe("open"));
  buckets.setRate(0);
  await vi.waitFor(() => expect(newest()).toBe("closing"));
  buckets.setRate(1);
  await vi.waitFor(() => expect(newest()).toBe("open"));
  expect(intake.state()["imaging-primary"]).toBe("taking");
});

it("does not wait for a connection to come before it ends", async () => {
  const { broker, consumers } = createBroker(new GatewayError("PIXL_BROKER_UNAVAILABLE"));
  const never = vi.fn(() => new Promise<void>(() => undefined));
  const buckets = createTokenBuckets(systemClock, 1);
  const common = { store, buckets, maximumUnfinished: 1, clock: systemClock, logger: silentLogger };
  const intake = startIntake({ ...common, broker });
  await vi.waitFor(() => expect(consumers).toHaveLength(1));
  for (const consumer of consumers) consumer.close = never;
  await intake[Symbol.asyncDispose]();
  expect(never).toHaveBeenCalled();
});
