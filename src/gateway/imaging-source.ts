import { createReadStream } from "node:fs";
import type { Settings } from "../config/settings.ts";
import { isFieldUid, type StudyInstanceUid } from "../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { InstanceSource } from "../network/ihe/responder/plan.ts";
import { startRad69Responder } from "../network/ihe/responder/responder.ts";
import type { StagedInstance, StagingArea } from "../staging/staging-area.ts";
import type { IntakeStore } from "../store/intake.ts";
import { systemCodeOf } from "../units/durable-files.ts";

const READ_BYTES = 256 * 1024;

/** What one request was told of one study: it names instance after instance of it. */
interface Looked {
  readonly staged: Promise<ReadonlyMap<string, StagedInstance>>;
  /** SOP Instance UIDs of what was acknowledged for a project; looked for when something is not staged. */
  arriving: Promise<ReadonlySet<string>> | undefined;
}

interface Intake {
  readonly store: Pick<IntakeStore, "intakeContents">;
  /** Names, as they are now. */
  readonly projects: () => Promise<readonly string[]>;
}

/** Whole instances in staging, as they were taken in. Of what was sent to us, copies come there when its study has gone quiet. */
function stagedInstances(staging: Pick<StagingArea, "list">, intake: Intake): InstanceSource {
  const looked = new WeakMap<object, Map<string, Looked>>();
  const lookOf = (study: StudyInstanceUid, request: object): Looked => {
    const looks = looked.get(request) ?? new Map<string, Looked>();
    looked.set(request, looks);
    const look = looks.get(study) ?? { staged: stagedOf(study, staging), arriving: undefined };
    looks.set(study, look);
    return look;
  };
  return {
    async find({ studyInstanceUid, documentUniqueId }, request) {
      if (!isFieldUid(studyInstanceUid)) return undefined;
      const study = studyInstanceUid as StudyInstanceUid;
      const look = lookOf(study, request);
      const instance = (await look.staged).get(documentUniqueId);
      if (instance !== undefined)
        return { ...instance, open: () => createReadStream(instance.path, { highWaterMark: READ_BYTES }) };
      look.arriving ??= arrivingOf(study, intake);
      return (await look.arriving).has(documentUniqueId) ? "arriving" : undefined;
    },
  };
}

async function stagedOf(
  study: StudyInstanceUid,
  staging: Pick<StagingArea, "list">,
): Promise<ReadonlyMap<string, StagedInstance>> {
  return new Map((await staging.list(study)).map((each) => [each.sopInstanceUid, each]));
}

async function arrivingOf(study: StudyInstanceUid, { store, projects }: Intake): Promise<ReadonlySet<string>> {
  const arriving = new Set<string>();
  for (const project of await projects()) {
    const contents = await store.intakeContents(project, study).catch(hereAlone);
    for (const { sopInstanceUid } of contents?.instances ?? []) arriving.add(sopInstanceUid);
  }
  return arriving;
}

/** What lies on another node is that node's to give away. */
function hereAlone(thrown: unknown): undefined {
  if (toGatewayError(thrown).code !== "STUDY_ON_OTHER_NODE") throw thrown;
}

/**
 * Gives staged studies away by RAD-69 where the settings ask for it. Answers its URL.
 * @throws GatewayError LISTENER_PORT_IN_USE
 */
export async function openImagingSource(
  { imagingSource }: Settings,
  intake: Intake,
  staging: StagingArea,
  opened: AsyncDisposableStack,
): Promise<string | undefined> {
  if (imagingSource === undefined) return undefined;
  const { host, port, profile, lenient, repositoryUniqueId } = imagingSource;
  const options = { source: stagedInstances(staging, intake), host, port, profile, lenient, repositoryUniqueId };
  const responder = await startRad69Responder(options).catch((thrown: unknown) => {
    throw new GatewayError("LISTENER_PORT_IN_USE", { host, port, cause: systemCodeOf(thrown) ?? "unknown" }, thrown);
  });
  return opened.use(responder).url;
}
