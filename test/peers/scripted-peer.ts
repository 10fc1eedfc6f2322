import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** One thing a scripted peer does, in order. After the last one the connection stays open and silent. */
export type Step =
  /** Waits for a PDU of this type; any other one fails the script and ends the connection. */
  | { readonly expectPdu: number }
  | { readonly send: Uint8Array }
  | { readonly abruptly: "end" | "reset" }
  /** Waits until the other side has closed. */
  | { readonly expectEnd: true };

export interface ScriptedPeer extends AsyncDisposable {
  readonly port: number;
  /** Every whole PDU that came in so far, over all connections. */
  readonly received: readonly Buffer[];
  /** Settles when the script was played to its end once, or failed. */
  readonly played: Promise<void>;
}

/** A peer that plays a script on each connection, so that a protocol fault happens at the same byte every time. */
export async function startScriptedPeer(script: readonly Step[]): Promise<ScriptedPeer> {
  const sockets = new Set<Socket>();
  const received: Buffer[] = [];
  const { promise: played, resolve, reject } = Promise.withResolvers<void>();
  // Tests that do not ask how the script went see it in what the other side does.
  played.catch(() => {});
  const server = createServer((socket) => {
    sockets.add(socket);
    play(script, socket, received).then(resolve, reject);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received,
    played,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Plays a script as the one who connects; resolves with the PDUs that came in. @throws Error on an unexpected one. */
export async function playScript(port: number, script: readonly Step[]): Promise<readonly Buffer[]> {
  const received: Buffer[] = [];
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await play(script, socket, received);
  socket.destroy();
  return received;
}

async function play(script: readonly Step[], socket: Socket, received: Buffer[]): Promise<void> {
  socket.on("error", () => socket.destroy());
  const pdus = readPdus(socket, received);
  for (const step of script) {
    if ("expectPdu" in step) {
      const { value: pdu } = await pdus.next();
      if (pdu?.[0] !== step.expectPdu) {
        socket.destroy();
        throw new Error(`PDU of type ${step.expectPdu} expected, not ${pdu?.[0] ?? "the end"}`);
      }
    } else if ("send" in step) socket.write(step.send);
    else if ("expectEnd" in step) while ((await pdus.next()).done !== true);
    else if (step.abruptly === "reset") socket.resetAndDestroy();
    else socket.end();
  }
}

/** Whole PDUs: type (1 byte), reserved (1), length (4, big endian), then that many bytes. PS3.8 9.3.1. */
async function* readPdus(socket: Socket, received: Buffer[]): AsyncGenerator<Buffer, undefined> {
  let pending = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 6 && pending.length >= 6 + pending.readUInt32BE(2)) {
        const end = 6 + pending.readUInt32BE(2);
        received.push(pending.subarray(0, end));
        yield pending.subarray(0, end);
        pending = pending.subarray(end);
      }
    }
  } catch {
    // A reset by the other side is an end as good as any.
  }
}
