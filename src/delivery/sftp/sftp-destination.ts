import { openSftp, type SftpServer } from "../../network/sftp/sftp-client.ts";
import type { Destination } from "../destination.ts";
import type { FileServer } from "../files/file-server.ts";
import { createTreeDestination } from "../files/tree-destination.ts";
import { createZipDestination } from "../files/zip-destination.ts";

export interface SftpDestinationOptions {
  readonly name: string;
  /** Asked for every connection: a changed password or key holds from then on. */
  readonly server: () => Promise<SftpServer>;
  readonly path: string;
  /** Files as the folder destination lays them out, or a zip for each study. */
  readonly layout: "files" | "zip";
  /** Whether all bytes are fetched back and compared; else names and sizes, of zips sums too. */
  readonly readsBack: boolean;
  readonly temporaryFolder: string;
}

/** Files of one study at once, over one connection. */
const PARALLEL_FILES = 4;

/** Studies on an SFTP server whose host key is known. */
export async function createSftpDestination(options: SftpDestinationOptions): Promise<Destination> {
  const { name, path, layout, readsBack, temporaryFolder } = options;
  const server = sftpFiles(options.server);
  const common = { name, kind: "sftp", server, path } as const;
  return layout === "files"
    ? createTreeDestination({ ...common, proof: readsBack ? "sha256" : "uids", parallel: PARALLEL_FILES })
    : await createZipDestination({ ...common, proof: readsBack ? "sha256" : "digest", temporaryFolder });
}

/** An SFTP server as a place that takes files. */
export function sftpFiles(server: () => Promise<SftpServer>): FileServer {
  return {
    open: async (signal) => openSftp(await server(), signal),
    codes: { unavailable: "SFTP_UNAVAILABLE", refused: "SFTP_REFUSED" },
  };
}
