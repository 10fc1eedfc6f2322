import type { Settings } from "../config/settings.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { startDimseServer } from "../network/dimse/server.ts";
import type { DimseServer, StoreHandler } from "../network/dimse/service-types.ts";
import { STATUS } from "../network/dimse/status.ts";
import type { RehearsalListener } from "../operations/context.ts";
import type { Logger } from "../units/logger.ts";

/** For what only looks: nothing that is sent to it is kept. */
export const refuseEverything: StoreHandler = () => Promise.resolve({ refuse: STATUS.notAuthorized });

/** Our DICOM listener. @throws GatewayError LISTENER_PORT_IN_USE */
export async function openListener({ dicom }: Settings, store: StoreHandler, logger: Logger): Promise<DimseServer> {
  const { aeTitle, host, port } = dicom;
  return await startDimseServer({ aeTitle, host, port, handlers: { store }, logger }).catch((thrown: unknown) => {
    // It makes no other connection than the one it waits for.
    const isTaken = toGatewayError(thrown).code === "CONNECTION_FAILED";
    throw isTaken ? new GatewayError("LISTENER_PORT_IN_USE", { host, port }, thrown) : thrown;
  });
}

/** Our listener refusing everything, and counting. Undefined when the port is taken, as by a running service. */
export async function openRehearsalListener(
  settings: Settings,
  logger: Logger,
): Promise<RehearsalListener | undefined> {
  let arrivals = 0;
  const store: StoreHandler = (...instance) => {
    arrivals += 1;
    return refuseEverything(...instance);
  };
  try {
    const server = await openListener(settings, store, logger);
    return {
      get arrivals() {
        return arrivals;
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  } catch (thrown) {
    if (toGatewayError(thrown).code === "LISTENER_PORT_IN_USE") return undefined;
    throw thrown;
  }
}
