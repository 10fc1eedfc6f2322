import { isIPv6 } from "node:net";
import { stringify } from "yaml";
import type { WholeAnswers } from "./answers.ts";

/** Files beside the settings file, as it names them. */
export interface NamedFiles {
  readonly home: string;
  readonly keyFile: string;
}

const HEADER = `# Settings of Radferry. Paths count from this file. What is left out has its default;
# every setting: radferry config sample. Check them with: radferry config check
`;

const ADDRESS = /^[^@/]+@[^@/]+:\d+$/;
const PORT_ALONE = /^\d+$/;
/** At the last colon, unless brackets are around it. */
const HOST_AND_PORT = /^(?<host>.*):(?<port>[^:\]]*)$/;
const BRACKETS = /^\[(.*)\]$/;
const URL_START = /^[a-z][a-z0-9+.-]*:\/\//i;
/** Not only whole addresses: one that lacks its title or its port is told, and not taken for a folder's name. */
const LIKE_ADDRESS = /^[^/]*@[^/]*$|^[^/]+:\d+$/;
const EVERY_ADDRESS = "0.0.0.0";
/** Archives on this machine need no other address. */
const LOOPBACK = /@(?:127\.\d+\.\d+\.\d+|localhost|\[?::1\]?):\d+$/;
const DICOM_PORT = 11_112;

/** The settings file for these answers. What is wrong with them is found by the check of the file, as in any other. */
export function settingsText(answers: WholeAnswers, { home, keyFile }: NamedFiles): string {
  const { project, profile, aet } = answers;
  const settings = {
    home,
    dicom: { aeTitle: aet, ...listener(answers) },
    archives: [archiveOf(answers)],
    destinations: [destinationOf(answers)],
    projects: [{ name: project, archives: ["archive"], destinations: ["research-store"], profile, keyFile }],
  };
  return `${HEADER}\n${stringify(settings)}`;
}

function listener({ listen, archive }: WholeAnswers): { readonly host: string; readonly port: number } {
  const usualHost = LOOPBACK.test(archive) || !ADDRESS.test(archive) ? "127.0.0.1" : EVERY_ADDRESS;
  if (listen === undefined || PORT_ALONE.test(listen)) return { host: usualHost, port: Number(listen ?? DICOM_PORT) };
  // The colons of an IPv6 address lead to a port only behind its brackets. RFC 3986 3.2.2.
  const { host, port } = (isIPv6(listen) ? undefined : HOST_AND_PORT.exec(listen)?.groups) ?? { host: listen };
  return { host: host?.replace(BRACKETS, "$1") || usualHost, port: port === undefined ? DICOM_PORT : Number(port) };
}

function archiveOf({ archive, archiveKind, retrieve }: WholeAnswers): Readonly<Record<string, string>> {
  return URL_START.test(archive)
    ? { name: "archive", kind: archiveKind, url: archive }
    : { name: "archive", kind: "dimse", address: archive, retrieve };
}

function destinationOf({ destination, destinationKind }: WholeAnswers): Readonly<Record<string, string>> {
  const name = "research-store";
  if (isFolder(destination)) return { name, kind: "folder", path: destination };
  return URL_START.test(destination)
    ? { name, kind: destinationKind, url: destination }
    : { name, kind: "dimse", address: destination };
}

/** One that is called as a peer is named with its path: ./STORE@host. */
export function isFolder(destination: string): boolean {
  return !URL_START.test(destination) && !LIKE_ADDRESS.test(destination);
}
