import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { FileSession } from "../../network/file-transfer/file-session.ts";

/** A place that takes files, as destinations use it. */
export interface FileServer {
  /** Asked for every study: a changed password holds from then on. */
  open(signal: AbortSignal): Promise<FileSession>;
  /** What its protocol calls a connection that broke, and a command that was refused. */
  readonly codes: { readonly unavailable: ErrorCode; readonly refused: ErrorCode };
  /** Makes the name of a file, and that of its folder, survive a power cut; undefined where a server cannot be asked for it. */
  readonly settle?: (path: string) => Promise<void>;
}

/** A cut in the middle leaves it open what arrived: that is asked before anything is sent again. */
export function interrupted({ codes }: FileServer, destination: string): (thrown: unknown) => never {
  return (thrown) => {
    const isCut = thrown instanceof GatewayError && thrown.code === codes.unavailable;
    throw isCut ? new GatewayError("DELIVERY_INTERRUPTED", { destination }, thrown) : thrown;
  };
}

/** Gives what arrived its name, also on servers that do not rename onto a file. */
export async function replaceFile(
  session: FileSession,
  { codes }: FileServer,
  { arriving, path, aside }: { readonly arriving: string; readonly path: string; readonly aside: string },
): Promise<void> {
  try {
    await session.rename(arriving, path);
  } catch (thrown) {
    const isRefused = thrown instanceof GatewayError && thrown.code === codes.refused;
    if (!isRefused || (await session.sizeOf(path)) === undefined) throw thrown;
    // One that a broken connection left is in the way of the next.
    if ((await session.sizeOf(aside)) !== undefined) await session.remove(aside);
    await session.rename(path, aside);
    await session.rename(arriving, path);
    await session.remove(aside);
  }
}
