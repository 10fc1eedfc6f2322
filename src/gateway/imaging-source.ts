import { createReadStream } from "node:fs";
import type { Settings } from "../config/settings.ts";
import { isFieldUid, type StudyInstanceUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { InstanceSource } from "../network/ihe/responder/plan.ts";
import { startRad69Responder } from "../network/ihe/responder/responder.ts";
import type { StagedInstance, StagingArea } from "../staging/staging-area.ts";
import type { Clock } from "../units/clock.ts";

const READ_BYTES = 256 * 1024;

/** A request names instance after instance of one study: it is looked through once. */
const SAME_REQUEST_MS = 1_000;

interface Looked {
  readonly studyInstanceUid: string;
  readonly instances: ReadonlyMap<string, StagedInstance>;
  readonly untilMs: number;
}

/** Whole instances in staging, as they were taken in. */
function stagedInstances(staging: Pick<StagingArea, "list">, clock: Clock): InstanceSource {
  let looked: Looked | undefined;
  const look = async (studyInstanceUid: string): Promise<Looked> => {
    if (looked?.studyInstanceUid === studyInstanceUid && clock.nowMs() < looked.untilMs) return looked;
    const staged = isFieldUid(studyInstanceUid) ? await staging.list(studyInstanceUid as StudyInstanceUid) : [];
    const instances = new Map<string, StagedInstance>(staged.map((each) => [each.sopInstanceUid, each]));
    looked = { studyInstanceUid, instances, untilMs: clock.nowMs() + SAME_REQUEST_MS };
    return looked;
  };
  return {
    async find({ studyInstanceUid, documentUniqueId }) {
      const instance = (await look(studyInstanceUid)).instances.get(documentUniqueId);
      if (instance === undefined) return undefined;
      return { ...instance, open: () => createReadStream(instance.path, { highWaterMark: READ_BYTES }) };
    },
  };
}

/**
 * Gives staged studies away by RAD-69 where the settings ask for it. Answers its URL.
 * @throws GatewayError LISTENER_PORT_IN_USE
 */
export async function openImagingSource(
  { imagingSource }: Settings,
  staging: StagingArea,
  clock: Clock,
  opened: AsyncDisposableStack,
): Promise<string | undefined> {
  if (imagingSource === undefined) return undefined;
  const { host, port, profile, lenient, repositoryUniqueId } = imagingSource;
  const options = { source: stagedInstances(staging, clock), host, port, profile, lenient, repositoryUniqueId };
  const responder = await startRad69Responder(options).catch((thrown: unknown) => {
    throw new GatewayError("LISTENER_PORT_IN_USE", { host, port }, thrown);
  });
  return opened.use(responder).url;
}
