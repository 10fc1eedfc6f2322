import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError } from "../../network/http-client/http-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { fileBytes, putFile, type ResourcePath, resourcePath } from "../../network/rest/xnat/files.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { prearchiveFate, prearchivePath } from "../../network/rest/xnat/prearchive.ts";
import { findSession } from "../../network/rest/xnat/sessions.ts";
import { requireProject } from "../../network/rest/xnat/site.ts";
import { parseStudyReports, studyReportText } from "../../staging/study-folder-report.ts";
import { createKeyedLocks } from "../../units/keyed-locks.ts";
import type { Destination, Receipt } from "../destination.ts";
import { deliveryReport } from "../files/delivery-report.ts";
import { heldInSessions, lookForSession, placeOf, type XnatDestinationOptions, type XnatPlace } from "./place.ts";
import { xnatRemoval } from "./remove.ts";
import { sendToXnat } from "./send.ts";

/** XNAT's import service, confirmed by the files that XNAT lists. */
export function createXnatDestination(options: XnatDestinationOptions): Destination {
  const { name, client, confirm } = options;
  // Of several studies that become one session, the later adds to what the earlier made.
  const sessions = createKeyedLocks<string>();
  const lock = ({ project, session }: XnatPlace, signal: AbortSignal) =>
    sessions.acquire(`${project}/${session}`, signal);
  return {
    name,
    kind: "xnat",
    proof: confirm,
    held: (delivery, signal) => held(placeOf(options, delivery), signal),
    async send(delivery, files, signal) {
      const place = placeOf(options, delivery);
      using _ = await lock(place, signal);
      await requireProject(client, place.project, signal);
      await sendToXnat(place, files, signal);
    },
    async conclude(delivery, receipt, signal) {
      const place = placeOf(options, delivery);
      using _ = await lock(place, signal);
      await conclude(place, receipt, signal);
    },
    removal: xnatRemoval(options),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** What lies in the prearchive counts where that is where it was to go; stuck sessions are named, not sent over. */
async function held(place: XnatPlace, signal: AbortSignal): Promise<ReadonlySet<SopInstanceUid>> {
  const { into, name } = place.options;
  const found = await lookForSession(place, signal);
  const stuck = found.prearchived.find(({ status }) => prearchiveFate(status) === "stuck");
  if (into === "archive" && stuck !== undefined)
    throw new GatewayError("XNAT_SESSION_IN_PREARCHIVE", { destination: name, status: stuck.status });
  const sessions = [
    ...(found.archived === undefined ? [] : [xnatPath("data/experiments", found.archived.id)]),
    ...(into === "prearchive" ? found.prearchived.map(prearchivePath) : []),
  ];
  return await heldInSessions(place, sessions, signal);
}

/** Resource of the session that the report lies in. */
const REPORT_RESOURCE = "RADFERRY";
const REPORT_FILE = "radferry-report.json";

/** A report longer than any that we wrote is none of ours. */
const LONGEST_REPORT_BYTES = 64 * 1024 * 1024;

/** The report that lies there; empty where there is none. */
async function reportIn(client: HttpClient, resource: ResourcePath, signal: AbortSignal): Promise<string> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const piece of fileBytes(client, resource, REPORT_FILE, signal)) {
      pieces.push(piece);
      sizeBytes += piece.length;
      if (sizeBytes > LONGEST_REPORT_BYTES) return "";
    }
  } catch (thrown) {
    if (thrown instanceof HttpError && [403, 404].includes(thrown.status ?? 0)) return "";
    throw thrown;
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** A session in the prearchive has no place of its own for it. */
async function conclude(place: XnatPlace, receipt: Receipt, signal: AbortSignal): Promise<void> {
  const { options, project, session, delivery } = place;
  const archived = await findSession(options.client, project, session, signal);
  if (archived === undefined) return;
  const resource = resourcePath(xnatPath("data/experiments", archived.id), REPORT_RESOURCE);
  const earlier = parseStudyReports(await reportIn(options.client, resource, signal));
  const bytes = Buffer.from(studyReportText(earlier, deliveryReport(delivery, receipt)));
  const read = async function* () {
    yield bytes;
  };
  const upload = { path: REPORT_FILE, sizeBytes: bytes.length, overwrite: true, read };
  await putFile(options.client, resource, upload, signal).catch((thrown: unknown) => {
    // Who may import need not be allowed to add files: the report stays with the gateway's own account.
    if (!(thrown instanceof HttpError) || thrown.status !== 403) throw thrown;
  });
}
