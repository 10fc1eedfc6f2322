import { EventEmitter } from "node:events";
import { expect, it, vi } from "vitest";
import type { WebSocket } from "ws";
import { addTask, DEVICE, openScanSite } from "../../../acquisition/rehearsal.testing.ts";
import type { ScanDevice } from "../../../store/acquisitions.ts";
import { silentLogger } from "../../../units/logger.ts";
import { tokenHash } from "../tokens.ts";
import type { ScanHubWorld } from "../world.ts";
import { serveDevice, type TappedSocket } from "./connection.ts";
import { createDeviceRegistry } from "./registry.ts";

const TOKEN = "of this attempt";
/** Far longer than a device may leave a ping unanswered. */
const LONG_MS = 10 * 60_000;

/** A socket that no network is behind. */
function tappedSocket() {
  const said: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    ...{ OPEN: 1, readyState: 1, bufferedAmount: 0, ping: vi.fn(), terminate: vi.fn() },
    send: (text: string) => said.push(text),
  });
  const tap = { start: vi.fn(), textTaken: vi.fn(), pause: vi.fn(), resume: vi.fn() };
  const tapped: TappedSocket = { socket: socket as unknown as WebSocket, tap, onBinary: () => undefined };
  return { socket, tapped, said };
}

it("gives up a device that leaves pings unanswered, but none that is held back by a slow disk", async () => {
  const disk = Promise.withResolvers<void>();
  await using site = await openScanSite({
    through: (parts) => ({
      ...parts,
      lake: {
        ...parts.lake,
        async begin(transferId) {
          const file = await parts.lake.begin(transferId);
          return { ...file, write: (chunk) => disk.promise.then(() => file.write(chunk)) };
        },
      },
    }),
  });
  const { store, ledger, uploads, clock } = site;
  const taskId = await addTask(store);
  const claimed = await ledger.claim({ taskId, deviceId: DEVICE, isTriggered: true, tokenHash: tokenHash(TOKEN) });
  await ledger.progressed(claimed, 50);
  const parts = { registry: createDeviceRegistry(), logger: silentLogger, settings: { idleMs: 60_000 } };
  const world = { ...parts, store, ledger, uploads, clock } as unknown as ScanHubWorld;
  const { socket, tapped, said } = tappedSocket();
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const served = serveDevice(world, tapped, { id: DEVICE } as ScanDevice);
    const file = { task_id: taskId, user_access_token: TOKEN, filename: "scan.bin", size_bytes: 10 };
    socket.emit("message", JSON.stringify({ command: "file-transfer", ...file, device_parameter: {} }));
    tapped.onBinary(Buffer.alloc(5), false);
    vi.advanceTimersByTime(LONG_MS);
    expect(socket.terminate).not.toHaveBeenCalled();
    disk.resolve();
    await vi.waitFor(() => expect(tapped.tap.resume).toHaveBeenCalled());
    tapped.onBinary(Buffer.alloc(5), false);
    await vi.waitFor(() => expect(said.join()).toContain("saved to datalake"));
    vi.advanceTimersByTime(LONG_MS);
    expect(socket.terminate).toHaveBeenCalled();
    socket.emit("close");
    await served;
  } finally {
    vi.useRealTimers();
  }
});
