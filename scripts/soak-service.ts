/** `soak-service.ts CONFIG SPEED`: what `serve` runs, in a process of its own that tells how it is when its parent asks. */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { loadSettings } from "../src/config/load-settings.ts";
import { openGateway } from "../src/gateway/open-gateway.ts";
import type { Clock } from "../src/units/clock.ts";
import { silentLogger } from "../src/units/logger.ts";
import type { ServiceAnswer, ServiceQuestion, ServiceState } from "./soak-protocol.ts";

const [file = "", speedText = "1"] = process.argv.slice(2);
const speed = Number(speedText);
const startedAtMs = Date.now();
/** Its hours pass faster where they are asked to: retention is kept by the hour. */
const clock: Clock = {
  nowMs: () => startedAtMs + (Date.now() - startedAtMs) * speed,
  sleep: (durationMs, signal) => delay(durationMs / speed, undefined, signal === undefined ? {} : { signal }),
};

const { settings } = await loadSettings({ file, environment: {}, cwd: dirname(file) });
const gateway = await openGateway({ settings, mode: "serve", logger: silentLogger, clock });
const eventLoop = monitorEventLoopDelay({ resolution: 10 });
eventLoop.enable();
const say = (answer: ServiceAnswer): void => void process.send?.(answer);

process.on("message", (question: ServiceQuestion) => {
  void answerTo(question).catch((thrown: unknown) => say({ kind: "failed", why: String(thrown) }));
});
say({ kind: "ready", dicomPort: gateway.dicomPort ?? 0 });

async function answerTo(question: ServiceQuestion): Promise<void> {
  if (question.kind === "stop") {
    await gateway.drain();
    await gateway[Symbol.asyncDispose]();
    process.disconnect();
  } else if (question.kind === "submit") {
    const { cohort } = await gateway.operations.submitCohort(question.path, question.project);
    say({ kind: "submitted", cohort });
  } else {
    const { done, states } = await gateway.operations.cohortStatus(question.cohort);
    say({ kind: "state", done, states, ...stateNow() });
  }
}

function stateNow(): ServiceState {
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const state = {
    ...{ rssBytes: rss, heapBytes: heapUsed, externalBytes: external, processorMs: (user + system) / 1_000 },
    handles: process.getActiveResourcesInfo().length,
    openFiles: readdirSync("/proc/self/fd").length,
    delayMs: eventLoop.percentile(99) / 1e6,
  };
  eventLoop.reset();
  return state;
}
