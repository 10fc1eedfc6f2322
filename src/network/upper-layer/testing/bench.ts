import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { associateAcceptPdu } from "../../../../test/peers/pdu-fixtures.ts";
import type { GatewayError } from "../../../errors/gateway-error.ts";
import type { AssociateAccept, Rejection } from "../pdu.ts";
import { decodePdu } from "../pdu-decoder.ts";
import { UpperLayer, type UpperLayerOptions, type UpperLayerTimeouts } from "../upper-layer.ts";

/** A-ASSOCIATE-AC of context 1 in the first syntax. */
const accept = decodePdu(0x02, associateAcceptPdu().subarray(6)) as AssociateAccept;

const WIRE_NAMES: Readonly<Record<number, string>> = {
  1: "RQ",
  2: "AC",
  3: "RJ",
  4: "DATA",
  5: "RELEASE-RQ",
  6: "RELEASE-RP",
  7: "ABORT",
};

/** Read when a timer starts: shortened for one state only, they cannot run out on the way to it. */
type MutableTimeouts = { -readonly [K in keyof UpperLayerTimeouts]: UpperLayerTimeouts[K] };

/** The two ends of one loopback connection. */
async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connecting = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[accepted]] = await Promise.all([once(server, "connection"), once(connecting, "connect")]);
  server.close();
  return [connecting, accepted as Socket];
}

/** An upper layer under test, and the raw socket of its peer. */
export class Bench {
  readonly layer: UpperLayer;
  readonly peer: Socket;
  /** The layer's own end. */
  readonly socket: Socket;
  /** What the layer has told its user, in order. */
  readonly told: string[] = [];
  readonly violations: string[] = [];
  readonly timeouts: MutableTimeouts = { artimTimeoutMs: 5_000, idleTimeoutMs: 5_000 };
  /** What the user answers to a request for an association, and does before it answers. */
  answer: { readonly accept: AssociateAccept } | { readonly reject: Rejection } = { accept };
  beforeAnswer: () => void = () => {};
  onAccepted: () => void = () => {};
  onData: () => void = () => {};
  readonly #wire: string[] = [];
  #pending = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  static async open(role: UpperLayerOptions["role"], timeouts: Partial<UpperLayerTimeouts> = {}): Promise<Bench> {
    const [socket, peer] = await socketPair();
    return new Bench(role, socket, peer, timeouts);
  }

  private constructor(
    role: UpperLayerOptions["role"],
    socket: Socket,
    peer: Socket,
    timeouts: Partial<UpperLayerTimeouts>,
  ) {
    Object.assign(this.timeouts, timeouts);
    this.peer = peer;
    this.socket = socket;
    peer.on("error", () => peer.destroy());
    peer.on("data", (chunk: Buffer) => this.#onBytes(chunk));
    this.layer = new UpperLayer({
      role,
      socket,
      timeouts: this.timeouts,
      maximumPduLength: 16_384,
      user: {
        associateIndication: () => {
          this.beforeAnswer();
          return this.answer;
        },
        associateConfirmation: () => {
          this.onAccepted();
          this.#tell("accepted");
        },
        dataIndication: ({ bytes }) => {
          this.#tell(`data ${Buffer.from(bytes).toString()}`);
          this.onData();
        },
        ended: (error: GatewayError | undefined) => this.#tell(`ended ${error?.code ?? "in order"}`),
      },
      onViolation: (violation) => this.violations.push(violation),
    });
  }

  /** What the layer has sent since this was asked last: PDU types, and an abort's source and reason. */
  takeWire(): string {
    return this.#wire.splice(0).join(" ");
  }

  /** Resolves when the layer has sent this many PDUs, and forgets them. */
  async expectPdus(count: number): Promise<void> {
    await this.#until(() => this.#wire.length >= count);
    this.#wire.splice(0, count);
  }

  /** Resolves when the layer has told its user something, and forgets it. */
  async expectTold(): Promise<void> {
    await this.#until(() => this.told.length > 0);
    this.told.splice(0, 1);
  }

  /** The peer closes; resolves when both ends are closed. */
  async close(): Promise<void> {
    const closed = this.peer.closed ? undefined : once(this.peer, "close");
    this.peer.end();
    await Promise.all([this.layer.closed, closed]);
  }

  async #until(isReached: () => boolean): Promise<void> {
    while (!isReached()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #tell(line: string): void {
    this.told.push(line);
    this.#wake();
  }

  #onBytes(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 6 && this.#pending.length >= 6 + this.#pending.readUInt32BE(2)) {
      const end = 6 + this.#pending.readUInt32BE(2);
      const [type = 0] = this.#pending;
      const abort = type === 0x07 ? `(${this.#pending[8]},${this.#pending[9]})` : "";
      this.#wire.push(`${WIRE_NAMES[type]}${abort}`);
      this.#pending = this.#pending.subarray(end);
    }
    this.#wake();
  }
}
