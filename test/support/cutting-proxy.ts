import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Passes bytes on between a client and a server of this machine, and cuts connections once too much was sent. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that were cut. */
  readonly cuts: number;
  /** From now on nothing is cut. */
  mend(): void;
  /** From now on so many bytes more are passed on before connections are cut. */
  cutAfter(bytes: number): void;
}

/** @param cutAfterBytes of the client, on all connections together: from then on each is cut that sends anything */
export async function startCuttingProxy(port: number, cutAfterBytes: number): Promise<CuttingProxy> {
  let isMended = false;
  let mostBytes = cutAfterBytes;
  let cuts = 0;
  let passedBytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    const close = (): void => {
      for (const socket of [client, upstream]) sockets.delete(socket.destroy());
    };
    for (const socket of [client, upstream])
      sockets.add(
        socket
          .setNoDelay()
          .on("error", () => undefined)
          .on("close", close),
      );
    client.on("data", (bytes) => {
      passedBytes += bytes.length;
      if (isMended || passedBytes <= mostBytes) {
        upstream.write(bytes);
        return;
      }
      cuts += 1;
      close();
    });
    upstream.on("data", (bytes) => client.write(bytes));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    mend() {
      isMended = true;
    },
    cutAfter(bytes) {
      isMended = false;
      mostBytes = passedBytes + bytes;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
