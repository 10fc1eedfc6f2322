import type { Socket } from "node:net";

/** Connections that have no association yet: nothing has come of them, they shake hands, or they are being rejected. */
export interface WaitingRoom {
  /** False: there are too many, and this one is closed. Where others have waited for longer, one of them is closed in its place. */
  enter(socket: Socket): boolean;
  /** It has its association. */
  leave(socket: Socket): void;
}

export interface WaitingLimits {
  readonly maximum: number;
  readonly maximumOfAddress: number;
  /** Who connects to work asks for an association at once: one that has waited for so long may be closed for the next of its address. */
  readonly graceMs: number;
}

/** PS3.8 9.2 has one time limit for them, ARTIM: without limits of their own a few silent ones would shut out whoever comes. */
export const WAITING_LIMITS: WaitingLimits = { maximum: 256, maximumOfAddress: 128, graceMs: 1_000 };

interface Waiting {
  readonly socket: Socket;
  readonly address: string;
  readonly sinceMs: number;
}

export function createWaitingRoom(limits: WaitingLimits, nowMs = () => performance.now()): WaitingRoom {
  /** By their remote ends, oldest first. */
  const waiting = new Map<string, Waiting>();
  const oldestOf = (address: string): Waiting | undefined => waiting.values().find((each) => each.address === address);
  const close = ({ socket }: Waiting): void => {
    waiting.delete(keyOf(socket));
    socket.destroy(Object.assign(new Error("too many connections wait"), { code: "TOO_MANY_WAITING" }));
  };
  /** Makes room for one of the address. */
  const makeRoom = (address: string): boolean => {
    const counts = new Map<string, number>();
    for (const each of waiting.values()) counts.set(each.address, (counts.get(each.address) ?? 0) + 1);
    const own = counts.get(address) ?? 0;
    const [most = address] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
    // Who has more than others makes room for them at once; among one's own, those that have just come are spared.
    const isOwn = own >= limits.maximumOfAddress || own >= (counts.get(most) ?? 0);
    const oldest = oldestOf(isOwn ? address : most);
    if (oldest === undefined || (isOwn && nowMs() - oldest.sinceMs < limits.graceMs)) return false;
    close(oldest);
    return true;
  };
  return {
    enter(socket) {
      const address = socket.remoteAddress ?? "";
      const ofAddress = waiting.values().reduce((sum, each) => sum + (each.address === address ? 1 : 0), 0);
      const isFull = waiting.size >= limits.maximum || ofAddress >= limits.maximumOfAddress;
      if (isFull && !makeRoom(address)) {
        socket.destroy();
        return false;
      }
      const key = keyOf(socket);
      const entry = { socket, address, sinceMs: nowMs() };
      waiting.set(key, entry);
      socket.once("close", () => {
        if (waiting.get(key) === entry) waiting.delete(key);
      });
      return true;
    },
    leave: (socket) => void waiting.delete(keyOf(socket)),
  };
}

/** A TCP connection and the TLS one above it are told by their remote end. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
