import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { AcceptorDecision, NegotiatedContext } from "../../upper-layer/negotiation.ts";
import { type AssociateRequest, CONTEXT_RESULT } from "../../upper-layer/pdu.ts";
import { hasDataSet } from "../command-set.ts";
import { collectDataSet, type Message } from "../message-reader.ts";
import { DimseSession } from "../session.ts";
import { completeTimeouts } from "../timeouts.ts";

const MAXIMUM_PDU_LENGTH = 16_384;

/** A request that came in, with its whole data set. */
export interface ScriptedRequest {
  readonly session: DimseSession;
  readonly message: Message;
  readonly dataSet: Uint8Array | undefined;
}

export interface ScriptedProviderOptions {
  /** Says and does whatever the test wants, however wrong. Runs beside the reading of the association. */
  readonly onRequest: (request: ScriptedRequest) => void | Promise<void>;
  /** What is accepted; everything when absent. */
  readonly accepts?: (abstractSyntaxUid: string, transferSyntaxUid: string) => boolean;
  /** False: it says nothing about roles. Those proposed are granted when absent. */
  readonly grantsRoles?: boolean;
}

export interface ScriptedProvider extends AsyncDisposable {
  readonly port: number;
  /** Command fields of all requests so far, C-CANCEL included. */
  readonly commands: readonly number[];
  /** Associations so far. */
  readonly associations: number;
  /** Settles when an association has ended: with the error, or undefined when it was released. */
  readonly ended: Promise<unknown>;
}

/** Agrees to the roles that are proposed, and to the first transfer syntax that it accepts. */
function agreeTo(
  request: AssociateRequest,
  { accepts = () => true, grantsRoles = true }: ScriptedProviderOptions,
): AcceptorDecision {
  const roleSelections = grantsRoles ? request.userInformation.roleSelections : [];
  const roles = new Map(roleSelections.map((role) => [role.sopClassUid, role]));
  const contexts: NegotiatedContext[] = [];
  const answers = request.contexts.map(({ id, abstractSyntaxUid, transferSyntaxUids }) => {
    const transferSyntaxUid = transferSyntaxUids.find((uid) => accepts(abstractSyntaxUid, uid));
    const { scu, scp } = roles.get(abstractSyntaxUid) ?? { scu: true, scp: false };
    if (transferSyntaxUid === undefined) {
      return { id, result: CONTEXT_RESULT.transferSyntaxesNotSupported, transferSyntaxUid: "" };
    }
    contexts.push({ id, abstractSyntaxUid, transferSyntaxUid, requestorIsScu: scu, requestorIsScp: scp });
    return { id, result: CONTEXT_RESULT.acceptance, transferSyntaxUid };
  });
  const userInformation = { ...request.userInformation, roleSelections, maximumPduLength: MAXIMUM_PDU_LENGTH };
  const accept = { ...request, kind: "A-ASSOCIATE-AC" as const, contexts: answers, userInformation };
  return { answer: { accept }, contexts };
}

/** A provider that is whole below its DIMSE messages and plays a part above. */
export async function startScriptedProvider(options: ScriptedProviderOptions): Promise<ScriptedProvider> {
  const sessions = new Set<DimseSession>();
  const commands: number[] = [];
  const ended = Promise.withResolvers<unknown>();
  const server = createServer({ noDelay: true }, (socket) => {
    const session = new DimseSession({
      socket,
      timeouts: completeTimeouts(undefined),
      maximumPduLength: MAXIMUM_PDU_LENGTH,
      negotiation: {
        decide: (request) => agreeTo(request, options),
      },
      onRequest: (_, message) => {
        commands.push(message.command.commandField ?? 0);
        const play = async (dataSet: Uint8Array | undefined): Promise<void> => {
          await options.onRequest({ session, message, dataSet });
        };
        const start = (dataSet?: Uint8Array): undefined => {
          play(dataSet).catch(() => session.abort(new GatewayError("INTERNAL")));
        };
        return hasDataSet(message.command) ? collectDataSet(start) : start();
      },
    });
    sessions.add(session);
    session.signal.addEventListener("abort", () => ended.resolve(session.signal.reason), { once: true });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    get associations() {
      return sessions.size;
    },
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.abort(new GatewayError("CANCELLED"));
      server.close();
      await once(server, "close");
    },
  };
}
