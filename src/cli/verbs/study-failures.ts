import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { FailureDocument } from "../../operations/insight-operations.ts";
import type { Cli } from "../cli.ts";
import { areCounted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { alignedLines } from "../table.ts";

export interface RetryOptions {
  readonly code?: ErrorCode;
  readonly project?: string;
  readonly cohort?: string;
}

const NOT_RETRIED =
  "nothing to retry: the study is done, left out, or under way; one that waits is tried again by itself (radferry study show)";

/** Of one study, or of all that ended with a code. */
export async function retry(cli: Cli, id: string | undefined, options: RetryOptions): Promise<ExitCode> {
  const { code, project, cohort } = options;
  const of = { ...(project === undefined ? {} : { project }), ...(cohort === undefined ? {} : { cohort }) };
  if ((id === undefined) === (code === undefined) || (id !== undefined && Object.keys(of).length > 0))
    throw new GatewayError("USAGE_INVALID", { problem: "name a study, or a code with --code" });
  await using gateway = await openGateway(cli, "client");
  const { operations } = gateway;
  if (code !== undefined) {
    const { retried } = await operations.retryFailures(code, of);
    await cli.printer.document({ code, ...of, retried }, () => [`${areCounted(retried, "study")} queued again`]);
  } else if (id !== undefined) {
    const { retried } = await operations.retryStudy(id);
    const line = retried === 0 ? NOT_RETRIED : "the study is queued again";
    await cli.printer.document({ id, retried }, () => [line]);
  }
  return EXIT.fine;
}

export async function listFailures(cli: Cli, of: { readonly project?: string }): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const failures = await gateway.operations.listFailures(of);
  await cli.printer.document(failures, () => failureLines(failures));
  return EXIT.fine;
}

function* failureLines(failures: readonly FailureDocument[]): Generator<string> {
  if (failures.length === 0) yield "nothing went wrong";
  for (const { code, message, remedy, studies, waiting, projects } of failures) {
    const many = studies > 0 ? `${studies} x ${code}` : code;
    const again = waiting > 0 ? ` ${waiting}${studies > 0 ? " more" : ""} will be tried again.` : "";
    yield `${many}: ${message}${again}`;
    yield `  What to do: ${remedy}`;
    yield* alignedLines(Object.entries(projects).map(([project, count]) => [`  ${project}`, `${count}`]));
  }
}
