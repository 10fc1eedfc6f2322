import { verificationContexts } from "../archive/dimse/contexts.ts";
import type { Settings } from "../config/settings.ts";
import type {
  DestinationSettings,
  FtpsDestinationSettings,
  HttpDestinationSettings,
  S3DestinationSettings,
  SftpDestinationSettings,
  XnatDestinationSettings,
} from "../config/settings-destinations.ts";
import { rethrowDestination } from "../delivery/folder/destination-error.ts";
import { destinationFolder } from "../delivery/folder/destination-folder.ts";
import { searchDicomWeb } from "../network/dicomweb/search.ts";
import { openAssociation } from "../network/dimse/association.ts";
import type { HttpClient } from "../network/http-client/types.ts";
import { systemOf } from "../network/rest/orthanc/resources.ts";
import { clockAgrees, loggedInAs, requireProject } from "../network/rest/xnat/site.ts";
import type { DestinationFacts, OwnCheck } from "../operations/context.ts";
import { probeWriting } from "../operations/writable.ts";
import { systemClock } from "../units/clock.ts";
import { systemDisk } from "../units/disk.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { connectionTo } from "./connections.ts";
import { isServed } from "./home-lock.ts";
import { ftpsServerOf, httpClientOf, s3ServerOf, sftpServerOf } from "./open-destinations.ts";
import { xnatClientOf } from "./xnat-client.ts";

type FolderDestinationSettings = Extract<DestinationSettings, { readonly kind: "folder" }>;

/** Destinations as `doctor` asks them: without opening them, so that a verb beside a running service disturbs nothing. */
export function destinationFacts(settings: Settings): ReadonlyMap<string, DestinationFacts> {
  return new Map(
    settings.destinations.map((destination) => {
      const { name } = destination;
      const certificates = certificatesOf(destination);
      const checks = destination.kind === "xnat" ? { checks: xnatChecks(settings, destination) } : {};
      const check = async (signal: AbortSignal): Promise<string> => {
        if (destination.kind === "folder") return await checkFolder(settings, destination);
        await checkDestination(settings, destination, signal);
        return "yes";
      };
      return [name, { name, check, ...certificates, ...checks }];
    }),
  );
}

/** Over explicit TLS one has to ask for it first: there the login tells. */
function certificatesOf(destination: DestinationSettings): ReturnType<typeof certificateFacts> {
  if (destination.kind === "dimse") return certificateFacts(destination.address, destination);
  return destination.kind === "ftps" && destination.security === "implicit"
    ? certificateFacts(destination, destination)
    : {};
}

async function checkDestination(
  settings: Settings,
  destination: Exclude<DestinationSettings, FolderDestinationSettings>,
  signal: AbortSignal,
): Promise<void> {
  if (destination.kind === "xnat") return await checkXnat(destination, signal);
  if (destination.kind === "ftps") return await checkFtps(destination, signal);
  if (destination.kind === "sftp") return await checkSftp(destination, signal);
  if (destination.kind === "s3") return await checkS3(destination, signal);
  if (destination.kind !== "dimse") return await checkHttp(destination, signal);
  await using association = await openAssociation({
    ...(await connectionTo(settings, destination)()),
    address: destination.address,
    callingAeTitle: settings.dicom.aeTitle,
    contexts: verificationContexts(),
    signal,
  });
  await association.echo(signal);
}

/** What is missing is new where no service has made it yet; afterwards its disk or share is not mounted. */
async function checkFolder({ home }: Settings, destination: FolderDestinationSettings): Promise<string> {
  const folder = destinationFolder(destination);
  const isNew = !isServed(home) && (await folder.canBeMade());
  if (!isNew) await folder.require();
  await probeWriting(destination.path).catch(rethrowDestination(destination.name));
  if (isNew) return `yes: not there yet, ${destination.path} is made at the service's start`;
  return `yes, ${((await systemDisk.freeBytes(destination.path)) / 1e9).toFixed(1)} GB free`;
}

/** Whether it lets us in. */
async function checkFtps(destination: FtpsDestinationSettings, signal: AbortSignal): Promise<void> {
  const { openFtps } = await import("../network/ftps/ftps-client.ts");
  await using _ = await openFtps(await ftpsServerOf(destination)(), signal);
}

/** Whether it lets us in. */
async function checkSftp(destination: SftpDestinationSettings, signal: AbortSignal): Promise<void> {
  const { openSftp } = await import("../network/sftp/sftp-client.ts");
  await using _ = await openSftp(await sftpServerOf(destination)(), signal);
}

/** Whether the bucket is there. */
async function checkS3(destination: S3DestinationSettings, signal: AbortSignal): Promise<void> {
  const { openObjectStore } = await import("../network/s3/s3-client.ts");
  using store = openObjectStore(await s3ServerOf(destination)());
  await store.check(signal);
}

/** Whether it lets us in. */
async function checkXnat(destination: XnatDestinationSettings, signal: AbortSignal): Promise<void> {
  await using client = await xnatClientOf(destination);
  await loggedInAs(client, signal);
}

/** Each XNAT project that studies would go to, and the clock. */
function xnatChecks(settings: Settings, destination: XnatDestinationSettings): readonly OwnCheck[] {
  const users = settings.projects.filter(({ destinations }) => destinations.includes(destination.name));
  const projects = destination.project === undefined ? users.map(({ name }) => name) : [destination.project];
  const asking = (what: string, ask: (client: HttpClient, signal: AbortSignal) => Promise<string>): OwnCheck => ({
    what,
    async examine(signal) {
      await using client = await xnatClientOf(destination);
      return await ask(client, signal);
    },
  });
  return [
    ...projects.map((project) =>
      asking(`has the project ${project}`, async (client, signal) => {
        await requireProject(client, project, signal);
        return "yes";
      }),
    ),
    asking("has our time", (client, signal) => clockAgrees(client, systemClock, signal)),
  ];
}

/** Whether it answers us what it holds. */
async function checkHttp(destination: HttpDestinationSettings, signal: AbortSignal): Promise<void> {
  await using client = await httpClientOf(destination);
  if (destination.kind === "orthanc") await systemOf(client, signal);
  else await countStudies(client, signal);
}

async function countStudies(client: HttpClient, signal: AbortSignal): Promise<void> {
  const any = { level: "STUDY", matching: [], including: [], maximumAnswers: 1, pageSize: 1 } as const;
  for await (const _ of searchDicomWeb(client, any, signal)) return;
}
