import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError } from "../../network/http-client/http-error.ts";
import { putFile, resourcePath } from "../../network/rest/xnat/files.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { prearchiveFate, prearchivePath } from "../../network/rest/xnat/prearchive.ts";
import { findSession } from "../../network/rest/xnat/sessions.ts";
import { requireProject } from "../../network/rest/xnat/site.ts";
import { createKeyedLocks } from "../../units/keyed-locks.ts";
import type { Destination, Receipt } from "../destination.ts";
import { deliveryReport } from "../folder/report-file.ts";
import { heldInSessions, lookForSession, placeOf, type XnatDestinationOptions, type XnatPlace } from "./place.ts";
import { sendToXnat } from "./send.ts";

/** XNAT's import service, confirmed by the files that XNAT lists. */
export function createXnatDestination(options: XnatDestinationOptions): Destination {
  const { name, client, confirm } = options;
  // Of several studies that become one session, the later adds to what the earlier made.
  const sessions = createKeyedLocks<string>();
  return {
    name,
    kind: "xnat",
    proof: confirm,
    held: (delivery, signal) => held(placeOf(options, delivery), signal),
    async send(delivery, files, signal) {
      const place = placeOf(options, delivery);
      using _ = await sessions.acquire(`${place.project}/${place.session}`, signal);
      await requireProject(client, place.project, signal);
      await sendToXnat(place, files, signal);
    },
    conclude: (delivery, receipt, signal) => conclude(placeOf(options, delivery), receipt, signal),
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

/** A session in the prearchive has no place of its own for it. */
async function conclude(place: XnatPlace, receipt: Receipt, signal: AbortSignal): Promise<void> {
  const { options, project, session, delivery } = place;
  const archived = await findSession(options.client, project, session, signal);
  if (archived === undefined) return;
  const bytes = Buffer.from(`${JSON.stringify(deliveryReport(delivery, receipt), undefined, 2)}\n`);
  const resource = resourcePath(xnatPath("data/experiments", archived.id), REPORT_RESOURCE);
  const read = async function* () {
    yield bytes;
  };
  const upload = { path: REPORT_FILE, sizeBytes: bytes.length, overwrite: true, read };
  await putFile(options.client, resource, upload, signal).catch((thrown: unknown) => {
    // Who may import need not be allowed to add files: the report stays with the gateway's own account.
    if (!(thrown instanceof HttpError) || thrown.status !== 403) throw thrown;
  });
}
