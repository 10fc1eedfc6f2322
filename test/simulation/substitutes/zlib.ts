/** What the product has for `node:zlib` while it is simulated: the same work, in a step of the simulation. */
import * as real from "node:zlib";
import { isSimulating, systemCall } from "../machine.ts";

export * from "node:zlib";

type Callback = (error: Error | null, result: Buffer) => void;

export function deflateRaw(data: string | Uint8Array, options: real.ZlibOptions, callback: Callback): void {
  if (!isSimulating()) real.deflateRaw(data, options, callback);
  else
    void systemCall("read", "deflate", () => real.deflateRawSync(data, options)).then((result) =>
      callback(null, result),
    );
}

export function inflateRaw(data: Uint8Array, options: real.ZlibOptions, callback: Callback): void {
  if (!isSimulating()) real.inflateRaw(data, options, callback);
  else
    void systemCall("read", "inflate", () => real.inflateRawSync(data, options)).then((result) =>
      callback(null, result),
    );
}
