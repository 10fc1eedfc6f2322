import { type FtpsServer, openFtps } from "../../network/ftps/ftps-client.ts";
import type { Destination } from "../destination.ts";
import type { FileServer } from "../files/file-server.ts";
import { createZipDestination, type ZipDestinationOptions } from "../files/zip-destination.ts";

export interface FtpsDestinationOptions extends Omit<ZipDestinationOptions, "kind" | "server"> {
  /** Asked for every connection. */
  readonly server: () => Promise<FtpsServer>;
}

/** Zips of studies on an FTPS server, as PIXL delivers them. */
export function createFtpsDestination({ server, ...options }: FtpsDestinationOptions): Promise<Destination> {
  return createZipDestination({ ...options, kind: "ftps", server: ftpsFiles(server) });
}

/** An FTPS server as a place that takes files. */
export function ftpsFiles(server: () => Promise<FtpsServer>): FileServer {
  return {
    open: async (signal) => openFtps(await server(), signal),
    codes: { unavailable: "FTPS_UNAVAILABLE", refused: "FTPS_REFUSED" },
  };
}
