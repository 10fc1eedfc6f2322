import type { WebSocket } from "ws";

/** A peer that does not answer in this time is gone. */
const PING_EVERY_MS = 30_000;

/** Ends the connection of a peer that is gone, until disposed. */
export interface KeepAlive extends Disposable {
  /** While the socket is not read an answer is not seen: its peer is not gone for that. */
  hold(isHeld: boolean): void;
}

export function keepAlive(socket: Pick<WebSocket, "on" | "ping" | "terminate">): KeepAlive {
  let isAnswered = true;
  let isHeld = false;
  /** At any time since the last look. */
  let wasHeld = false;
  socket.on("pong", () => {
    isAnswered = true;
  });
  const timer = setInterval(() => {
    if (!isAnswered && !wasHeld) return socket.terminate();
    isAnswered = false;
    wasHeld = isHeld;
    socket.ping();
  }, PING_EVERY_MS);
  return {
    hold(isOn) {
      isHeld = isOn;
      wasHeld ||= isOn;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
