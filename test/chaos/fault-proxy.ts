import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What may happen to a connection on its way. */
export type FaultKind = "refused" | "reset" | "cut" | "stalled" | "half-open" | "slow" | "corrupt";

/** Which bytes count, and are held up or changed: those that the asker sends, or those that come back. */
export type Direction = "to" | "from";

export interface Fault {
  readonly kind: FaultKind;
  /** @default from */
  readonly direction?: Direction;
  /** So many bytes pass unharmed on each connection. @default 0 */
  readonly afterBytes?: number;
  /** So many connections are hit; the others pass. @default all, until it is mended */
  readonly connections?: number;
}

/** Passes connections on to a port of this machine, and does to them what the fault says. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that the fault has hit. */
  readonly hits: number;
  /** Holds for connections from now on. */
  inflict(fault: Fault): void;
  /** At once, on connections that stand, and on those to come. */
  strike(kind: Exclude<FaultKind, "slow" | "corrupt">): void;
  /** Connections from now on are passed on whole; those that hang are let go. */
  mend(): void;
}

/** So many bytes every so many milliseconds is slow. */
const SLOW = { bytes: 2_000, everyMs: 10 } as const;

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly end: (how: "cut" | "reset") => void;
  /** Whether something of it was held back: such a connection never comes right again. */
  isHeld: boolean;
  /** In both directions, whatever is sent. A fault of one direction leaves the other: the server may still say that it waits in vain. */
  isSilent: boolean;
}

export async function startFaultProxy(targetPort: number, first?: Fault): Promise<FaultProxy> {
  let fault = first;
  let left = first?.connections ?? Number.POSITIVE_INFINITY;
  let hits = 0;
  const pairs = new Set<Pair>();
  const timers = new Set<NodeJS.Timeout>();

  const accept = (client: Socket): void => {
    const mine = left > 0 ? fault : undefined;
    if (mine !== undefined) left -= 1;
    if (mine?.kind === "refused") {
      hits += 1;
      client.on("error", ignore).resetAndDestroy();
      return;
    }
    const upstream = connect(targetPort, "127.0.0.1");
    const pair = pairOf(client, upstream, (ended) => pairs.delete(ended));
    pairs.add(pair);
    for (const socket of [client, upstream])
      socket.on("error", ignore).on("close", () => {
        if (!pair.isHeld) pair.end("cut");
      });
    const onHit = (): void => {
      hits += 1;
    };
    const hit = mine === undefined ? undefined : { fault: mine, onHit, timers };
    const { direction = "from" } = mine ?? {};
    client.on("data", passer(pair, upstream, direction === "to" ? hit : undefined));
    upstream.on("data", passer(pair, client, direction === "from" ? hit : undefined));
  };

  const server = createServer(accept).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get hits() {
      return hits;
    },
    inflict(next) {
      fault = next;
      left = next.connections ?? Number.POSITIVE_INFINITY;
    },
    strike(kind) {
      fault = { kind };
      left = Number.POSITIVE_INFINITY;
      for (const pair of [...pairs]) {
        hits += 1;
        STRIKES[kind](pair);
      }
    },
    mend() {
      fault = undefined;
      for (const pair of [...pairs]) if (pair.isHeld) pair.end("cut");
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      for (const pair of [...pairs]) pair.end("cut");
      server.close();
      await once(server, "close");
    },
  };
}

function pairOf(client: Socket, upstream: Socket, onEnd: (pair: Pair) => void): Pair {
  const pair: Pair = {
    client: client.setNoDelay(),
    upstream: upstream.setNoDelay(),
    isHeld: false,
    isSilent: false,
    end(how) {
      for (const socket of [client, upstream])
        if (how === "reset") socket.resetAndDestroy();
        else socket.destroy();
      onEnd(pair);
    },
  };
  return pair;
}

function ignore(): void {}

interface Hit {
  readonly fault: Fault;
  readonly onHit: () => void;
  readonly timers: Set<NodeJS.Timeout>;
}

/** Takes the bytes of one direction. */
function passer(pair: Pair, target: Socket, hit: Hit | undefined): (bytes: Buffer) => void {
  const pass = (bytes: Buffer): void => {
    if (!pair.isSilent) target.write(bytes);
  };
  if (hit === undefined) return pass;
  const { fault, onHit, timers } = hit;
  const act = ACTS[fault.kind];
  let passedBytes = 0;
  let isHit = false;
  const { afterBytes = 0 } = fault;
  return (bytes) => {
    const harmless = Math.max(Math.min(afterBytes - passedBytes, bytes.length), 0);
    passedBytes += bytes.length;
    if (harmless > 0) target.write(bytes.subarray(0, harmless));
    if (harmless === bytes.length) return;
    if (!isHit) onHit();
    act({ pair, target, rest: bytes.subarray(harmless), isFirst: !isHit, timers });
    isHit = true;
  };
}

/** What each kind does to a connection that stands. */
const STRIKES: Readonly<Record<Exclude<FaultKind, "slow" | "corrupt">, (pair: Pair) => void>> = {
  refused: (pair) => pair.end("reset"),
  reset: (pair) => pair.end("reset"),
  cut: (pair) => pair.end("cut"),
  stalled(pair) {
    pair.isHeld = true;
    pair.isSilent = true;
  },
  "half-open"(pair) {
    pair.isHeld = true;
    pair.isSilent = true;
    pair.upstream.destroy();
  },
};

interface Act {
  readonly pair: Pair;
  readonly target: Socket;
  readonly rest: Buffer;
  readonly isFirst: boolean;
  readonly timers: Set<NodeJS.Timeout>;
}

/** What each kind does with bytes that come once the fault has begun. */
const ACTS: Readonly<Record<FaultKind, (act: Act) => void>> = {
  refused: ({ pair }) => pair.end("reset"),
  reset: ({ pair }) => pair.end("reset"),
  cut: ({ pair }) => pair.end("cut"),
  stalled({ pair }) {
    pair.isHeld = true;
  },
  "half-open"({ pair }) {
    pair.isHeld = true;
    pair.upstream.destroy();
  },
  slow({ pair, target, rest, timers }) {
    pair.client.pause();
    pair.upstream.pause();
    let sent = 0;
    const timer = setInterval(() => {
      target.write(rest.subarray(sent, sent + SLOW.bytes));
      sent += SLOW.bytes;
      if (sent < rest.length) return;
      clearInterval(timer);
      timers.delete(timer);
      pair.client.resume();
      pair.upstream.resume();
    }, SLOW.everyMs);
    timers.add(timer);
  },
  /** The first byte of what comes, once: a length or a type is then another one. */
  corrupt({ target, rest, isFirst }) {
    if (!isFirst) {
      target.write(rest);
      return;
    }
    const changed = Buffer.from(rest);
    changed[0] = (changed[0] ?? 0) ^ 0x80;
    target.write(changed);
  },
};
