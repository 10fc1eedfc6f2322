import { loadTlsServer, loadUserRules } from "../config/peer-credentials.ts";
import type { Settings } from "../config/settings.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { startDimseServer } from "../network/dimse/server.ts";
import type {
  CommitmentRequestHandler,
  DimseServer,
  DimseServerOptions,
  StoreHandler,
} from "../network/dimse/service-types.ts";
import { STATUS } from "../network/dimse/status.ts";
import type { RehearsalListener } from "../operations/context.ts";
import { systemCodeOf } from "../units/durable-files.ts";
import type { Logger } from "../units/logger.ts";
import { isServed } from "./home-lock.ts";

/** For what only looks: nothing that is sent to it is kept. */
export const refuseEverything: StoreHandler = () => Promise.resolve({ refuse: STATUS.notAuthorized });

export type ListenerSettings = Pick<Settings, "dicom">;

/** Where we listen; a port is undefined when nothing listens that way. */
export interface Listener extends AsyncDisposable {
  readonly port: number | undefined;
  readonly tlsPort: number | undefined;
}

export const NO_LISTENER: Listener = { port: undefined, tlsPort: undefined, async [Symbol.asyncDispose]() {} };

export interface ListenerServices {
  readonly store: StoreHandler;
  readonly commitmentRequest?: CommitmentRequestHandler | undefined;
  readonly logger: Logger;
  readonly onViolation?: NonNullable<DimseServerOptions["onViolation"]>;
}

/** Our DICOM listeners: plain, over TLS, or both. @throws GatewayError LISTENER_PORT_IN_USE, CERTIFICATE_…, SECRET_FILE_…, PASSWORD_FILE_MALFORMED */
export async function openListener({ dicom }: ListenerSettings, services: ListenerServices): Promise<Listener> {
  const { aeTitle, host, maximumPduLength, tls } = dicom;
  const rules = { ...dicom.rules, ...(await loadUserRules(dicom.users)) };
  const { store, commitmentRequest, ...others } = services;
  const common = { aeTitle, host, rules, maximumPduLength, handlers: { store, commitmentRequest }, ...others };
  await using opened = new AsyncDisposableStack();
  const overTls = tls && opened.use(await listen({ ...common, port: tls.port, tls: await loadTlsServer(tls.files) }));
  const plain = tls?.only === true ? undefined : opened.use(await listen({ ...common, port: dicom.port }));
  const closing = opened.move();
  return { port: plain?.port, tlsPort: overTls?.port, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

async function listen(options: DimseServerOptions): Promise<DimseServer> {
  const { host, port } = options;
  return await startDimseServer(options).catch((thrown: unknown) => {
    // It makes no other connection than the one it waits for.
    const { code, cause } = toGatewayError(thrown);
    if (code !== "CONNECTION_FAILED") throw thrown;
    throw new GatewayError("LISTENER_PORT_IN_USE", { host, port, cause: systemCodeOf(cause) ?? "unknown" }, thrown);
  });
}

/**
 * Our listener refusing everything, and counting. Undefined when a running service of the home has a port.
 * @throws GatewayError LISTENER_PORT_IN_USE when another program has it, and what keeps it from listening at all
 */
export async function openRehearsalListener(
  settings: ListenerSettings & Pick<Settings, "home">,
  logger: Logger,
): Promise<RehearsalListener | undefined> {
  let arrivals = 0;
  const store: StoreHandler = (...instance) => {
    arrivals += 1;
    return refuseEverything(...instance);
  };
  try {
    const listener = await openListener(settings, { store, logger });
    return {
      get arrivals() {
        return arrivals;
      },
      [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
    };
  } catch (thrown) {
    if (toGatewayError(thrown).code === "LISTENER_PORT_IN_USE" && isServed(settings.home)) return undefined;
    throw thrown;
  }
}
