import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { listPrearchive, type PrearchiveSession, type XnatOverwrite } from "../../network/rest/xnat/prearchive.ts";
import { findSession, type XnatSession } from "../../network/rest/xnat/sessions.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import type { StudyDelivery } from "../destination.ts";
import { labelsOf } from "./labels.ts";
import { heldAmong, type XnatConfirmation } from "./match-files.ts";
import { filesInSessions } from "./stored-files.ts";

export interface XnatDestinationOptions {
  readonly name: string;
  /** Closed with the destination. */
  readonly client: HttpClient;
  /** The XNAT project; absent: the one that is called as the study's project. */
  readonly project?: string | undefined;
  readonly into: "archive" | "prearchive";
  /** Zips of many instances, or one instance at a time. */
  readonly upload: "dicom-zip" | "gradual-dicom";
  /** What may be done with a session of the same label that lacks instances. */
  readonly overwrite: XnatOverwrite;
  readonly confirm: XnatConfirmation;
  /** Instances in one zip, at most. @default 1000 */
  readonly zipFiles?: number;
  /** Instances sent at once, one at a time being the rule otherwise. */
  readonly parallel: number;
}

/** A delivery and where it belongs. */
export interface XnatPlace {
  readonly options: XnatDestinationOptions;
  readonly delivery: StudyDelivery;
  readonly project: string;
  readonly subject: string;
  readonly session: string;
}

/** What of the delivery's session is where. */
export interface Found {
  readonly archived: XnatSession | undefined;
  readonly prearchived: readonly PrearchiveSession[];
}

export function placeOf(options: XnatDestinationOptions, delivery: StudyDelivery): XnatPlace {
  return { options, delivery, project: options.project ?? delivery.project, ...labelsOf(delivery) };
}

/** @throws GatewayError XNAT_SESSION_TAKEN when another study has the label */
export async function lookForSession(
  { options, delivery, project, session }: XnatPlace,
  signal: AbortSignal,
): Promise<Found> {
  const { client, name } = options;
  const archived = await findSession(client, project, session, signal);
  if (archived?.uid !== undefined && archived.uid !== delivery.studyInstanceUid)
    throw new GatewayError("XNAT_SESSION_TAKEN", { destination: name, session });
  const prearchived = (await listPrearchive(client, project, signal)).filter(
    (each) => each.name === session && each.tag === delivery.studyInstanceUid,
  );
  return { archived, prearchived };
}

/** @param sessions their paths */
export async function heldInSessions(
  { options, delivery }: Pick<XnatPlace, "options" | "delivery">,
  sessions: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  const { client, confirm } = options;
  const stored = await filesInSessions(client, sessions, signal);
  return await heldAmong({ client, confirm, signal }, delivery.files, stored);
}

export function isHeldBy(held: ReadonlySet<SopInstanceUid>) {
  return ({ sopInstanceUid }: DeidentifiedFile): boolean => held.has(sopInstanceUid);
}
