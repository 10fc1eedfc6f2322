import type { Settings } from "../config/settings.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import { startDimseServer } from "../network/dimse/server.ts";
import type { StoreHandler } from "../network/dimse/service-types.ts";
import type { RehearsalListener } from "../operations/context.ts";

/** Refused: not authorized. PS3.7 annex C. */
const REFUSED_NOT_AUTHORIZED = 0x0124;

/** Our DICOM listener, refusing everything. Undefined when the port is taken, as by a running service. */
export async function openRehearsalListener({ dicom }: Settings): Promise<RehearsalListener | undefined> {
  let arrivals = 0;
  const store: StoreHandler = () => {
    arrivals += 1;
    return Promise.resolve({ refuse: REFUSED_NOT_AUTHORIZED });
  };
  try {
    const server = await startDimseServer({
      host: dicom.host,
      port: dicom.port,
      aeTitle: dicom.aeTitle,
      handlers: { store },
    });
    return {
      get arrivals() {
        return arrivals;
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  } catch (thrown) {
    if (toGatewayError(thrown).code === "CONNECTION_FAILED") return undefined;
    throw thrown;
  }
}
