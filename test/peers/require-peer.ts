import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs of other projects that tests talk to, and the Debian package that has each. */
const PACKAGES = {
  Orthanc: "orthanc",
  chromium: "chromium",
  dciodvfy: "dicom3tools",
  dcmdjpeg: "dcmtk",
  dcmdrle: "dcmtk",
  dcmdump: "dcmtk",
  dcmmkdir: "dcmtk",
  dcmqrscp: "dcmtk",
  dcmsend: "dcmtk",
  echoscu: "dcmtk",
  findscu: "dcmtk",
  gdcmanon: "libgdcm-tools",
  gdcmconv: "libgdcm-tools",
  gdcmdump: "libgdcm-tools",
  gdcmgendir: "libgdcm-tools",
  getscu: "dcmtk",
  initdb: "postgresql",
  "libOrthancDicomWeb.so": "orthanc-dicomweb",
  movescu: "dcmtk",
  openssl: "openssl",
  promtool: "prometheus",
  "rabbitmq-server": "rabbitmq-server",
  sshd: "openssh-server",
  storescp: "dcmtk",
  storescu: "dcmtk",
  "systemd-analyze": "systemd",
  vsftpd: "vsftpd",
  zip: "zip",
} as const;

export type Peer = keyof typeof PACKAGES;

/** Daemons are not on everyone's PATH. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];
/** Where Debian puts the servers of PostgreSQL, each version in a folder of its own. */
const POSTGRESQL_FOLDER = "/usr/lib/postgresql";
/** Where Debian puts plugins of Orthanc. */
const PLUGIN_FOLDER = "/usr/share/orthanc/plugins";

/** Where the program is; undefined when it is not installed. */
export function findPeer(name: Peer): string | undefined {
  if (name.endsWith(".so")) return [join(PLUGIN_FOLDER, name)].find((path) => isAllowed(path, constants.R_OK));
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...SYSTEM_FOLDERS, ...postgresqlFolders()];
  return folders.map((folder) => join(folder, name)).find((path) => isAllowed(path, constants.X_OK));
}

/**
 * Whether tests with this peer can run. A missing one is named in one line, with how to get it.
 * @throws Error when it is missing and CI is "true".
 */
export function requirePeer(name: Peer): boolean {
  if (findPeer(name) !== undefined) return true;
  const line = `${name} is not installed: its tests are skipped (Debian: apt-get install ${PACKAGES[name]})`;
  if (process.env.CI === "true") throw new Error(line);
  process.stderr.write(`${line}\n`);
  return false;
}

function postgresqlFolders(): readonly string[] {
  if (!isAllowed(POSTGRESQL_FOLDER, constants.R_OK)) return [];
  return readdirSync(POSTGRESQL_FOLDER).map((version) => join(POSTGRESQL_FOLDER, version, "bin"));
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
