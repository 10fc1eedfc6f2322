import { toGatewayError } from "../../errors/gateway-error.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { StatusDocument, SubmitDocument } from "../../operations/documents.ts";
import type { Cli } from "../cli.ts";
import { openGateway } from "../gateway-session.ts";
import { openLongProgress, type Progress } from "../progress.ts";
import { finishedCount, stateSummary } from "../state-words.ts";

const POLL_MS = 500;
/** How often, in polls, it is tried to take over from a service that may have ended. */
const POLLS_BETWEEN_TAKEOVERS = 10;

/**
 * Hands in a cohort and stays until it is done or a signal asks to stop. Without a service on the home this process does the work;
 * when the service that did it ends, this process takes over.
 */
export async function submitAndWait(
  cli: Cli,
  file: string,
  project: string,
  options: { readonly startAtMs?: number } = {},
): Promise<{ readonly submitted: SubmitDocument; readonly status: StatusDocument }> {
  await using session = await openSession(cli);
  const submitted = await session.operations().submitCohort(file, project, options);
  using progress = await openLongProgress(cli.world.stderr, "studies", cli.world.clock);
  const status = await poll(cli, session, submitted.cohort, progress);
  if (!status.done) cli.printer.note("radferry: stopped before the cohort was done; it goes on when a service runs");
  const jobs = cli.printer.json ? false : status.total > 0;
  return { submitted, status: jobs ? await session.operations().cohortStatus(submitted.cohort, { jobs }) : status };
}

async function poll({ world }: Cli, session: Session, cohort: string, progress: Progress): Promise<StatusDocument> {
  for (let polls = 1; ; polls += 1) {
    const status = await session.operations().cohortStatus(cohort);
    progress.update(finishedCount(status), status.total, stateSummary(status));
    if (status.done || world.stop.aborted) return status;
    await world.clock.sleep(POLL_MS, world.stop).catch((thrown: unknown) => {
      if (!world.stop.aborted) throw thrown;
    });
    if (polls % POLLS_BETWEEN_TAKEOVERS === 0) await session.takeOver();
  }
}

interface Session extends AsyncDisposable {
  operations(): Gateway["operations"];
  /** Becomes the worker when nobody works on the home any more. */
  takeOver(): Promise<void>;
}

async function openSession(cli: Cli): Promise<Session> {
  let worker = await openWorker(cli);
  let gateway = worker ?? (await openGateway(cli, "client"));
  return {
    operations: () => gateway.operations,
    async takeOver() {
      if (worker !== undefined) return;
      worker = await openWorker(cli);
      if (worker === undefined) return;
      await gateway[Symbol.asyncDispose]();
      gateway = worker;
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

/** Undefined while another process works on the home. */
async function openWorker(cli: Cli): Promise<Gateway | undefined> {
  try {
    // A log would break the bar into pieces; the states tell the same.
    return await openGateway(cli, "worker", cli.world.stderr.isTTY ? "error" : "warn");
  } catch (thrown) {
    if (toGatewayError(thrown).code === "HOME_IN_USE") return undefined;
    throw thrown;
  }
}
