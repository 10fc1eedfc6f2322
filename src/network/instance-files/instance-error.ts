import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";

/** An error about certain instances: what came was not kept, or what was sent not taken. UIDs are identifiers: they stand in a property, never in message or details. */
export class InstanceError extends GatewayError {
  override readonly name = "InstanceError";
  /** SOP Instance UIDs concerned, as far as they are known. */
  readonly instances: readonly string[];

  constructor(error: Pick<GatewayError, "code" | "details" | "cause">, instances: readonly string[]) {
    super(error.code, error.details, error.cause);
    this.instances = instances;
  }
}

/** What is wrong with one instance alone; the stream that it came in may bring others. */
const OF_ONE_INSTANCE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "INSTANCE_DUPLICATE",
  "INSTANCE_INCOMPLETE",
  "INSTANCE_MISMATCH",
  "INSTANCE_TRANSFER_SYNTAX_UNEXPECTED",
  "INSTANCE_UNREADABLE",
  "INSTANCE_UNSOLICITED",
]);

/** Whether the next instance of the same stream may fare better. */
export function costsItselfAlone(thrown: unknown): boolean {
  return OF_ONE_INSTANCE.has(toGatewayError(thrown).code);
}
