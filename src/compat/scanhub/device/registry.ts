/** A device that is connected. */
export interface ConnectedDevice {
  readonly deviceId: string;
  /** Resolves when the text is handed to the connection. */
  send(message: object): Promise<void>;
  /** Ends the connection: its credentials are revoked. */
  close(): void;
}

/** Who is connected; of several sockets of one device the newest is meant. */
export interface DeviceRegistry {
  readonly connected: readonly string[];
  add(device: ConnectedDevice): void;
  remove(device: ConnectedDevice): void;
  get(deviceId: string): ConnectedDevice | undefined;
  /** Ends every socket of a device. */
  close(deviceId: string): void;
}

export function createDeviceRegistry(): DeviceRegistry {
  const sockets = new Map<string, ConnectedDevice[]>();
  return {
    get connected() {
      return [...sockets.keys()];
    },
    add(device) {
      sockets.set(device.deviceId, [...(sockets.get(device.deviceId) ?? []), device]);
    },
    remove(device) {
      const left = (sockets.get(device.deviceId) ?? []).filter((each) => each !== device);
      if (left.length > 0) sockets.set(device.deviceId, left);
      else sockets.delete(device.deviceId);
    },
    get: (deviceId) => sockets.get(deviceId)?.at(-1),
    close(deviceId) {
      for (const device of sockets.get(deviceId) ?? []) device.close();
    },
  };
}
