import { HDF5_BYTES as DATA, sha256Of } from "../../src/acquisition/rehearsal.testing.ts";
import { connectDevice, type ScannerSite, type ScriptedDevice } from "./scanhub-site.ts";

/** How a device's software behaves. */
export interface DeviceManner {
  /** The first version sends its file, its parameters not, and says no 100. */
  readonly version: 1 | 2;
  /** It sends a file again whose end was not answered; the originals do so only when their own sending failed. */
  readonly isThorough: boolean;
}

/** A device that connects again wherever its gateway went, and measures one file for each start. */
export interface ReturningDevice extends AsyncDisposable {
  /** Starts that it got. */
  readonly starts: readonly string[];
  connect(gateway: Pick<ScannerSite, "webSocket">): Promise<void>;
}

interface Scan {
  readonly task: string;
  readonly token: string;
}

export function returningDevice(
  credentials: Pick<ScannerSite, "deviceId" | "deviceToken">,
  { version, isThorough }: DeviceManner,
): ReturningDevice {
  const starts: string[] = [];
  let socket: ScriptedDevice | undefined;
  let unanswered: Scan | undefined;

  const send = ({ task, token }: Scan): void => {
    const ids = { task_id: task, user_access_token: token };
    const facts = { filename: "scan.mrd", size_bytes: DATA.length, content_type: "x", sha256: sha256Of(DATA) };
    socket?.say({
      command: "file-transfer",
      ...ids,
      ...facts,
      ...(version === 2 ? { device_parameter: { b0: 3 } } : {}),
    });
    socket?.send(DATA.subarray(0, 2_000));
    // The second version says so in the midst of the file.
    if (version === 2) socket?.say({ command: "update_status", status: "ONLINE" });
    socket?.send(DATA.subarray(2_000));
  };
  const measure = (scan: Scan): void => {
    const ids = { task_id: scan.task, user_access_token: scan.token };
    for (const progress of version === 2 ? [0, 50, 100] : [0, 50])
      socket?.say({ command: "update_status", status: "BUSY", data: { progress }, ...ids });
    send(scan);
  };
  const hear = async (from: ScriptedDevice): Promise<void> => {
    for (;;) {
      const { command, message, data } = await from.next();
      if (String(message).includes("saved to datalake")) unanswered = undefined;
      if (command !== "start") continue;
      const { id, access_token: token } = data as { readonly id: string; readonly access_token: string };
      starts.push(id);
      unanswered = { task: id, token };
      measure(unanswered);
    }
  };

  return {
    starts,
    async connect({ webSocket }) {
      socket = await connectDevice({ webSocket, ...credentials });
      if (version === 2) socket.say({ command: "update_status", status: "ONLINE" });
      socket.say({ command: "register", data: { device_name: "scripted" } });
      if (unanswered !== undefined && isThorough) measure(unanswered);
      void hear(socket).catch(() => undefined);
    },
    [Symbol.asyncDispose]: async () => await socket?.[Symbol.asyncDispose](),
  };
}
